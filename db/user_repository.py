"""Listed people."""

from datetime import datetime

from core.clock import Clock
from core.model.people import Person, Role
from core.ports.journal import AuditEntry
from db.columns import micros, moment_of
from db.database import Database, Row
from db.journal_repo import append_audit

_ONE = "SELECT * FROM users WHERE user_id = ?"


class UserRepository:
    """Satisfies `core.ports.journal.UserStore`."""

    def __init__(self, database: Database, wall: Clock) -> None:
        self._database = database
        self._wall = wall

    async def get(self, user_id: int) -> Person | None:
        """A listed person, or None."""
        row = await self._database.fetch_one(_ONE, (user_id,))
        return None if row is None else _person_of(row)

    async def all(self) -> tuple[Person, ...]:
        """Everyone listed."""
        rows = await self._database.fetch_all("SELECT * FROM users ORDER BY added_at, user_id")
        return tuple(_person_of(row) for row in rows)

    async def save(self, user_id: int, role: Role, name: str, at: datetime) -> Person:
        """List a person (or change their role); new people are subscribed unless viewers."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                INSERT INTO users (user_id, role, name, subscribed, added_at)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (user_id) DO UPDATE SET role = excluded.role, name = excluded.name
                """,
                (user_id, role.value, name, int(role is not Role.VIEWER), micros(at)),
            )
            await append_audit(
                transaction,
                AuditEntry(at=at, kind="user.saved", subject=f"user:{user_id}", detail=role.value),
            )
            (row,) = await transaction.fetch_all(_ONE, (user_id,))
        return _person_of(row)

    async def subscribe(self, user_id: int, on: bool) -> None:
        """Pushes on or off; nothing happens for somebody not listed."""
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                "UPDATE users SET subscribed = ? WHERE user_id = ? AND subscribed <> ?",
                (int(on), user_id, int(on)),
            )
            if written.rows:
                entry = AuditEntry(
                    at=self._wall.utc_now(),
                    kind="user.subscribed" if on else "user.unsubscribed",
                    subject=f"user:{user_id}",
                    detail="",
                    user_id=user_id,
                )
                await append_audit(transaction, entry)


def _person_of(row: Row) -> Person:
    return Person(
        user_id=row["user_id"],
        role=Role(row["role"]),
        name=row["name"],
        subscribed=bool(row["subscribed"]),
        added_at=moment_of(row["added_at"]),
    )
