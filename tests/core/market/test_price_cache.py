"""The cache: what was written is readable before anybody is told, and bad data stays out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.clock import to_millis
from core.model.events import BarClosed, FeedChanged, FeedStatus
from core.model.market import Book, Quote, Timeframe
from tests.support.clock import START
from tests.support.market_data import make_minute, make_minutes, make_quote, make_tick
from tests.support.market_desk import MarketDesk


def test_nothing_is_known_before_the_first_frame() -> None:
    cache = MarketDesk().cache
    assert cache.quote("BTCUSD") is None
    assert cache.price_age("BTCUSD") is None
    assert cache.bars("BTCUSD", Timeframe.M1) == ()
    assert cache.feed("BTCUSD").status is FeedStatus.STARTING


def test_price_age_counts_from_receipt_where_the_venue_sends_no_time() -> None:
    desk = MarketDesk()
    desk.cache.on_quote(make_quote(received=0.0))
    desk.market.tick(1.5)
    assert desk.cache.price_age("BTCUSD") == 1.5


def test_price_age_is_the_worse_of_event_age_and_receive_age() -> None:
    desk = MarketDesk()
    late = to_millis(START - timedelta(seconds=4))
    desk.cache.on_quote(make_quote(received=0.0, event_ms=late))
    assert desk.cache.price_age("BTCUSD") == 4.0
    desk.market.tick(1.0)
    desk.cache.on_quote(make_quote(received=0.5, event_ms=to_millis(START) + 1_000))
    assert desk.cache.price_age("BTCUSD") == 0.5


def test_price_age_is_never_negative_when_the_venue_clock_runs_ahead() -> None:
    desk = MarketDesk()
    desk.cache.on_quote(make_quote(received=0.0, event_ms=to_millis(START) + 1_270))
    assert desk.cache.price_age("BTCUSD") == 0.0


def test_quote_listeners_find_the_quote_in_the_cache() -> None:
    desk = MarketDesk()
    seen: list[tuple[Quote, Quote | None]] = []
    desk.cache.listen_quotes(lambda quote: seen.append((quote, desk.cache.quote("BTCUSD"))))
    quote = make_quote()
    desk.cache.on_quote(quote)
    assert seen == [(quote, quote)]


def test_a_crossed_quote_is_counted_and_nobody_hears_it() -> None:
    desk = MarketDesk()
    heard: list[Quote] = []
    desk.cache.listen_quotes(heard.append)
    desk.cache.on_quote(make_quote(bid=60_001.0, ask=60_000.0))
    assert heard == []
    assert desk.cache.quote("BTCUSD") is None
    assert desk.cache.feed("BTCUSD").rejects == (("crossed", 1),)


def test_a_tenfold_spike_triggers_nothing() -> None:
    desk = MarketDesk()
    for number in range(100):
        desk.cache.on_quote(make_quote(received=number * 0.1))
        desk.cache.on_trade(make_tick(number + 1))
    heard: list[Quote] = []
    desk.cache.listen_quotes(heard.append)
    desk.cache.on_quote(make_quote(received=10.1, bid=6_000.0, ask=6_000.1))
    desk.cache.on_trade(make_tick(101, price=600_000.0))
    assert heard == []
    assert desk.cache.feed("BTCUSD").rejects == (("spike", 2),)
    trade = desk.cache.last_trade("BTCUSD")
    assert trade is not None
    assert trade.price == 60_000.0


def test_trades_fill_the_tape_and_only_where_there_is_order_flow() -> None:
    desk = MarketDesk()
    for number in range(1, 11):
        desk.cache.on_trade(make_tick(number))
    tape = desk.cache.tape("BTCUSD")
    assert tape is not None
    assert tape.window(10, to_millis(START) + 1_000).buy == 5.0
    assert desk.cache.tape("GBPUSD") is None


def test_books_are_kept_newest_only() -> None:
    desk = MarketDesk()
    for update in (1, 2):
        book = Book(
            instrument="BTCUSD",
            bids=((1.0, 1.0),),
            asks=((2.0, 1.0),),
            update_id=update,
            received=0,
        )
        desk.cache.on_book(book)
    kept = desk.cache.book("BTCUSD")
    assert kept is not None
    assert kept.update_id == 2


def test_a_closed_bar_is_readable_before_it_is_announced() -> None:
    desk = MarketDesk()
    readable: list[bool] = []
    desk.bus.subscribe(
        BarClosed,
        lambda e: readable.append(desk.cache.bars("BTCUSD", e.bar.timeframe)[-1] == e.bar),
    )
    for minute in make_minutes(0, 5):
        desk.cache.on_bar(minute)
    assert readable == [True] * 6


def test_bars_that_are_still_open_are_not_announced() -> None:
    desk = MarketDesk()
    desk.cache.on_bar(replace(make_minute(0), closed=False))
    assert desk.events == []
    forming = desk.cache.forming("BTCUSD", Timeframe.M1)
    assert forming is not None
    assert not forming.closed


def test_bars_after_a_hole_are_announced_only_when_it_is_filled() -> None:
    desk = MarketDesk()
    needs: list[int] = []
    desk.cache.listen_needs(lambda: needs.append(1))
    for minute in (*make_minutes(0, 3), *make_minutes(4, 6)):
        desk.cache.on_bar(minute)
    assert needs
    assert _announced(desk) == [0, 1, 2]
    desk.cache.fill_bars(desk.cache.bar_holes("BTCUSD")[0], [make_minute(3)])
    assert _announced(desk) == [0, 1, 2, 5]
    assert [bar.open_time.minute for bar in desk.cache.bars("BTCUSD", Timeframe.M1, 4)] == [
        2,
        3,
        4,
        5,
    ]


def _announced(desk: MarketDesk) -> list[int]:
    return [
        event.bar.open_time.minute
        for event in desk.events
        if isinstance(event, BarClosed) and event.bar.timeframe is Timeframe.M1
    ]


def test_only_changes_of_status_are_announced() -> None:
    desk = MarketDesk()
    for status in (FeedStatus.STARTING, FeedStatus.LIVE, FeedStatus.LIVE, FeedStatus.STALE):
        desk.cache.on_status("BTCUSD", status, "why")
    changes = [event.status for event in desk.events if isinstance(event, FeedChanged)]
    assert changes == [FeedStatus.STARTING, FeedStatus.LIVE, FeedStatus.STALE]
    assert desk.cache.feed("BTCUSD").detail == "why"


def test_minutes_missed_while_the_feed_was_away_are_noticed_when_it_is_back() -> None:
    desk = MarketDesk()
    for minute in make_minutes(-3, 0):
        desk.cache.on_bar(minute)
    desk.cache.on_status("BTCUSD", FeedStatus.STALE, "silent")
    desk.market.tick(200)
    desk.cache.on_status("BTCUSD", FeedStatus.LIVE, "")
    (hole,) = desk.cache.bar_holes("BTCUSD")
    assert (hole.start, hole.count) == (START, 3)


def test_counters_of_the_feed() -> None:
    desk = MarketDesk()
    desk.cache.on_trade(make_tick(1))
    desk.cache.on_gap("BTCUSD", 2, 5)
    desk.cache.on_trade(make_tick(6))
    desk.cache.count_reject("BTCUSD", "duplicate_trade")
    desk.cache.count_reject("BTCUSD", "malformed")
    desk.cache.count_reject(None, "malformed")
    view = desk.cache.feed("BTCUSD")
    assert (view.trades, view.gaps, view.missing_trades, view.duplicates) == (2, 1, 4, 1)
    assert view.rejects == (("malformed", 1),)
    assert desk.cache.fill_trades("BTCUSD", 2, [make_tick(n) for n in range(2, 6)])
    assert desk.cache.feed("BTCUSD").missing_trades == 0


def test_a_book_far_from_the_quotes_is_not_kept() -> None:
    cache = MarketDesk().cache
    for number in range(10):
        cache.on_quote(make_quote(float(number)))
    good = Book(
        instrument="BTCUSD", bids=((60_000.0, 1.0),), asks=((60_000.1, 1.0),), update_id=1,
        received=10.0,
    )  # fmt: skip
    cache.on_book(good)
    cache.on_book(replace(good, bids=((600_000.0, 1.0),), asks=((600_001.0, 1.0),), update_id=2))
    assert cache.book("BTCUSD") == good


def test_a_bar_whose_high_no_quote_confirms_is_left_to_history() -> None:
    desk = MarketDesk()
    cache = desk.cache
    for number in range(10):
        desk.market.tick(1.0)
        cache.on_quote(make_quote(float(number)))
    flat: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), 60_000.0)
    cache.on_bar(make_minute(0, **flat))
    cache.on_bar(make_minute(1, **{**flat, "high": 600_000.0}))
    cache.on_bar(make_minute(2, **flat, closed=False))
    assert cache.feed("BTCUSD").rejects == (("spike", 1),)
    assert [bar.open_time.minute for bar in cache.bars("BTCUSD", Timeframe.M1)] == [0]
    (hole,) = cache.bar_holes("BTCUSD")
    cache.fill_bars(hole, [make_minute(1, **flat)])
    assert [bar.open_time.minute for bar in cache.bars("BTCUSD", Timeframe.M1)] == [0, 1]


def test_a_minute_that_never_closed_is_missed_as_soon_as_the_next_one_grows() -> None:
    desk = MarketDesk()
    asked: list[bool] = []
    desk.cache.listen_needs(lambda: asked.append(True))
    desk.cache.on_bar(make_minute(0))
    desk.cache.on_bar(make_minute(1, closed=False))
    assert asked == []
    desk.cache.on_bar(make_minute(2, closed=False))
    (hole,) = desk.cache.bar_holes("BTCUSD")
    assert (hole.start, hole.count, asked) == (make_minute(1).open_time, 1, [True])
