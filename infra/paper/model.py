"""What the paper venue keeps: its terms, orders and positions."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.position import CloseReason, VenueDeal
from core.model.signal import Side
from core.model.values import Money, Price, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTerms:
    """The account's conditions. `starting_balance` and `currency` count when it is opened."""

    starting_balance: Money
    slippage_ticks: int
    """Added against us on every market order, in ticks."""
    commission_per_lot: Money
    """Positive; charged on every deal, entry and exit alike."""
    leverage: int
    max_quote_age_seconds: float
    currency: str = "USD"


class OrderKind(StrEnum):
    """Why an order exists."""

    ENTRY = "entry"
    CLOSE = "close"
    STOP = "stop"
    TARGET = "target"


class OrderState(StrEnum):
    """Market orders are filled in full or rejected at once."""

    FILLED = "filled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """One order ever received, or made by the venue itself for a stop or target (no client id)."""

    id: int
    client_id: str | None
    kind: OrderKind
    instrument: str
    side: Side
    quantity: Quantity
    stop: Price | None
    target: Price | None
    state: OrderState
    created_at: datetime
    """Market time."""
    price: Price | None = None
    position_id: int | None = None
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPosition:
    """One position of the hedging account; a quantity of zero means closed."""

    id: int
    client_id: str
    instrument: str
    side: Side
    quantity: Quantity
    entry: Price
    stop: Price | None
    target: Price | None
    rate: Decimal
    """Account currency per unit of quote currency at entry: margin, and the last resort later."""
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What goes on record together: an order, and when it filled its deal and its position."""

    order: PaperOrder
    deal: VenueDeal | None = None
    position: PaperPosition | None = None
    """As it is after the deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A stop or target the stream has touched: decided, not yet on record."""

    position_id: int
    reason: CloseReason
    price: Price
    at: datetime
