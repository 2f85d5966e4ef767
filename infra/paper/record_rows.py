"""Rows of the paper record and the values they stand for."""

import sqlite3
from datetime import datetime
from decimal import Decimal

from core.model.position import CloseReason, DealEntry, VenueDeal
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from infra.paper.model import OrderKind, OrderState, PaperOrder, PaperPosition

SqlValue = str | int | None


def order_values(order: PaperOrder) -> dict[str, SqlValue]:
    """The columns of an order."""
    return {
        "id": order.id,
        "client_id": order.client_id,
        "kind": order.kind.value,
        "instrument": order.instrument,
        "side": order.side.value,
        "quantity": str(order.quantity),
        "stop": _text(order.stop),
        "target": _text(order.target),
        "state": order.state.value,
        "created_at": order.created_at.isoformat(),
        "price": _text(order.price),
        "position_id": order.position_id,
        "code": order.code,
        "text": order.text,
    }


def order_of(row: sqlite3.Row) -> PaperOrder:
    """The order a row stands for."""
    return PaperOrder(
        id=row["id"],
        client_id=row["client_id"],
        kind=OrderKind(row["kind"]),
        instrument=row["instrument"],
        side=Side(row["side"]),
        quantity=Quantity.of(row["quantity"]),
        stop=_price(row["stop"]),
        target=_price(row["target"]),
        state=OrderState(row["state"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        price=_price(row["price"]),
        position_id=row["position_id"],
        code=row["code"],
        text=row["text"],
    )


def position_values(position: PaperPosition) -> dict[str, SqlValue]:
    """The columns of a position."""
    return {
        "id": position.id,
        "client_id": position.client_id,
        "instrument": position.instrument,
        "side": position.side.value,
        "quantity": str(position.quantity),
        "entry": str(position.entry),
        "stop": _text(position.stop),
        "target": _text(position.target),
        "rate": str(position.rate),
        "opened_at": position.opened_at.isoformat(),
        "open": int(position.quantity.value > 0),
    }


def position_of(row: sqlite3.Row) -> PaperPosition:
    """The position a row stands for."""
    return PaperPosition(
        id=row["id"],
        client_id=row["client_id"],
        instrument=row["instrument"],
        side=Side(row["side"]),
        quantity=Quantity.of(row["quantity"]),
        entry=Price.of(row["entry"]),
        stop=_price(row["stop"]),
        target=_price(row["target"]),
        rate=Decimal(row["rate"]),
        opened_at=datetime.fromisoformat(row["opened_at"]),
    )


def deal_values(deal: VenueDeal) -> dict[str, SqlValue]:
    """The columns of a deal."""
    return {
        "id": deal.id,
        "order_id": deal.order_id,
        "position_id": deal.position_id,
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
        "time": deal.time.isoformat(),
    }


def deal_of(row: sqlite3.Row) -> VenueDeal:
    """The deal a row stands for."""
    reason = row["reason"]
    return VenueDeal(
        id=row["id"],
        order_id=row["order_id"],
        position_id=row["position_id"],
        client_id=row["client_id"],
        instrument=row["instrument"],
        side=Side(row["side"]),
        entry=DealEntry(row["entry"]),
        reason=None if reason is None else CloseReason(reason),
        quantity=Quantity.of(row["quantity"]),
        price=Price.of(row["price"]),
        profit=Money.of_cents(row["profit_cents"]),
        commission=Money.of_cents(row["commission_cents"]),
        swap=Money.of_cents(row["swap_cents"]),
        time=datetime.fromisoformat(row["time"]),
    )


def _text(price: Price | None) -> str | None:
    return None if price is None else str(price)


def _price(text: str | None) -> Price | None:
    return None if text is None else Price.of(text)
