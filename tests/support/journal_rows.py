"""Builders of what the journal stores."""

from datetime import datetime, timedelta
from typing import Any

from core.model.instrument import Venue
from core.model.market import Timeframe
from core.model.notice import Notice, NoticePriority, NoticeTopic
from core.model.order import IntentLeg, OrderFilled, OrderIntent
from core.model.position import CloseReason, DealEntry, NewPosition, Position, VenueDeal
from core.model.signal import NewSignal, PriceLevel, Side, SignalKind
from core.model.values import Money, Price, Quantity
from tests.support.clock import START


def level(price: str) -> PriceLevel:
    """A price of the sandbox."""
    return PriceLevel(price=Price.of(price), origin=Venue.SANDBOX)


def new_signal(**changes: Any) -> NewSignal:
    """A BTCUSD buy, valid for 15 minutes from START."""
    facts: dict[str, Any] = {
        "key": "range_break|BTCUSD|M15|20260303T130000Z|buy",
        "kind": SignalKind.STRATEGY,
        "strategy": "range_break",
        "instrument": "BTCUSD",
        "timeframe": Timeframe.M15,
        "side": Side.BUY,
        "entry": level("65000.10"),
        "stop": level("64800.00"),
        "targets": (level("65300.00"), level("65600.00")),
        "quantity": Quantity.of("0.02"),
        "risk": Money.of("4.00"),
        "risk_asked": Money.of("75.00"),
        "confidence": 0.7,
        "reasons": ("Zażółć 🧪 break", "volume"),
        "warnings": (),
        "drift_limit": Money.of("50.03").amount,
        "created_at": START,
        "created_market_at": START - timedelta(days=30),
        "expires_at": START + timedelta(minutes=15),
    }
    return NewSignal(**{**facts, **changes})


def entry_intent(signal_id: int, attempt: int = 1) -> OrderIntent:
    """The committed entry of a signal."""
    return OrderIntent(
        id=f"td{signal_id}-entry-{attempt}",
        leg=IntentLeg.ENTRY,
        signal_id=signal_id,
        position_id=None,
        instrument="BTCUSD",
        side=Side.BUY,
        quantity=Quantity.of("0.02"),
        stop=Price.of("64800.00"),
        target=Price.of("65300.00"),
        reference=Price.of("65000.00"),
        created_at=START,
        created_market_at=START,
    )


def close_intent(position: Position) -> OrderIntent:
    """The committed close of a position."""
    return OrderIntent(
        id=f"td{position.signal_id}-close-{position.rev}",
        leg=IntentLeg.CLOSE,
        signal_id=position.signal_id,
        position_id=position.id,
        instrument=position.instrument,
        side=position.side.opposite,
        quantity=position.quantity,
        stop=None,
        target=None,
        reference=position.entry,
        created_at=START,
        created_market_at=START,
    )


def fill_of(intent: OrderIntent, deal_id: int = 1) -> OrderFilled:
    """The venue's yes; its position id is 'p' + the intent's id."""
    return OrderFilled(
        intent_id=intent.id,
        venue_order_id=f"o{deal_id}",
        venue_position_id=f"p{intent.id}",
        deal_id=str(deal_id),
        price=Price.of("65001.00"),
        quantity=intent.quantity,
        commission=Money.of("-0.10"),
        filled_at=START,
    )


def new_position(intent: OrderIntent, at: datetime = START) -> NewPosition:
    """The position an entry's fill makes."""
    return NewPosition(
        signal_id=intent.signal_id,
        intent_id=intent.id,
        venue_position_id=f"p{intent.id}",
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        entry=Price.of("65001.00"),
        stop=Price.of("64800.00"),
        target=intent.target,
        risk=Money.of("4.02"),
        opened_at=at,
        opened_market_at=at,
        practice=False,
    )


def out_deal(position: Position, deal_id: int, **changes: Any) -> VenueDeal:
    """A stop-out of the whole position."""
    facts: dict[str, Any] = {
        "id": deal_id,
        "order_id": f"o{deal_id}",
        "position_id": position.venue_position_id,
        "client_id": position.intent_id,
        "instrument": position.instrument,
        "side": position.side.opposite,
        "entry": DealEntry.OUT,
        "reason": CloseReason.STOP,
        "quantity": position.quantity,
        "price": Price.of("64800.00"),
        "profit": Money.of("-4.02"),
        "commission": Money.of("-0.10"),
        "swap": Money.of("-0.01"),
        "time": START + timedelta(minutes=5),
    }
    return VenueDeal(**{**facts, **changes})


def notice(key: str, subject_id: int = 0, **changes: Any) -> Notice:
    """A money notice."""
    facts: dict[str, Any] = {
        "key": key,
        "topic": NoticeTopic.POSITION_OPENED,
        "subject_id": subject_id,
        "priority": NoticePriority.MONEY,
    }
    return Notice(**{**facts, **changes})
