"""Ports to market data: the stream, the history, and who hears the ticks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Bar, Book, Quote, Timeframe, TradeTick


class MarketSink(Protocol):
    """Hears market data synchronously, in order, once per frame; must return in microseconds."""

    def on_trade(self, tick: TradeTick) -> None:
        """A trade happened."""
        ...

    def on_quote(self, quote: Quote) -> None:
        """Best bid/ask changed."""
        ...

    def on_book(self, book: Book) -> None:
        """A new depth snapshot."""
        ...

    def on_bar(self, bar: Bar) -> None:
        """An M1 bar was updated or closed (`bar.closed`)."""
        ...

    def on_status(self, instrument: str, status: FeedStatus, detail: str) -> None:
        """The feed of one instrument changed its status."""
        ...

    def on_gap(self, instrument: str, first_missing_id: int, last_missing_id: int) -> None:
        """Trade ids in this closed range were not seen."""
        ...


class MarketStream(Protocol):
    """A live stream; reconnection is the adapter's business."""

    async def run(self, instruments: Sequence[Instrument], sink: MarketSink) -> None:
        """Deliver to `sink` until cancelled."""
        ...


class MarketHistory(Protocol):
    """Closed bars from before."""

    async def bars(
        self, instrument: Instrument, timeframe: Timeframe, *, limit: int, end: datetime | None
    ) -> tuple[Bar, ...]:
        """Up to `limit` closed bars that end at or before `end` (None: now), oldest first.

        Raises FeedError when the venue does not answer usefully.
        """
        ...
