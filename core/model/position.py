"""Positions and deals: our journal's view and the venue's own."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.signal import Side
from core.model.values import Money, Price, Quantity


class PositionState(StrEnum):
    """The life of a journalled position."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a position ended, as the venue's deal says."""

    STOP = "stop"
    TARGET = "target"
    MANUAL = "manual"
    EXIT_RULE = "exit_rule"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position in the journal. `stop_initial` and `risk` are frozen at entry: they define 1R."""

    id: int
    signal_id: int
    intent_id: str
    venue_position_id: str
    instrument: str
    side: Side
    quantity: Quantity
    entry: Price
    stop: Price
    stop_initial: Price
    target: Price | None
    risk: Money
    opened_at: datetime
    """Wall time."""
    opened_market_at: datetime
    practice: bool
    state: PositionState
    rev: int
    close_price: Price | None = None
    close_reason: CloseReason | None = None
    profit: Money | None = None
    """Net of costs; only from the venue's deals."""
    closed_at: datetime | None = None
    closed_market_at: datetime | None = None

    @property
    def result_r(self) -> Decimal | None:
        """Net profit in R (initial risk in money), when closed."""
        if self.profit is None or self.risk.amount == 0:
            return None
        return self.profit.amount / self.risk.amount

    def open_r(self, exit_price: Decimal) -> Decimal:
        """Unrealised result in R (price terms) if it were closed at `exit_price`."""
        distance = abs(self.entry.value - self.stop_initial.value)
        return (exit_price - self.entry.value) * self.side.sign / distance


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPosition:
    """A position about to be journalled."""

    signal_id: int
    intent_id: str
    venue_position_id: str
    instrument: str
    side: Side
    quantity: Quantity
    entry: Price
    stop: Price
    target: Price | None
    risk: Money
    opened_at: datetime
    opened_market_at: datetime
    practice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """A position as the venue reports it; `client_id` is our intent id, or None when foreign."""

    id: str
    client_id: str | None
    instrument: str
    side: Side
    quantity: Quantity
    entry: Price
    stop: Price | None
    target: Price | None
    opened_at: datetime
    profit: Money
    """Floating, at the current exit price."""


class DealEntry(StrEnum):
    """Whether a deal opened or closed exposure."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDeal:
    """One execution in the venue's history; `id` is unique at the venue and grows."""

    id: int
    order_id: str
    position_id: str
    client_id: str | None
    instrument: str
    side: Side
    entry: DealEntry
    reason: CloseReason | None
    """None on an IN deal."""
    quantity: Quantity
    price: Price
    profit: Money
    """Gross, zero on IN deals."""
    commission: Money
    """Negative or zero: a cost."""
    swap: Money
    time: datetime
    """Market time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """A working or finished order at the venue."""

    id: str
    client_id: str | None
    instrument: str
    side: Side
    quantity: Quantity
    state: str
    stop: Price | None
    target: Price | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The account at the venue."""

    number: str
    venue: str
    currency: str
    balance: Money
    equity: Money
    margin: Money
    margin_free: Money
    leverage: int
    real_money: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentRules:
    """The venue's own rules for one instrument."""

    tick_size: Decimal
    tick_value: Decimal
    """Account currency per tick for one lot, at the current conversion rate."""
    volume_min: Decimal
    volume_step: Decimal
    volume_max: Decimal
    stops_level: Decimal
    """Smallest allowed distance from the live price to a stop or target, in price."""
