"""Orders: the committed intent, what risk approved, and what the venue answered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.signal import Side
from core.model.values import Money, Price, Quantity


class IntentState(StrEnum):
    """The life of an order intent. UNKNOWN is resolved by asking the venue, never by re-sending."""

    COMMITTED = "committed"
    FILLED = "filled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABSENT = "absent"


class IntentLeg(StrEnum):
    """Whether an intent opens or closes risk."""

    ENTRY = "entry"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """What we are about to ask the venue for; committed before any order bytes leave."""

    id: str
    """Client id, a pure function of (signal, leg, attempt); the venue's record carries it."""
    leg: IntentLeg
    signal_id: int
    position_id: int | None
    """Journal id of the position a CLOSE leg closes."""
    instrument: str
    side: Side
    quantity: Quantity
    stop: Price | None
    """Never None on an ENTRY leg."""
    target: Price | None
    reference: Price
    """The live mid the checks were made against."""
    created_at: datetime
    created_market_at: datetime
    state: IntentState = IntentState.COMMITTED


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskApproved:
    """Only `core.execution.order_funnel` makes one; `Broker.submit` accepts nothing else."""

    intent: OrderIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Our own no (the venue never heard of it): machine code, human sentence, what to do."""

    code: str
    text: str
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """The venue filled the order (a market order: at once, in full)."""

    intent_id: str
    venue_order_id: str
    venue_position_id: str
    deal_id: str
    price: Price
    quantity: Quantity
    commission: Money
    filled_at: datetime
    """Market time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    """The venue said no; repeating would only repeat the answer."""

    intent_id: str
    code: str
    text: str
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnknown:
    """Sent, perhaps accepted, no trustworthy answer. Never re-sent; resolved by asking."""

    intent_id: str
    text: str


SubmitOutcome = OrderFilled | OrderRejected | OrderUnknown
