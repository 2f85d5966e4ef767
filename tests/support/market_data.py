"""Builders of market data, and a sink that writes down what it hears."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from core.clock import to_millis
from core.model.events import FeedStatus
from core.model.market import Bar, Book, Quote, Timeframe, TradeTick
from tests.support.clock import START

START_MS = to_millis(START)


def make_tick(trade_id: int = 1, **changes: Any) -> TradeTick:
    """A trade of 0.5 BTC at 60,000, bought; one per 100 ms by id."""
    tick = TradeTick(
        instrument="BTCUSD",
        trade_id=trade_id,
        price=60_000.0,
        size=0.5,
        buyer_maker=False,
        event_ms=START_MS + trade_id * 100,
        received=trade_id * 0.1,
    )
    return replace(tick, **changes)


def make_quote(received: float = 0.0, **changes: Any) -> Quote:
    """60,000.00 / 60,000.10."""
    quote = Quote(instrument="BTCUSD", bid=60_000.0, ask=60_000.1, event_ms=None, received=received)
    return replace(quote, **changes)


def make_minute(number: int, start: datetime = START, **changes: Any) -> Bar:
    """Closed M1 bar `number` minutes after `start`, its numbers depend on `number`."""
    base = 100.0 + number
    bar = Bar(
        instrument="BTCUSD",
        timeframe=Timeframe.M1,
        open_time=start + timedelta(minutes=number),
        open=base,
        high=base + 2,
        low=base - 1,
        close=base + 1,
        volume=10.0 + number,
        buy_volume=4.0 + number / 2,
        trades=number + 1,
        closed=True,
    )
    return replace(bar, **changes)


def make_minutes(first: int, end: int) -> list[Bar]:
    """Minutes `first` (inclusive) to `end` (exclusive)."""
    return [make_minute(number) for number in range(first, end)]


def merged(minutes: Sequence[Bar], timeframe: Timeframe) -> Bar:
    """The longer bar, counted the plain way."""
    return Bar(
        instrument=minutes[0].instrument,
        timeframe=timeframe,
        open_time=timeframe.open_time(minutes[0].open_time),
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        close=minutes[-1].close,
        volume=sum(minute.volume for minute in minutes),
        buy_volume=sum(minute.buy_volume for minute in minutes),
        trades=sum(minute.trades for minute in minutes),
        closed=True,
    )


@dataclass
class RecordingSink:
    """Satisfies `core.ports.market.MarketSink`."""

    trades: list[TradeTick] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    books: list[Book] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    statuses: list[tuple[str, FeedStatus, str]] = field(default_factory=list)
    gaps: list[tuple[str, int, int]] = field(default_factory=list)

    def on_trade(self, tick: TradeTick) -> None:
        """Write it down."""
        self.trades.append(tick)

    def on_quote(self, quote: Quote) -> None:
        """Write it down."""
        self.quotes.append(quote)

    def on_book(self, book: Book) -> None:
        """Write it down."""
        self.books.append(book)

    def on_bar(self, bar: Bar) -> None:
        """Write it down."""
        self.bars.append(bar)

    def on_status(self, instrument: str, status: FeedStatus, detail: str) -> None:
        """Write it down."""
        self.statuses.append((instrument, status, detail))

    def on_gap(self, instrument: str, first_missing_id: int, last_missing_id: int) -> None:
        """Write it down."""
        self.gaps.append((instrument, first_missing_id, last_missing_id))
