"""The analyst joins what the view knows, and every absence stays an absence."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.analysis.analyst import Analyst
from core.analysis.indicators import WARM_UP_BARS, read_indicators
from core.model.analysis import FlowMissing, FlowReading
from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Bar, Book, Quote, Timeframe
from core.model.signal import NoSetup, Setup, Side
from tests.support.bar_series import an_instrument, random_walk
from tests.support.clock import ManualClock

BTC = an_instrument()


@dataclass(frozen=True)
class Window:
    trades: int = 9
    buy: float = 6.0
    sell: float = 3.0
    gap: bool = False


class AnyTape:
    def window(self, seconds: int, now_ms: int) -> Window:
        return Window()


@dataclass(frozen=True)
class Feed:
    status: FeedStatus


@dataclass
class FakeView:
    """A price cache whose contents are set by hand."""

    closed: tuple[Bar, ...] = ()
    last_quote: Quote | None = None
    last_book: Book | None = None
    tape_known: AnyTape | None = None
    growing: Bar | None = None
    status: FeedStatus = FeedStatus.LIVE
    asked: list[tuple[str, Timeframe]] = field(default_factory=list)

    def quote(self, symbol: str) -> Quote | None:
        return self.last_quote

    def book(self, symbol: str) -> Book | None:
        return self.last_book

    def price_age(self, symbol: str) -> float | None:
        return None if self.last_quote is None else 0.4

    def bars(self, symbol: str, timeframe: Timeframe, count: int | None = None) -> tuple[Bar, ...]:
        self.asked.append((symbol, timeframe))
        return self.closed if count is None else self.closed[-count:]

    def forming(self, symbol: str, timeframe: Timeframe) -> Bar | None:
        return self.growing

    def feed(self, symbol: str) -> Feed:
        return Feed(self.status)

    def tape(self, symbol: str) -> AnyTape | None:
        return self.tape_known


class Says:
    """A rule with one answer for everything."""

    def __init__(self, answer: Setup | NoSetup) -> None:
        self.answer = answer
        self.heard: list[tuple[Timeframe, int]] = []

    def evaluate(
        self, instrument: Instrument, timeframe: Timeframe, bars: Sequence[Bar]
    ) -> Setup | NoSetup:
        self.heard.append((timeframe, len(bars)))
        return self.answer


NOTHING = NoSetup(reason="inside_range", detail="Nothing.")


def a_setup(name: str, at: datetime) -> Setup:
    return Setup(
        strategy=name,
        instrument="BTCUSD",
        timeframe=Timeframe.M1,
        side=Side.BUY,
        entry=100.0,
        stop=99.0,
        targets=(102.0,),
        confidence=0.7,
        reasons=(),
        bar_close=at,
    )


def clock_after(bars: Sequence[Bar], seconds: float = 20) -> ManualClock:
    return ManualClock(bars[-1].close_time + timedelta(seconds=seconds))


def a_quote(price: float) -> Quote:
    return Quote(instrument="BTCUSD", bid=price - 0.5, ask=price + 0.5, event_ms=None, received=0.0)


def test_the_answer_holds_what_the_view_knows() -> None:
    bars = random_walk(5, 900)
    price = bars[-1].close
    book = Book(
        instrument="BTCUSD",
        bids=((price, 3.0),),
        asks=((price, 1.0),),
        update_id=1,
        received=-1.0,
    )
    view = FakeView(bars, a_quote(price), book, AnyTape(), growing=replace(bars[-1], closed=False))
    clock = clock_after(bars)
    analysis = Analyst(view, [Says(NOTHING)], clock).analyse(BTC, Timeframe.M1)

    assert (analysis.instrument, analysis.timeframe, analysis.at) == (
        BTC,
        Timeframe.M1,
        clock.utc_now(),
    )
    assert (analysis.bid, analysis.ask, analysis.price_age_seconds) == (
        price - 0.5,
        price + 0.5,
        0.4,
    )
    assert analysis.feed is FeedStatus.LIVE
    assert analysis.bars == bars[-WARM_UP_BARS:]
    assert analysis.indicators == read_indicators(bars)
    assert isinstance(analysis.flow, FlowReading)
    assert (analysis.flow.flow_ratio, analysis.flow.book_share) == (2.0, 0.75)
    assert all(level < price for level in analysis.supports)
    assert all(level > price for level in analysis.resistances)
    assert analysis.supports or analysis.resistances
    assert analysis.forming == view.growing
    assert view.asked == [("BTCUSD", Timeframe.M1)]


def test_a_book_older_than_two_market_seconds_is_not_read() -> None:
    bars = random_walk(5, 60)
    book = Book(
        instrument="BTCUSD", bids=((1.0, 3.0),), asks=((2.0, 1.0),), update_id=1, received=0.0
    )
    view, clock = FakeView(bars, last_book=book, tape_known=AnyTape()), clock_after(bars, 0)
    clock.tick(2.5)
    flow = Analyst(view, [], clock).analyse(BTC, Timeframe.M1).flow
    assert isinstance(flow, FlowReading)
    assert flow.book_share is None


def test_an_empty_cache_gives_an_answer_of_absences() -> None:
    analysis = Analyst(
        FakeView(status=FeedStatus.STARTING), [Says(NOTHING)], ManualClock()
    ).analyse(BTC, Timeframe.H1)
    assert (analysis.bid, analysis.ask, analysis.mid, analysis.price_age_seconds) == (None,) * 4
    assert analysis.indicators is None
    assert (analysis.supports, analysis.resistances, analysis.bars) == ((), (), ())
    assert analysis.flow == FlowMissing(reason="no feed")
    assert analysis.setup == NoSetup(reason="no_bars", detail="BTCUSD has no closed H1 bars yet.")


def test_levels_stand_around_the_last_close_without_a_quote() -> None:
    bars = random_walk(5, 300)
    analysis = Analyst(FakeView(bars), [], clock_after(bars)).analyse(BTC, Timeframe.M1)
    assert all(level < bars[-1].close for level in analysis.supports)
    assert all(level > bars[-1].close for level in analysis.resistances)


def test_the_first_rule_with_a_setup_decides() -> None:
    bars = random_walk(5, 60)
    first, second = (a_setup(name, bars[-1].close_time) for name in ("first", "second"))
    rules = [Says(NOTHING), Says(first), Says(second)]
    analysis = Analyst(FakeView(bars), rules, clock_after(bars)).analyse(BTC, Timeframe.M1)
    assert analysis.setup == first
    assert rules[0].heard == [(Timeframe.M1, 60)]


def test_without_a_setup_the_first_rule_says_what_is_missing() -> None:
    bars = random_walk(5, 60)
    rules = [Says(NOTHING), Says(NoSetup(reason="other", detail="Other."))]
    analysis = Analyst(FakeView(bars), rules, clock_after(bars)).analyse(BTC, Timeframe.M1)
    assert analysis.setup == NOTHING


def test_without_rules_the_answer_says_so() -> None:
    bars = random_walk(5, 60)
    setup = Analyst(FakeView(bars), [], clock_after(bars)).analyse(BTC, Timeframe.M1).setup
    assert setup == NoSetup(reason="no_rule", detail="No strategy is switched on.")


def test_a_rule_is_not_asked_about_old_bars() -> None:
    bars = random_walk(5, 60)
    rule = Says(a_setup("late", bars[-1].close_time))
    view = FakeView(bars)
    in_time = Analyst(view, [rule], clock_after(bars, 119)).analyse(BTC, Timeframe.M1)
    late = Analyst(view, [rule], clock_after(bars, 120)).analyse(BTC, Timeframe.M1)
    assert in_time.setup == rule.answer
    assert late.setup == NoSetup(
        reason="stale_bars",
        detail=(
            "The last closed M1 bar of BTCUSD ended 2026-03-03 01:00 UTC; there is nothing newer."
        ),
    )
    assert len(rule.heard) == 1
