"""A flow reading tells sums, and its absence tells why."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from core.analysis.order_flow import fresh_book_share, read_flow
from core.model.analysis import FlowMissing, FlowReading
from core.model.events import FeedStatus
from core.model.instrument import FlowSupport
from core.model.market import Book, BookLevels
from tests.support.bar_series import an_instrument

NOW = datetime(2026, 3, 3, 13, 0, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    trades: int
    buy: float
    sell: float
    gap: bool = False


@dataclass(frozen=True)
class OneWindow:
    """A tape that knows exactly one window: the last 30 s before NOW."""

    answer: Window

    def window(self, seconds: int, now_ms: int) -> Window:
        assert (seconds, now_ms) == (30, 1_772_542_830_000)
        return self.answer


def flow_of(
    window: Window | None,
    *,
    flow: FlowSupport = FlowSupport.FULL,
    feed: FeedStatus = FeedStatus.LIVE,
    book_share: float | None = None,
) -> FlowReading | FlowMissing:
    return read_flow(
        an_instrument(flow=flow),
        feed=feed,
        tape=None if window is None else OneWindow(window),
        book_share=book_share,
        now=NOW,
    )


def test_reading_carries_the_sums_of_the_window() -> None:
    reading = flow_of(Window(12, buy=7.0, sell=2.5), book_share=0.4)
    assert reading == FlowReading(
        seconds=30,
        trades=12,
        buy_volume=7.0,
        sell_volume=2.5,
        cvd=4.5,
        flow_ratio=2.8,
        book_share=0.4,
        proxy=False,
        gap=False,
    )


def test_balanced_flow_is_a_reading_not_a_missing_one() -> None:
    reading = flow_of(Window(8, buy=3.0, sell=3.0))
    assert isinstance(reading, FlowReading)
    assert (reading.flow_ratio, reading.cvd) == (1.0, 0.0)


def test_without_sells_there_is_no_ratio() -> None:
    reading = flow_of(Window(6, buy=3.0, sell=0.0))
    assert isinstance(reading, FlowReading)
    assert (reading.flow_ratio, reading.cvd) == (None, 3.0)


def test_proxy_and_gap_are_marked() -> None:
    reading = flow_of(Window(6, buy=1.0, sell=1.0, gap=True), flow=FlowSupport.PROXY)
    assert isinstance(reading, FlowReading)
    assert (reading.proxy, reading.gap) == (True, True)


@pytest.mark.parametrize(
    ("window", "flow", "feed", "reason"),
    [
        (None, FlowSupport.FULL, FeedStatus.LIVE, "no feed"),
        (Window(9, 1.0, 1.0), FlowSupport.NONE, FeedStatus.LIVE, "no feed"),
        (Window(9, 1.0, 1.0), FlowSupport.FULL, FeedStatus.STALE, "feed stale"),
        (Window(9, 1.0, 1.0), FlowSupport.FULL, FeedStatus.DOWN, "feed down"),
        (Window(9, 1.0, 1.0), FlowSupport.FULL, FeedStatus.STARTING, "feed starting"),
        (
            Window(3, 1.0, 1.0),
            FlowSupport.FULL,
            FeedStatus.LIVE,
            "insufficient: only 3 trades in 30 s",
        ),
        (
            Window(1, 1.0, 0.0),
            FlowSupport.FULL,
            FeedStatus.LIVE,
            "insufficient: only 1 trade in 30 s",
        ),
        (
            Window(0, 0.0, 0.0),
            FlowSupport.FULL,
            FeedStatus.LIVE,
            "insufficient: no trades in 30 s",
        ),
        (
            Window(4, 1.0, 1.0, gap=True),
            FlowSupport.PROXY,
            FeedStatus.LIVE,
            "insufficient: only 4 trades in 30 s, the tape is incomplete (proxy feed)",
        ),
    ],
)
def test_missing_flow_says_why(
    window: Window | None, flow: FlowSupport, feed: FeedStatus, reason: str
) -> None:
    assert flow_of(window, flow=flow, feed=feed) == FlowMissing(reason=reason)


def a_book(bids: BookLevels, asks: BookLevels, received: float = 100.0) -> Book:
    return Book(instrument="BTCUSD", bids=bids, asks=asks, update_id=1, received=received)


def test_book_share_is_by_notional_over_ten_levels() -> None:
    bids = (*((100.0 - i, 3.0) for i in range(10)), (1.0, 1e9))
    asks = ((101.0, 1.0), (102.0, 2.0))
    bid_notional, ask_notional = 3.0 * (1000 - 45), 101.0 + 204.0
    share = fresh_book_share(a_book(bids, asks), monotonic=100.5)
    assert share == pytest.approx(bid_notional / (bid_notional + ask_notional))


@pytest.mark.parametrize(("age", "is_fresh"), [(0.0, True), (2.0, True), (2.01, False)])
def test_a_book_older_than_two_seconds_has_no_share(age: float, is_fresh: bool) -> None:
    book = a_book(((100.0, 1.0),), ((100.5, 1.0),))
    assert (fresh_book_share(book, monotonic=100.0 + age) is not None) == is_fresh


def test_no_book_and_a_one_sided_book_have_no_share() -> None:
    assert fresh_book_share(None, monotonic=0.0) is None
    assert fresh_book_share(a_book(((100.0, 1.0),), ()), monotonic=100.0) is None
