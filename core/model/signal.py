"""A setup is a strategy's opinion; a signal is that opinion sized, priced and journalled."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.instrument import Venue
from core.model.market import Timeframe
from core.model.values import Money, Price, Quantity


class Side(StrEnum):
    """Direction of a trade."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class SignalState(StrEnum):
    """The life of a signal (glossary); every change is a compare-and-set on its journal row."""

    OPEN = "open"
    EXECUTING = "executing"
    EXECUTED = "executed"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    DRIFTED = "drifted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class SignalKind(StrEnum):
    """Where a signal comes from; practice signals never enter statistics."""

    STRATEGY = "strategy"
    ANALYSIS = "analysis"
    PRACTICE = "practice"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLevel:
    """A price and the venue it came from (a venue's own prices are never adjusted again)."""

    price: Price
    origin: Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A strategy's opinion from closed bars: levels as floats, not yet an order of any kind."""

    strategy: str
    instrument: str
    timeframe: Timeframe
    side: Side
    entry: float
    stop: float
    targets: tuple[float, ...]
    confidence: float
    reasons: tuple[str, ...]
    bar_close: datetime

    @property
    def key(self) -> str:
        """Unique key: a restart or a second worker cannot repeat the same opinion."""
        stamp = self.bar_close.strftime("%Y%m%dT%H%M%SZ")
        return f"{self.strategy}|{self.instrument}|{self.timeframe}|{stamp}|{self.side}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSetup:
    """No trade, and why: a refusal is an answer."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFacts:
    """What a signal is; none of it ever changes."""

    key: str
    kind: SignalKind
    strategy: str
    instrument: str
    timeframe: Timeframe
    side: Side
    entry: PriceLevel
    stop: PriceLevel
    targets: tuple[PriceLevel, ...]
    quantity: Quantity
    risk: Money
    """Loss at the stop for `quantity`, before costs."""
    risk_asked: Money
    """What the risk percentage would have allowed; larger than `risk` where the lot cap binds."""
    confidence: float
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    drift_limit: Decimal
    """Largest allowed |live price - entry| at the tap, in price."""
    created_at: datetime
    created_market_at: datetime
    expires_at: datetime
    """Wall time."""

    @property
    def stop_distance(self) -> Decimal:
        """|entry - stop| in price: 1R."""
        return abs(self.entry.price.value - self.stop.price.value)

    @property
    def reward_risk(self) -> Decimal | None:
        """Distance to the first target over distance to the stop."""
        if not self.targets or self.stop_distance == 0:
            return None
        return abs(self.targets[0].price.value - self.entry.price.value) / self.stop_distance


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignal(SignalFacts):
    """A signal before the journal has given it an id."""

    replaces: int | None = None
    """The drifted signal whose card this one takes over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(SignalFacts):
    """A signal in the journal, with the state its row has now."""

    id: int
    state: SignalState
    rev: int
    """Goes up with every change; buttons carry it, so old buttons die."""
    state_reason: str | None = None
    acted_by: int | None = None
    acted_at: datetime | None = None
