"""What an analysis reads from: narrow views of the price cache, the tape and the rules."""

from collections.abc import Sequence
from typing import Protocol

from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Bar, Book, Quote, Timeframe
from core.model.signal import NoSetup, Setup


class TapeSlice(Protocol):
    """Sums over one window of trades; volumes in base units."""

    @property
    def trades(self) -> int:
        """How many trades."""
        ...

    @property
    def buy(self) -> float:
        """Volume of aggressive buyers."""
        ...

    @property
    def sell(self) -> float:
        """Volume of aggressive sellers."""
        ...

    @property
    def gap(self) -> bool:
        """Trades are missing inside the window, or the tape does not reach back so far."""
        ...


class Tape(Protocol):
    """The recent trades of one instrument."""

    def window(self, seconds: int, now_ms: int) -> TapeSlice:
        """The trades of the last `seconds` before `now_ms` (milliseconds since 1970)."""
        ...


class FeedState(Protocol):
    """How one instrument's feed is doing."""

    @property
    def status(self) -> FeedStatus:
        """Its state."""
        ...


class MarketView(Protocol):
    """The latest of everything known about an instrument; None where nothing is known."""

    def quote(self, symbol: str) -> Quote | None:
        """Best bid and ask."""
        ...

    def book(self, symbol: str) -> Book | None:
        """The latest depth snapshot."""
        ...

    def price_age(self, symbol: str) -> float | None:
        """Age of the quote in market seconds: the worse of event age and receive age."""
        ...

    def bars(self, symbol: str, timeframe: Timeframe, count: int | None = None) -> tuple[Bar, ...]:
        """The last `count` closed bars, oldest first."""
        ...

    def forming(self, symbol: str, timeframe: Timeframe) -> Bar | None:
        """The bar that has not closed yet."""
        ...

    def feed(self, symbol: str) -> FeedState:
        """State of the instrument's feed."""
        ...

    def tape(self, symbol: str) -> Tape | None:
        """Recent trades; None where the instrument has no trade feed."""
        ...


class SetupRule(Protocol):
    """The part of a strategy that forms an opinion."""

    def evaluate(
        self, instrument: Instrument, timeframe: Timeframe, bars: Sequence[Bar]
    ) -> Setup | NoSetup:
        """The opinion after the last of `bars` (closed, oldest first), and only from them."""
        ...
