"""Who was the aggressor in the last 30 s, and what rests in the book."""

from datetime import datetime

from core.analysis.sources import Tape, TapeSlice
from core.clock import to_millis
from core.model.analysis import FlowMissing, FlowReading
from core.model.events import FeedStatus
from core.model.instrument import FlowSupport, Instrument
from core.model.market import Book, BookLevels

WINDOW_SECONDS = 30
MIN_TRADES = 5
BOOK_LEVELS = 10
BOOK_LIMIT_SECONDS = 2.0


def read_flow(
    instrument: Instrument,
    *,
    feed: FeedStatus,
    tape: Tape | None,
    book_share: float | None,
    now: datetime,
) -> FlowReading | FlowMissing:
    """The flow of the last 30 s before `now` (market time), or why there is none."""
    if instrument.flow is FlowSupport.NONE or tape is None:
        return FlowMissing(reason="no feed")
    if feed is not FeedStatus.LIVE:
        return FlowMissing(reason=f"feed {feed}")
    window = tape.window(WINDOW_SECONDS, to_millis(now))
    proxy = instrument.flow is FlowSupport.PROXY
    if window.trades < MIN_TRADES:
        return FlowMissing(reason=_insufficient(window, proxy=proxy))
    return FlowReading(
        seconds=WINDOW_SECONDS,
        trades=window.trades,
        buy_volume=window.buy,
        sell_volume=window.sell,
        cvd=window.buy - window.sell,
        flow_ratio=window.buy / window.sell if window.sell > 0 else None,
        book_share=book_share,
        proxy=proxy,
        gap=window.gap,
    )


def fresh_book_share(book: Book | None, monotonic: float) -> float | None:
    """bid/(bid+ask) notional over 10 levels, 0-1; None when the book is absent, older than
    2 s at `monotonic` (market clock), or has an empty side."""
    if book is None or monotonic - book.received > BOOK_LIMIT_SECONDS:
        return None
    bids, asks = _notional(book.bids), _notional(book.asks)
    if bids <= 0 or asks <= 0:
        return None
    return bids / (bids + asks)


def _notional(levels: BookLevels) -> float:
    return sum(price * size for price, size in levels[:BOOK_LEVELS])


def _insufficient(window: TapeSlice, *, proxy: bool) -> str:
    count = f"only {window.trades} trades" if window.trades > 1 else "only 1 trade"
    if window.trades == 0:
        count = "no trades"
    notes = (", the tape is incomplete" if window.gap else "") + (" (proxy feed)" if proxy else "")
    return f"insufficient: {count} in {WINDOW_SECONDS} s{notes}"
