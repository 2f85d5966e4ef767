"""Rows of intents, positions and deals and the values they stand for."""

from core.model.order import IntentLeg, IntentState, OrderFilled, OrderIntent
from core.model.position import CloseReason, NewPosition, Position, PositionState, VenueDeal
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from db.columns import (
    maybe_moment,
    maybe_money,
    maybe_price,
    micros,
    moment_of,
    price_text,
)
from db.database import Row, SqlValue


def intent_values(intent: OrderIntent) -> dict[str, SqlValue]:
    """The columns of an intent."""
    return {
        "id": intent.id,
        "leg": intent.leg.value,
        "signal_id": intent.signal_id,
        "position_id": intent.position_id,
        "instrument": intent.instrument,
        "side": intent.side.value,
        "quantity": str(intent.quantity),
        "stop": price_text(intent.stop),
        "target": price_text(intent.target),
        "reference": str(intent.reference),
        "created_at": micros(intent.created_at),
        "created_market_at": micros(intent.created_market_at),
        "state": intent.state.value,
    }


def intent_of(row: Row) -> OrderIntent:
    """The intent a row stands for."""
    return OrderIntent(
        id=row["id"],
        leg=IntentLeg(row["leg"]),
        signal_id=row["signal_id"],
        position_id=row["position_id"],
        instrument=row["instrument"],
        side=Side(row["side"]),
        quantity=Quantity.of(row["quantity"]),
        stop=maybe_price(row["stop"]),
        target=maybe_price(row["target"]),
        reference=Price.of(row["reference"]),
        created_at=moment_of(row["created_at"]),
        created_market_at=moment_of(row["created_market_at"]),
        state=IntentState(row["state"]),
    )


def position_values(new: NewPosition) -> dict[str, SqlValue]:
    """The columns of a new position: state open, rev 1, initial stop frozen."""
    return {
        "signal_id": new.signal_id,
        "intent_id": new.intent_id,
        "venue_position_id": new.venue_position_id,
        "instrument": new.instrument,
        "side": new.side.value,
        "quantity": str(new.quantity),
        "entry": str(new.entry),
        "stop": str(new.stop),
        "stop_initial": str(new.stop),
        "target": price_text(new.target),
        "risk_cents": new.risk.cents,
        "opened_at": micros(new.opened_at),
        "opened_market_at": micros(new.opened_market_at),
        "practice": int(new.practice),
        "state": PositionState.OPEN.value,
        "rev": 1,
    }


def position_of(row: Row) -> Position:
    """The position a row stands for."""
    reason = row["close_reason"]
    return Position(
        id=row["id"],
        signal_id=row["signal_id"],
        intent_id=row["intent_id"],
        venue_position_id=row["venue_position_id"],
        instrument=row["instrument"],
        side=Side(row["side"]),
        quantity=Quantity.of(row["quantity"]),
        entry=Price.of(row["entry"]),
        stop=Price.of(row["stop"]),
        stop_initial=Price.of(row["stop_initial"]),
        target=maybe_price(row["target"]),
        risk=Money.of_cents(row["risk_cents"]),
        opened_at=moment_of(row["opened_at"]),
        opened_market_at=moment_of(row["opened_market_at"]),
        practice=bool(row["practice"]),
        state=PositionState(row["state"]),
        rev=row["rev"],
        close_price=maybe_price(row["close_price"]),
        close_reason=None if reason is None else CloseReason(reason),
        profit=maybe_money(row["profit_cents"]),
        closed_at=maybe_moment(row["closed_at"]),
        closed_market_at=maybe_moment(row["closed_market_at"]),
    )


def fill_values(fill: OrderFilled, position_id: int) -> dict[str, SqlValue]:
    """The columns of an entry's fill."""
    return {
        "deal_id": fill.deal_id,
        "intent_id": fill.intent_id,
        "position_id": position_id,
        "price": str(fill.price),
        "quantity": str(fill.quantity),
        "commission_cents": fill.commission.cents,
        "filled_at": micros(fill.filled_at),
    }


def deal_values(deal: VenueDeal) -> dict[str, SqlValue]:
    """The columns of a venue deal that the deal itself knows."""
    return {
        "venue_deal_id": deal.id,
        "order_id": deal.order_id,
        "venue_position_id": deal.position_id,
        "client_id": deal.client_id,
        "instrument": deal.instrument,
        "side": deal.side.value,
        "entry": deal.entry.value,
        "reason": None if deal.reason is None else deal.reason.value,
        "quantity": str(deal.quantity),
        "price": str(deal.price),
        "profit_cents": deal.profit.cents,
        "commission_cents": deal.commission.cents,
        "swap_cents": deal.swap.cents,
        "time": micros(deal.time),
    }
