"""Signals, their taps and cards. Every change of state is a compare-and-set on the row."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.model.notice import CardPlace, Notice
from core.model.signal import NewSignal, Signal, SignalState
from core.ports.journal import AuditEntry, Claim
from db.columns import micros
from db.database import Database, Transaction, insert_sql
from db.journal_repo import append_audit
from db.outbox_repository import queue_notices
from db.signal_rows import signal_of, signal_values

_ONE = "SELECT * FROM signals WHERE id = ?"


class SignalRepository:
    """Satisfies `core.ports.journal.SignalStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewSignal, notices: Sequence[Notice] = ()) -> Signal | None:
        """Insert in state OPEN, rev 1; None when the key is already there."""
        values = signal_values(new)
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                insert_sql("signals", values, "ON CONFLICT (key) DO NOTHING"), values
            )
            if written.rows == 0:
                return None
            signal = await _fetch(transaction, written.row_id)
            if new.replaces is not None:
                await _move_cards(transaction, new.replaces, signal.id)
            told = [_named(notice, signal.id) for notice in notices]
            await queue_notices(transaction, told, new.created_at)
            await _audit(transaction, signal, new.created_at, "signal.created", new.key)
        return signal

    async def get(self, signal_id: int) -> Signal | None:
        """One signal as it is now."""
        row = await self._database.fetch_one(_ONE, (signal_id,))
        return None if row is None else signal_of(row)

    async def claim(self, signal_id: int, rev: int, user_id: int, at: datetime) -> Claim:
        """OPEN -> EXECUTING if rev matches and `at` < expires_at; records the tap either way."""
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                """
                UPDATE signals SET state = 'executing', rev = rev + 1, state_reason = NULL,
                                   acted_by = :user_id, acted_at = :at
                WHERE id = :id AND state = 'open' AND rev = :rev AND expires_at > :at
                """,
                {"id": signal_id, "rev": rev, "user_id": user_id, "at": micros(at)},
            )
            won = written.rows == 1
            await transaction.execute(
                "INSERT INTO taps (signal_id, rev, user_id, at, won) VALUES (?, ?, ?, ?, ?)",
                (signal_id, rev, user_id, micros(at), int(won)),
            )
            return await _claim(transaction, signal_id, won, at, user_id)

    async def change(
        self,
        signal_id: int,
        *,
        expect: SignalState,
        to: SignalState,
        at: datetime,
        rev: int | None = None,
        user_id: int | None = None,
        reason: str | None = None,
        notices: Sequence[Notice] = (),
    ) -> Claim:
        """Compare-and-set of the state (and of `rev` when given); rev goes up by one."""
        async with self._database.transaction() as transaction:
            written = await transaction.execute(
                """
                UPDATE signals SET state = :to, rev = rev + 1, state_reason = :reason,
                    acted_by = coalesce(:user_id, acted_by),
                    acted_at = CASE WHEN :user_id IS NULL THEN acted_at ELSE :at END
                WHERE id = :id AND state = :expect AND (:rev IS NULL OR rev = :rev)
                """,
                {
                    "id": signal_id,
                    "expect": expect.value,
                    "to": to.value,
                    "rev": rev,
                    "user_id": user_id,
                    "at": micros(at),
                    "reason": reason,
                },
            )
            won = written.rows == 1
            if won:
                await queue_notices(transaction, notices, at)
            return await _claim(transaction, signal_id, won, at, user_id)

    async def in_state(self, *states: SignalState) -> tuple[Signal, ...]:
        """All signals in these states, oldest first."""
        marks = ", ".join("?" for _ in states)
        rows = await self._database.fetch_all(
            f"SELECT * FROM signals WHERE state IN ({marks}) ORDER BY id",
            [state.value for state in states],
        )
        return tuple(signal_of(row) for row in rows)

    async def recent(self, limit: int) -> tuple[Signal, ...]:
        """The latest signals, newest first."""
        rows = await self._database.fetch_all(
            "SELECT * FROM signals ORDER BY id DESC LIMIT ?", (limit,)
        )
        return tuple(signal_of(row) for row in rows)

    async def save_card(self, place: CardPlace) -> None:
        """Remember where a card stands (idempotent)."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                """
                INSERT INTO cards (signal_id, chat_id, message_id, has_photo) VALUES (?, ?, ?, ?)
                ON CONFLICT (signal_id, chat_id) DO UPDATE
                SET message_id = excluded.message_id, has_photo = excluded.has_photo
                """,
                (place.signal_id, place.chat_id, place.message_id, int(place.has_photo)),
            )

    async def cards(self, signal_id: int) -> tuple[CardPlace, ...]:
        """Where a signal's cards stand."""
        rows = await self._database.fetch_all(
            "SELECT * FROM cards WHERE signal_id = ? ORDER BY chat_id", (signal_id,)
        )
        return tuple(
            CardPlace(
                signal_id=row["signal_id"],
                chat_id=row["chat_id"],
                message_id=row["message_id"],
                has_photo=bool(row["has_photo"]),
            )
            for row in rows
        )


async def set_signal_state(
    transaction: Transaction, signal_id: int, to: SignalState, at: datetime, reason: str | None
) -> None:
    """Follow what happened to the signal's order, from whatever state it is in."""
    written = await transaction.execute(
        "UPDATE signals SET state = ?, rev = rev + 1, state_reason = ? WHERE id = ? AND state <> ?",
        (to.value, reason, signal_id, to.value),
    )
    if written.rows:
        signal = await _fetch(transaction, signal_id)
        await _audit(transaction, signal, at, f"signal.{to}", reason or "")


async def _fetch(transaction: Transaction, signal_id: int) -> Signal:
    (row,) = await transaction.fetch_all(_ONE, (signal_id,))
    return signal_of(row)


async def _claim(
    transaction: Transaction, signal_id: int, won: bool, at: datetime, user_id: int | None
) -> Claim:
    """The answer of a compare-and-set, with the audit line of a won one."""
    row = await transaction.fetch_one(_ONE, (signal_id,))
    signal = None if row is None else signal_of(row)
    if won and signal is not None:
        kind = f"signal.{signal.state}"
        await _audit(transaction, signal, at, kind, signal.state_reason or "", user_id)
    return Claim(won=won, signal=signal)


async def _audit(
    transaction: Transaction,
    signal: Signal,
    at: datetime,
    kind: str,
    detail: str,
    user_id: int | None = None,
) -> None:
    subject = f"signal:{signal.id}"
    entry = AuditEntry(at=at, kind=kind, subject=subject, detail=detail, user_id=user_id)
    await append_audit(transaction, entry)


async def _move_cards(transaction: Transaction, old_id: int, new_id: int) -> None:
    await transaction.execute(
        "UPDATE cards SET signal_id = ? WHERE signal_id = ?", (new_id, old_id)
    )


def _named(notice: Notice, signal_id: int) -> Notice:
    """A notice about a signal that had no id yet, now with its id."""
    if notice.subject_id != 0:
        return notice
    return replace(notice, key=f"{notice.key}:{signal_id}", subject_id=signal_id)
