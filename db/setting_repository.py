"""Small values changed at run time."""

from datetime import datetime

from core.ports.journal import AuditEntry
from db.columns import micros
from db.database import Database
from db.journal_repo import append_audit


class SettingRepository:
    """Satisfies `core.ports.journal.SettingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """A value, or None."""
        row = await self._database.fetch_one("SELECT value FROM settings WHERE name = ?", (name,))
        return None if row is None else str(row["value"])

    async def put(self, name: str, value: str, at: datetime) -> None:
        """Store a value."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE
                SET value = excluded.value, updated_at = excluded.updated_at
                """,
                (name, value, micros(at)),
            )
            await append_audit(
                transaction,
                AuditEntry(at=at, kind="setting.changed", subject=f"setting:{name}", detail=value),
            )
