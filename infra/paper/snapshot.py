"""The venue's own record as JSON: strings for decimals, ISO times."""

from core.model.position import AccountState, VenueDeal, VenuePosition
from core.model.values import Money, Price
from infra.paper.ledger import Ledger
from infra.paper.model import PaperOrder

JsonRow = dict[str, str | int | bool | None]


def snapshot_of(
    ledger: Ledger, account: AccountState, positions: tuple[VenuePosition, ...]
) -> dict[str, JsonRow | list[JsonRow]]:
    """`account`, `orders` and `deals` (the last 1,000, oldest first), open `positions`."""
    return {
        "account": _account(account, ledger.starting_balance),
        "orders": [_order(order) for order in ledger.orders],
        "positions": [_position(position) for position in positions],
        "deals": [_deal(deal) for deal in ledger.deals],
    }


def _account(account: AccountState, starting: Money) -> JsonRow:
    return {
        "number": account.number,
        "venue": account.venue,
        "currency": account.currency,
        "starting_balance": str(starting),
        "balance": str(account.balance),
        "equity": str(account.equity),
        "margin": str(account.margin),
        "margin_free": str(account.margin_free),
        "leverage": account.leverage,
        "real_money": account.real_money,
    }


def _order(order: PaperOrder) -> JsonRow:
    return {
        "id": str(order.id),
        "client_id": order.client_id,
        "kind": order.kind.value,
        "instrument": order.instrument,
        "side": order.side.value,
        "quantity": str(order.quantity),
        "price": _text(order.price),
        "stop": _text(order.stop),
        "target": _text(order.target),
        "state": order.state.value,
        "code": order.code,
        "text": order.text,
        "position_id": None if order.position_id is None else str(order.position_id),
        "time": order.created_at.isoformat(),
    }


def _position(position: VenuePosition) -> JsonRow:
    return {
        "id": position.id,
        "client_id": position.client_id,
        "instrument": position.instrument,
        "side": position.side.value,
        "quantity": str(position.quantity),
        "price": str(position.entry),
        "stop": _text(position.stop),
        "target": _text(position.target),
        "state": "open",
        "profit": str(position.profit),
        "time": position.opened_at.isoformat(),
    }


def _deal(deal: VenueDeal) -> JsonRow:
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
        "profit": str(deal.profit),
        "commission": str(deal.commission),
        "swap": str(deal.swap),
        "time": deal.time.isoformat(),
    }


def _text(price: Price | None) -> str | None:
    return None if price is None else str(price)
