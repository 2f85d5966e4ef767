"""The audit trail: one append-only line for every change of the domain's state."""

from core.ports.journal import AuditEntry
from db.columns import micros, moment_of
from db.database import Database, Row, Transaction


async def append_audit(transaction: Transaction, entry: AuditEntry) -> None:
    """Append one line inside the transaction whose change it tells."""
    await transaction.execute(
        "INSERT INTO audit (at, kind, subject, detail, user_id) VALUES (?, ?, ?, ?, ?)",
        (micros(entry.at), entry.kind, entry.subject, entry.detail, entry.user_id),
    )


class AuditRepository:
    """Satisfies `core.ports.journal.AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entry: AuditEntry) -> None:
        """Append one line."""
        async with self._database.transaction() as transaction:
            await append_audit(transaction, entry)

    async def recent(self, limit: int) -> tuple[AuditEntry, ...]:
        """Newest first."""
        rows = await self._database.fetch_all(
            "SELECT * FROM audit ORDER BY id DESC LIMIT ?", (limit,)
        )
        return tuple(_entry_of(row) for row in rows)


def _entry_of(row: Row) -> AuditEntry:
    return AuditEntry(
        at=moment_of(row["at"]),
        kind=row["kind"],
        subject=row["subject"],
        detail=row["detail"],
        user_id=row["user_id"],
    )
