"""What `/analyse` tells: every number with its age and sample size, None where it is absent."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Bar, Timeframe
from core.model.signal import NoSetup, Setup


class Trend(StrEnum):
    """Direction from EMA20, EMA50 and ADX14 on closed bars."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorReading:
    """Indicators on closed bars, Wilder smoothing; None where the history is too short."""

    bars: int
    """How many closed bars were used."""
    close: float
    trend: Trend | None
    rsi: float | None
    atr: float | None
    adx: float | None
    ema_fast: float | None
    """EMA20."""
    ema_slow: float | None
    """EMA50."""
    missing: tuple[str, ...]
    """e.g. 'ADX14 needs 13 more bars'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReading:
    """Order flow of the last `seconds` of trades."""

    seconds: int
    trades: int
    buy_volume: float
    sell_volume: float
    cvd: float
    """Cumulative volume delta of the window: buys minus sells, in base units."""
    flow_ratio: float | None
    """buy/sell volume; None with fewer than 5 trades (insufficient) or without sells."""
    book_share: float | None
    """bid/(bid+ask) notional over 10 levels, 0-1; None without a fresh book."""
    proxy: bool
    """Read from a proxy symbol: a hint, not the instrument's own tape."""
    gap: bool
    """Trades are missing inside the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMissing:
    """Why there is no order-flow reading ('no feed', 'insufficient: 3 trades in 30 s')."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The full answer about one instrument and timeframe at one moment."""

    instrument: Instrument
    timeframe: Timeframe
    at: datetime
    """Market time."""
    bid: float | None
    ask: float | None
    price_age_seconds: float | None
    """The worse of event age and receive age, in market seconds."""
    feed: FeedStatus
    indicators: IndicatorReading | None
    flow: FlowReading | FlowMissing
    supports: tuple[float, ...]
    """Nearest first, below the price."""
    resistances: tuple[float, ...]
    """Nearest first, above the price."""
    setup: Setup | NoSetup
    bars: tuple[Bar, ...]
    """The last closed bars, oldest first, for the picture."""
    forming: Bar | None

    @property
    def mid(self) -> float | None:
        """Half-way between bid and ask."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2
