"""Planning, backoff, trade ids and the watchdog: pure rules of the stream."""

import random
from dataclasses import replace

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from core.model.events import FeedStatus
from core.model.instrument import Instrument, Venue
from core.model.market import Book
from infra.binance.binance_parse import RejectReason, Route, StreamKind
from infra.binance.frame_order import FrameOrder, Unfit
from infra.binance.reconnect import CAP_SECONDS, Backoff, classify
from infra.binance.stream_plan import StreamEndpoints, plan_streams
from infra.binance.stream_watch import Health, StreamWatch, reason_to_reopen, worst
from infra.binance.trade_sequence import Leap, Missing, TradeSequence
from infra.registry_file import load_registry
from tests.support.market_data import make_tick

ENDPOINTS = StreamEndpoints(
    spot_ws="ws://spot", futures_market_ws="ws://fut/market", futures_public_ws="ws://fut/public"
)


def _instruments() -> tuple[Instrument, ...]:
    return tuple(load_registry())


def test_streams_go_to_the_address_of_their_class() -> None:
    plan = plan_streams(_instruments(), Venue.SANDBOX, ENDPOINTS)
    urls = [url for shard in plan.shards for url in shard.urls]
    assert urls[0].startswith(
        "ws://spot/stream?streams=btcusdt@aggTrade/btcusdt@depth20@100ms/btcusdt@kline_1m/eurusdt@"
    )
    assert "gbpusd@bookTicker/gbpusd@kline_1m" in urls[0]
    assert urls[1:] == [
        "ws://fut/market/stream?streams=xauusdt@aggTrade/xauusdt@kline_1m",
        "ws://fut/public/stream?streams=xauusdt@depth20@100ms",
    ]


def test_what_the_venue_does_not_list_gets_no_stream() -> None:
    plan = plan_streams(_instruments(), Venue.BINANCE, ENDPOINTS)
    assert {route.instrument for route in plan.routes} == {"BTCUSD", "XAUUSD", "EURUSD"}


def test_many_streams_are_sharded_and_keep_their_numbers() -> None:
    plan = plan_streams(_instruments(), Venue.SANDBOX, ENDPOINTS, per_connection=4)
    assert max(len(shard.routes) for shard in plan.shards) == 4
    assert [route.number for route in plan.routes] == list(range(len(plan.routes)))
    assert sum(len(shard.routes) for shard in plan.shards) == len(plan.routes)


def _refused(status: int, **headers: str) -> InvalidStatus:
    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return InvalidStatus(Response(status, "", named, b""))


@pytest.mark.parametrize(
    ("error", "least_wait", "words"),
    [
        (_refused(429, Retry_After="7"), 7, "too many requests"),
        (_refused(418), 120, "banned"),
        (_refused(418, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), 120, "banned"),
        (_refused(451), 300, "no feed: Binance blocks this region"),
        (_refused(403), 300, "refuses"),
        (_refused(503), 0, "trouble"),
        (TimeoutError(), 0, "in time"),
        (ConnectionRefusedError(111, "Connection refused"), 0, "Connection refused"),
    ],
)
def test_failures_are_told_apart(error: Exception, least_wait: float, words: str) -> None:
    failure = classify(error)
    assert failure.least_wait == least_wait
    assert words in failure.detail


def test_backoff_grows_to_its_cap_and_starts_over_when_reset() -> None:
    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    backoff = Backoff(Highest())
    assert [backoff.next_wait() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, CAP_SECONDS]
    assert backoff.next_wait(least=300) == 300
    backoff.reset()
    assert backoff.next_wait() == 0.5


def test_backoff_is_fully_jittered() -> None:
    waits = {Backoff(random.Random(seed)).next_wait() for seed in range(50)}
    assert min(waits) < 0.1
    assert 0.4 < max(waits) <= 0.5


def test_trade_ids_show_duplicates_disorder_and_gaps() -> None:
    sequence = TradeSequence()
    verdicts = [sequence.accept(make_tick(trade_id)) for trade_id in (10, 11, 11, 9, 14, 12, 15)]
    assert verdicts == [True, True, False, False, Missing(12, 13), False, True]


def test_renumbering_by_the_venue_is_not_taken_for_old_trades() -> None:
    sequence = TradeSequence()
    first = make_tick(1_000_000)
    assert sequence.accept(first) is True
    assert sequence.accept(make_tick(1, event_ms=first.event_ms + 5_000)) is True
    assert sequence.accept(make_tick(2, event_ms=first.event_ms + 5_100)) is True


def _watch(kind: StreamKind = StreamKind.DEPTH, symbol: str = "BTCUSD") -> StreamWatch:
    instrument = load_registry().get(symbol)
    place = instrument.symbol_at(Venue.SANDBOX)
    assert place is not None
    route = Route(
        number=0,
        kind=kind,
        market=place.market,
        instrument=symbol,
        venue_symbol=place.symbol.upper(),
    )
    return StreamWatch(route, instrument, wall_now=0.0)


def _status(watch: StreamWatch, wall: float, market: float | None = None) -> FeedStatus:
    return watch.judge(wall, wall if market is None else market).status


def test_a_stream_is_live_only_after_its_first_message() -> None:
    watch = _watch()
    assert _status(watch, 1) is FeedStatus.STARTING
    watch.opened(1.0)
    assert _status(watch, 2) is FeedStatus.STARTING
    watch.heard(2.5)
    assert _status(watch, 3) is FeedStatus.LIVE


def test_no_first_message_within_ten_seconds_is_down_by_name() -> None:
    watch = _watch()
    watch.opened(1.0)
    assert _status(watch, 10.9) is FeedStatus.STARTING
    health = watch.judge(11.1, 11.1)
    assert health.status is FeedStatus.DOWN
    assert health.detail == "connected, but no order book for 10 s"


def test_silence_beyond_the_limit_is_stale_and_asks_for_a_new_connection() -> None:
    watch = _watch()
    watch.opened(0.0)
    watch.heard(0.5)
    assert _status(watch, 0.6) is FeedStatus.LIVE
    assert _status(watch, 3.4) is FeedStatus.LIVE
    health = watch.judge(3.6, 3.6)
    assert health.status is FeedStatus.STALE
    assert reason_to_reopen([watch], [health], 3.6)


def test_silence_is_measured_in_market_time_but_never_hastily() -> None:
    watch = _watch()
    watch.opened(0.0)
    watch.heard(0.0)
    assert _status(watch, wall=0.1, market=6.0) is FeedStatus.LIVE
    assert _status(watch, wall=0.5, market=30.0) is FeedStatus.LIVE
    assert _status(watch, wall=1.2, market=72.0) is FeedStatus.STALE


def test_an_instrument_that_ticks_rarely_is_given_its_usual_time() -> None:
    watch = _watch()
    watch.opened(0.0)
    for second in range(400):
        watch.heard(float(second))
    assert _status(watch, 415) is FeedStatus.LIVE
    assert _status(watch, 425) is FeedStatus.STALE


def test_a_connection_that_says_nothing_at_all_is_opened_anew() -> None:
    watch = _watch()
    watch.opened(0.0)
    assert not reason_to_reopen([watch], [watch.judge(29, 29)], 29)
    assert reason_to_reopen([watch], [watch.judge(31, 31)], 31)


def test_one_mute_stream_does_not_keep_cutting_the_others() -> None:
    mute, lively = _watch(), _watch()
    for watch in (mute, lively):
        watch.opened(0.0)
    for now in (31.0, 600.0, 1_799.0):
        lively.heard(now)
        states = [watch.judge(now, now) for watch in (mute, lively)]
        assert states[0].status is FeedStatus.DOWN
        assert not reason_to_reopen([mute, lively], states, now)
    lively.heard(1_801.0)
    states = [watch.judge(1_801, 1_801) for watch in (mute, lively)]
    assert reason_to_reopen([mute, lively], states, 1_801)


def test_a_lost_connection_is_stale_then_down_with_the_reason() -> None:
    watch = _watch()
    watch.opened(0.0)
    watch.heard(1.0)
    assert _status(watch, 1) is FeedStatus.LIVE
    watch.closed("the venue has trouble (HTTP 503)")
    assert _status(watch, 2.1) is FeedStatus.STALE
    watch.closed("the venue has trouble (HTTP 503)")
    assert watch.judge(12.1, 12.1) == Health(FeedStatus.DOWN, "the venue has trouble (HTTP 503)")


def test_a_thin_tape_may_be_silent() -> None:
    watch = _watch(StreamKind.TRADES, "EURUSD")
    watch.opened(0.0)
    assert _status(watch, 500) is FeedStatus.LIVE


def test_an_instrument_is_as_well_as_its_worst_stream() -> None:
    live, stale = Health(FeedStatus.LIVE), Health(FeedStatus.STALE, "silent")
    assert worst([live, stale, live]) == stale


def test_an_instrument_with_its_own_limit_uses_it() -> None:
    patient = replace(load_registry().get("BTCUSD"), silence_limit_seconds=20.0)
    watch = StreamWatch(_watch().route, patient, wall_now=0.0)
    watch.opened(0.0)
    watch.heard(0.0)
    assert _status(watch, 19) is FeedStatus.LIVE
    assert _status(watch, 21) is FeedStatus.STALE


def test_one_wrong_time_or_id_is_not_believed_and_spoils_nothing() -> None:
    sequence = TradeSequence()
    ticks = [
        make_tick(10),
        make_tick(11, event_ms=make_tick(11).event_ms + 3_600_000),
        make_tick(2**62),
        make_tick(12),
        make_tick(13),
    ]
    assert [sequence.accept(tick) for tick in ticks] == [
        True, Leap(), Leap(), Missing(11, 11), True,
    ]  # fmt: skip


def test_a_leap_that_the_next_trade_confirms_is_believed() -> None:
    sequence = TradeSequence()
    first = make_tick(10)
    later = [make_tick(n, event_ms=first.event_ms + 600_000 + n) for n in (500, 501, 502)]
    verdicts = [sequence.accept(tick) for tick in (first, *later)]
    assert verdicts == [True, Leap(), Missing(11, 500), True]


def test_a_usual_pause_between_bitcoin_trades_leaves_the_limit_at_three_seconds() -> None:
    watch = _watch(StreamKind.TRADES)
    watch.opened(0.0)
    for number in range(1_000):
        watch.heard(number * 0.22)
    last = 999 * 0.22
    assert watch.judge(last, last).status is FeedStatus.LIVE
    assert watch.judge(last + 3.01, last + 3.01).status is FeedStatus.STALE


def test_connections_that_open_and_bring_nothing_do_not_delay_the_bad_news() -> None:
    watch = _watch()
    watch.opened(0.0)
    watch.heard(0.5)
    assert _status(watch, 1.0) is FeedStatus.LIVE
    for opened in (3.0, 6.0, 9.0):
        watch.closed("the connection broke off")
        watch.opened(opened)
        assert _status(watch, opened + 0.1) is FeedStatus.STALE
    watch.closed("the connection broke off")
    watch.opened(11.5)
    assert watch.judge(11.6, 11.6) == Health(
        FeedStatus.DOWN, "connected, but no order book for 11 s"
    )


def test_frames_that_are_no_news_are_named_in_the_reason() -> None:
    watch = _watch()
    watch.opened(0.0)
    watch.heard(0.0)
    assert _status(watch, 0.1) is FeedStatus.LIVE
    watch.refused("crossed")
    detail = watch.judge(3.6, 3.6).detail
    assert detail == "no order book for 4 s (bid above ask), reconnecting"
    watch.heard(3.7)
    assert _status(watch, 3.8) is FeedStatus.LIVE
    assert watch.judge(7.8, 7.8).detail == "no order book for 4 s, reconnecting"


def test_every_reason_to_refuse_a_frame_has_plain_words() -> None:
    for reason in (*RejectReason, *Unfit):
        watch = _watch()
        watch.opened(0.0)
        watch.refused(reason.value)
        assert "_" not in watch.judge(11.0, 11.0).detail


def test_a_repeated_frame_is_no_news_even_over_a_new_connection() -> None:
    order = FrameOrder()
    assert not order.is_repeated(0, b"a")
    order.connection_opened()
    assert order.is_repeated(0, b"a")
    assert not order.is_repeated(1, b"a")
    assert not order.is_repeated(0, b"b")


def test_an_older_book_is_late_until_a_new_connection_counts_anew() -> None:
    order = FrameOrder()
    ids = (5, 7, 6, 7, 8)
    books = [Book(instrument="X", bids=(), asks=(), update_id=n, received=0.0) for n in ids]
    assert [order.is_late(0, book) for book in books] == [False, False, True, True, False]
    order.connection_opened()
    assert not order.is_late(0, books[0])


@pytest.mark.parametrize(
    ("received", "sent", "words"),
    [
        (Close(1012, "x"), Close(1012, "x"), "the venue closed the connection (restart 1012)"),
        (Close(4001, ""), Close(4001, ""), "the venue closed the connection (code 4001)"),
        (None, None, "the connection broke off"),
        (None, Close(1009, "big"), "the venue sent far too much at once"),
        (None, Close(1011, "keepalive ping timeout"), "the venue stopped answering pings"),
    ],
)
def test_ends_of_connections_are_told_in_plain_words(
    received: Close | None, sent: Close | None, words: str
) -> None:
    ended = ConnectionClosedError(received, sent, True if received else None)
    assert classify(ended).detail == f"{words}, reconnecting"
