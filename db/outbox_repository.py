"""The durable outbox: what must be told is committed together with what happened."""

from collections.abc import Sequence
from datetime import datetime

from core.model.notice import Notice, NoticePriority, NoticeTopic, OutboxItem
from db.columns import MICROSECOND, maybe_moment, micros, moment_of
from db.database import Database, Row, Transaction


async def queue_notices(
    transaction: Transaction, notices: Sequence[Notice], at: datetime, subject_id: int = 0
) -> None:
    """Add `notices` for every subscribed chat (a private chat has its user's id).

    A key that chat already has is ignored. `subject_id` replaces a subject_id of 0.
    """
    now = micros(at)
    for notice in notices:
        life = None if notice.time_to_live is None else notice.time_to_live // MICROSECOND
        await transaction.execute(
            """
            INSERT INTO outbox (chat_id, key, topic, subject_id, priority, text, time_to_live,
                                created_at, expires_at, due_at)
            SELECT user_id, :key, :topic, :subject_id, :priority, :text, :time_to_live,
                   :now, :expires_at, :now
            FROM users WHERE subscribed ORDER BY user_id
            ON CONFLICT (chat_id, key) DO NOTHING
            """,
            {
                "key": notice.key,
                "topic": notice.topic.value,
                "subject_id": notice.subject_id or subject_id,
                "priority": int(notice.priority),
                "text": notice.text,
                "time_to_live": life,
                "now": now,
                "expires_at": None if life is None else now + life,
            },
        )


class OutboxRepository:
    """Satisfies `core.ports.journal.OutboxStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def queue(self, notices: Sequence[Notice], at: datetime) -> None:
        """Add notices for every subscribed chat; a key already there is ignored."""
        async with self._database.transaction() as transaction:
            await queue_notices(transaction, notices, at)

    async def due(self, at: datetime, limit: int) -> tuple[OutboxItem, ...]:
        """Waiting items, by priority then age; expired ones are marked and left out."""
        await self._mark_expired(micros(at))
        rows = await self._database.fetch_all(
            """
            SELECT * FROM outbox
            WHERE state = 'waiting' AND due_at <= :now
              AND (expires_at IS NULL OR expires_at > :now)
            ORDER BY priority, id LIMIT :limit
            """,
            {"now": micros(at), "limit": limit},
        )
        return tuple(_item_of(row) for row in rows)

    async def sent(self, item_id: int, at: datetime, message_id: int | None) -> None:
        """The chat has it."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                UPDATE outbox SET state = 'sent', message_id = ?, ended_at = ?,
                                  attempts = attempts + 1
                WHERE id = ? AND state = 'waiting'
                """,
                (message_id, micros(at), item_id),
            )

    async def postpone(self, item_id: int, until: datetime, error: str) -> None:
        """Try again at `until`."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                UPDATE outbox SET due_at = ?, error = ?, attempts = attempts + 1
                WHERE id = ? AND state = 'waiting'
                """,
                (micros(until), error, item_id),
            )

    async def fail(self, item_id: int, at: datetime, error: str) -> None:
        """Give up on this item; it stays in the table with its error."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                UPDATE outbox SET state = 'failed', error = ?, ended_at = ?,
                                  attempts = attempts + 1
                WHERE id = ? AND state = 'waiting'
                """,
                (error, micros(at), item_id),
            )

    async def waiting(self) -> int:
        """How many items wait."""
        rows = await self._database.fetch_all(
            "SELECT count(*) AS n FROM outbox WHERE state = 'waiting'"
        )
        return int(rows[0]["n"])

    async def _mark_expired(self, now: int) -> None:
        """Looks with the reader first, so that polling an idle outbox writes nothing."""
        late = "state = 'waiting' AND expires_at <= ?"
        if await self._database.fetch_one(f"SELECT 1 FROM outbox WHERE {late}", (now,)) is None:
            return
        async with self._database.transaction() as transaction:
            await transaction.execute(
                f"UPDATE outbox SET state = 'expired', ended_at = ? WHERE {late}", (now, now)
            )


def _item_of(row: Row) -> OutboxItem:
    life = row["time_to_live"]
    notice = Notice(
        key=row["key"],
        topic=NoticeTopic(row["topic"]),
        subject_id=row["subject_id"],
        priority=NoticePriority(row["priority"]),
        text=row["text"],
        time_to_live=None if life is None else life * MICROSECOND,
    )
    return OutboxItem(
        id=row["id"],
        chat_id=row["chat_id"],
        notice=notice,
        created_at=moment_of(row["created_at"]),
        expires_at=maybe_moment(row["expires_at"]),
        attempts=row["attempts"],
    )
