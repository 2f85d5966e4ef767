"""Market data as it crosses layers: ticks, quotes, books and bars (floats: analytics only)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.clock import EPOCH, from_millis

BookLevels = tuple[tuple[float, float], ...]
"""(price, size) pairs, best first."""


class Timeframe(StrEnum):
    """Bar lengths."""

    M1 = "M1"
    M5 = "M5"
    M15 = "M15"
    M30 = "M30"
    H1 = "H1"
    H4 = "H4"
    D1 = "D1"

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return _SECONDS[self]

    def open_time(self, moment: datetime) -> datetime:
        """The UTC open of the bar that contains `moment`."""
        seconds = (moment - EPOCH) // timedelta(seconds=self.seconds) * self.seconds
        return EPOCH + timedelta(seconds=seconds)


_SECONDS = {
    Timeframe.M1: 60,
    Timeframe.M5: 300,
    Timeframe.M15: 900,
    Timeframe.M30: 1800,
    Timeframe.H1: 3600,
    Timeframe.H4: 14400,
    Timeframe.D1: 86400,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeTick:
    """One aggregated trade. `buyer_maker` True means the aggressor SOLD."""

    instrument: str
    trade_id: int
    price: float
    size: float
    buyer_maker: bool
    event_ms: int
    received: float
    """Market-clock monotonic seconds at receipt."""

    @property
    def event_time(self) -> datetime:
        """Venue time of the trade."""
        return from_millis(self.event_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask. `event_ms` is None where the venue sends no time (bookTicker, depth20)."""

    instrument: str
    bid: float
    ask: float
    event_ms: int | None
    received: float

    @property
    def mid(self) -> float:
        """Half-way between bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> float:
        """Ask minus bid."""
        return self.ask - self.bid


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A depth snapshot: up to 20 levels a side, best first."""

    instrument: str
    bids: BookLevels
    asks: BookLevels
    update_id: int
    received: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One OHLCV bar. Indicators and strategies see closed bars only."""

    instrument: str
    timeframe: Timeframe
    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    buy_volume: float
    trades: int
    closed: bool

    @property
    def close_time(self) -> datetime:
        """The moment the bar ends (exclusive)."""
        return self.open_time + timedelta(seconds=self.timeframe.seconds)

    @property
    def delta(self) -> float:
        """Aggressive buy volume minus aggressive sell volume."""
        return 2 * self.buy_volume - self.volume
