"""Positions and the venue's deals."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from core.model.notice import Notice
from core.model.position import DealEntry, Position, VenueDeal
from core.model.values import Quantity
from core.ports.journal import AuditEntry
from db.columns import micros
from db.database import Database, SqlValue, Transaction, insert_sql
from db.journal_repo import append_audit
from db.order_repository import record_filled
from db.order_rows import deal_values, position_of
from db.outbox_repository import queue_notices
from db.settlement import POSITION, settle


class PositionRepository:
    """Satisfies `core.ports.journal.PositionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, position_id: int) -> Position | None:
        """One position."""
        row = await self._database.fetch_one(POSITION, (position_id,))
        return None if row is None else position_of(row)

    async def open(self) -> tuple[Position, ...]:
        """Positions OPEN or CLOSING, oldest first."""
        rows = await self._database.fetch_all(
            "SELECT * FROM positions WHERE state IN ('open', 'closing') ORDER BY id"
        )
        return tuple(position_of(row) for row in rows)

    async def closed(self, limit: int) -> tuple[Position, ...]:
        """Closed positions, newest first."""
        rows = await self._database.fetch_all(
            "SELECT * FROM positions WHERE state = 'closed' ORDER BY closed_at DESC, id DESC "
            "LIMIT ?",
            (limit,),
        )
        return tuple(position_of(row) for row in rows)

    async def claim_close(self, position_id: int, rev: int, at: datetime) -> Position | None:
        """OPEN -> CLOSING if rev matches; the new row, or None when this caller did not win."""
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                "UPDATE positions SET state = 'closing', rev = rev + 1 "
                "WHERE id = ? AND state = 'open' AND rev = ?",
                (position_id, rev),
            )
            if written.rows == 0:
                return None
            await _audit(transaction, position_id, "position.closing", at)
            (row,) = await transaction.fetch_all(POSITION, (position_id,))
        return position_of(row)

    async def release_close(self, position_id: int, at: datetime) -> None:
        """CLOSING -> OPEN after a refused close."""
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                "UPDATE positions SET state = 'open', rev = rev + 1 "
                "WHERE id = ? AND state = 'closing'",
                (position_id,),
            )
            if written.rows:
                await _audit(transaction, position_id, "position.close_refused", at)

    async def record_deal(
        self, deal: VenueDeal, position_id: int | None, at: datetime, notices: Sequence[Notice] = ()
    ) -> Position | None:
        """Store a deal once (by venue deal id). OUT deals of the full size close the position.

        Returns the position when this call closed it, else None. A close intent the deal names is
        FILLED. Notices of a deal of ours are queued only when it ends the position.
        """
        values: dict[str, SqlValue] = {
            **deal_values(deal),
            "position_id": position_id,
            "recorded_at": micros(at),
        }
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                insert_sql(
                    "deals",
                    values,
                    """
                    ON CONFLICT (venue_deal_id) DO UPDATE SET position_id = excluded.position_id
                    WHERE deals.position_id IS NULL AND excluded.position_id IS NOT NULL
                    """,
                ),
                values,
            )
            if written.rows == 0:
                return None
            ended = await _book(transaction, deal, position_id, at)
            if ended is not None or position_id is None:
                await queue_notices(transaction, notices, at)
        return ended

    async def last_deal_id(self) -> int:
        """Largest venue deal id stored, 0 when none."""
        rows = await self._database.fetch_all(
            "SELECT coalesce(max(venue_deal_id), 0) AS id FROM deals"
        )
        return int(rows[0]["id"])

    async def entry_deal_quantity(self, position_id: int) -> Quantity:
        """Size filled at entry."""
        rows = await self._database.fetch_all(
            "SELECT quantity FROM fills WHERE position_id = ?", (position_id,)
        )
        return Quantity.of(sum((Decimal(row["quantity"]) for row in rows), Decimal(0)))


async def _book(
    transaction: Transaction, deal: VenueDeal, position_id: int | None, at: datetime
) -> Position | None:
    if position_id is None or deal.entry is DealEntry.IN:
        return None
    closing = await transaction.fetch_one(
        "SELECT id FROM order_intents WHERE id = ? AND leg = 'close'", (deal.client_id,)
    )
    if closing is not None:
        await record_filled(transaction, closing["id"], deal.order_id, at)
    return await settle(transaction, position_id, at)


async def _audit(transaction: Transaction, position_id: int, kind: str, at: datetime) -> None:
    entry = AuditEntry(at=at, kind=kind, subject=f"position:{position_id}", detail="")
    await append_audit(transaction, entry)
