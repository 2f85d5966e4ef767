"""A position ends when its OUT deals add up to its size; its result is what the deals say."""

from datetime import datetime
from decimal import Decimal

from core.model.position import Position
from core.model.values import Money
from core.ports.journal import AuditEntry
from db.columns import micros
from db.database import Row, Transaction
from db.journal_repo import append_audit
from db.order_rows import position_of

POSITION = "SELECT * FROM positions WHERE id = ?"


async def settle(transaction: Transaction, position_id: int, at: datetime) -> Position | None:
    """Close the position if its OUT deals cover its size; the closed position, else None."""
    (row,) = await transaction.fetch_all(POSITION, (position_id,))
    outs = await transaction.fetch_all(
        "SELECT * FROM deals WHERE position_id = ? AND entry = 'out' ORDER BY venue_deal_id",
        (position_id,),
    )
    closed = sum((Decimal(out["quantity"]) for out in outs), Decimal(0))
    if row["state"] == "closed" or not outs or closed < Decimal(row["quantity"]):
        return None
    profit = await _net_cents(transaction, position_id, outs)
    last = outs[-1]
    await transaction.execute(
        """
        UPDATE positions SET state = 'closed', rev = rev + 1, close_price = ?, close_reason = ?,
                             profit_cents = ?, closed_at = ?, closed_market_at = ?
        WHERE id = ?
        """,
        (last["price"], last["reason"], profit, micros(at), last["time"], position_id),
    )
    detail = f"{last['reason']} at {last['price']}, net {Money.of_cents(profit)}"
    await append_audit(
        transaction,
        AuditEntry(at=at, kind="position.closed", subject=f"position:{position_id}", detail=detail),
    )
    (row,) = await transaction.fetch_all(POSITION, (position_id,))
    return position_of(row)


async def _net_cents(transaction: Transaction, position_id: int, outs: list[Row]) -> int:
    """Gross of the closing deals plus all costs, the entry's commission included."""
    (entry,) = await transaction.fetch_all(
        "SELECT coalesce(sum(commission_cents), 0) AS cents FROM fills WHERE position_id = ?",
        (position_id,),
    )
    closing = sum(out["profit_cents"] + out["commission_cents"] + out["swap_cents"] for out in outs)
    return int(entry["cents"]) + int(closing)
