"""Entries trust a feed only when it is alive, fresh, and as tight as usual."""

from typing import Any

from core.market.feed_validator import FeedLimits, FeedValidator
from core.market.quote_habits import QuoteHabits
from core.market.spike_guard import SpikeGuard
from core.model.events import FeedStatus
from infra.registry_file import load_registry
from tests.support.market_data import make_minute, make_quote
from tests.support.market_desk import MarketDesk

BITCOIN = load_registry().get("BTCUSD")


class Checked:
    """A desk whose BTCUSD feed has been live with a quote every `every` seconds."""

    def __init__(self, quotes: int = 100, every: float = 0.1) -> None:
        self.desk = MarketDesk()
        self.validator = FeedValidator(self.desk.cache)
        self.desk.cache.on_status("BTCUSD", FeedStatus.LIVE, "")
        for _ in range(quotes):
            self.desk.market.tick(every)
            self.quote()

    def quote(self, ask: float = 60_000.1) -> None:
        self.desk.cache.on_quote(make_quote(self.desk.market.monotonic(), ask=ask))

    def code(self) -> str | None:
        refusal = self.validator.check_entry(BITCOIN)
        return None if refusal is None else refusal.code


def test_a_live_fresh_tight_feed_is_accepted() -> None:
    assert Checked().code() is None


def test_without_a_quote_there_is_no_entry() -> None:
    assert Checked(quotes=0).code() == "no_quote"


def test_a_feed_that_is_not_live_is_refused_with_its_reason() -> None:
    checked = Checked()
    checked.desk.cache.on_status("BTCUSD", FeedStatus.STALE, "no trades for 4 s, reconnecting")
    refusal = checked.validator.check_entry(BITCOIN)
    assert refusal is not None
    assert refusal.code == "feed_not_live"
    assert refusal.text == "The BTCUSD feed is stale (no trades for 4 s, reconnecting)."


def test_quote_older_than_the_limit_is_stale() -> None:
    checked = Checked()
    checked.desk.market.tick(1.9)
    assert checked.code() is None
    checked.desk.market.tick(0.2)
    assert checked.code() == "stale_quote"


def test_an_instrument_that_ticks_rarely_gets_its_own_limit() -> None:
    checked = Checked(every=6.0)
    checked.desk.market.tick(6.0)
    assert checked.code() is None
    checked.desk.market.tick(2.0)
    assert checked.code() == "stale_quote"


def test_no_quote_older_than_fifteen_seconds_is_ever_fresh() -> None:
    checked = Checked(every=40.0)
    checked.desk.market.tick(15.1)
    assert checked.code() == "stale_quote"


def test_a_spread_of_more_than_three_times_the_usual_is_refused() -> None:
    checked = Checked(every=1.0)
    checked.quote(ask=60_000.29)
    assert checked.code() is None
    checked.quote(ask=60_000.31)
    refusal = checked.validator.check_entry(BITCOIN)
    assert refusal is not None
    assert refusal.code == "wide_spread"
    assert "0.31" in refusal.text
    assert "0.10" in refusal.text


def test_one_wide_first_quote_does_not_define_what_is_usual() -> None:
    habits = QuoteHabits()
    habits.note(50.0, 0.0)
    assert habits.usual_spread() is None
    for number in range(1, 40):
        habits.note(0.1, number * 5.0)
    assert habits.usual_spread() == 0.1


def test_missing_minutes_are_refused_until_they_are_filled() -> None:
    checked = Checked()
    cache = checked.desk.cache
    flat: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), 60_000.0)
    for number in (-5, -4, -2):
        cache.on_bar(make_minute(number, **flat))
    assert checked.code() == "bars_missing"
    cache.fill_bars(cache.bar_holes("BTCUSD")[0], [make_minute(-3, **flat)])
    assert checked.code() is None


def test_usual_longest_gap_is_the_99th_percentile_within_a_bucket() -> None:
    habits = QuoteHabits()
    moment = 0.0
    for number in range(2_000):
        moment += 3.0 if number % 50 == 0 else 0.1
        habits.note(1.0, moment)
    longest = habits.usual_longest_gap()
    assert longest is not None
    assert 3.0 <= longest <= 3.0 * 1.13
    assert QuoteHabits().usual_longest_gap() is None


def test_an_hour_without_quotes_does_not_count_as_usual() -> None:
    habits = QuoteHabits()
    for number in range(60):
        habits.note(1.0, number * 0.1)
    habits.note(1.0, 3_600.0)
    longest = habits.usual_longest_gap()
    assert longest is not None
    assert longest < 0.2


def test_a_jump_is_believed_once_a_second_of_prices_agrees() -> None:
    guard = SpikeGuard()
    for number in range(60):
        assert guard.accept(100.0, float(number))
    verdicts = [guard.accept(110.0, 60.0 + number * 0.25) for number in range(6)]
    assert verdicts == [False, False, False, False, True, True]


def test_scattered_spikes_never_confirm_each_other() -> None:
    guard = SpikeGuard()
    assert guard.accept(100.0, 0.0)
    prices = [1_000.0, 10.0, 900.0, 5.0, 700.0, 3.0, 400.0, 1.0]
    assert not any(guard.accept(price, 0.5 * number) for number, price in enumerate(prices))
    assert guard.accept(100.2, 4.5)


def test_a_wild_market_widens_what_is_believed() -> None:
    guard = SpikeGuard()
    price = 100.0
    for number in range(120):
        price *= 1.004 if number % 2 else 0.996
        assert guard.accept(price, float(number))
    assert guard.accept(price * 1.03, 120.0)


def test_after_a_long_silence_any_price_is_news_not_a_spike() -> None:
    guard = SpikeGuard()
    assert guard.accept(100.0, 0.0)
    assert guard.accept(150.0, 61.0)


def test_the_limits_are_a_setting() -> None:
    checked = Checked()
    strict = FeedValidator(checked.desk.cache, FeedLimits(least_age_seconds=0.5))
    checked.desk.market.tick(0.7)
    assert checked.code() is None
    refusal = strict.check_entry(BITCOIN)
    assert refusal is not None
    assert "0.7 s old" in refusal.text
