"""Order intents, what the venue answered, and the fills of entries."""

from collections.abc import Sequence
from datetime import datetime

from core.errors import JournalError
from core.model.notice import Notice
from core.model.order import IntentState, OrderFilled, OrderIntent
from core.model.position import NewPosition, Position
from core.model.signal import SignalState
from core.ports.journal import AuditEntry
from db.columns import micros
from db.database import Database, Row, Transaction, insert_sql
from db.journal_repo import append_audit
from db.order_rows import fill_values, intent_of, intent_values, position_of, position_values
from db.outbox_repository import queue_notices
from db.settlement import settle
from db.signal_repository import set_signal_state

_ONE = "SELECT * FROM order_intents WHERE id = ?"
_POSITION_OF = "SELECT * FROM positions WHERE intent_id = ?"


class OrderRepository:
    """Satisfies `core.ports.journal.OrderStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit_intent(self, intent: OrderIntent) -> None:
        """Commit an intent before its bytes leave; JournalError if the id exists already.

        Also refuses a second entry of a signal whose first one is or may be at the venue.
        """
        values = intent_values(intent)
        async with self._database.transaction() as transaction:
            if await transaction.fetch_one(_ONE, (intent.id,)) is not None:
                raise JournalError(f"The order intent {intent.id} is already in the journal.")
            await transaction.execute(insert_sql("order_intents", values), values)
            detail = f"{intent.leg} {intent.side} {intent.quantity} {intent.instrument}"
            await _audit(transaction, intent.created_at, "intent.committed", intent.id, detail)

    async def record_entry(
        self, fill: OrderFilled, position: NewPosition, at: datetime, notices: Sequence[Notice] = ()
    ) -> Position:
        """Intent FILLED, order + fill rows, position OPEN, signal EXECUTED: one transaction.

        Deals of this position that came first are booked on it at once.
        """
        async with self._database.transaction() as transaction:
            await _need(transaction, fill.intent_id)
            known = await transaction.fetch_one(_POSITION_OF, (fill.intent_id,))
            if known is not None:
                return position_of(known)
            await record_filled(transaction, fill.intent_id, fill.venue_order_id, at)
            position_id = await _open_position(transaction, fill, position, at)
            await set_signal_state(
                transaction, position.signal_id, SignalState.EXECUTED, at, reason=None
            )
            await queue_notices(transaction, notices, at, subject_id=position_id)
            await _adopt_deals(transaction, position_id, fill.venue_position_id, at)
            (row,) = await transaction.fetch_all(_POSITION_OF, (fill.intent_id,))
        return position_of(row)

    async def record_problem(
        self,
        intent_id: str,
        state: IntentState,
        signal_state: SignalState | None,
        at: datetime,
        *,
        code: str,
        text: str,
        notices: Sequence[Notice] = (),
    ) -> None:
        """Intent REJECTED/UNKNOWN/ABSENT and (for entries) the signal's state: one transaction.

        Changes nothing on an intent that is already resolved: a fill is never taken back.
        """
        async with self._database.transaction() as transaction:
            intent = await _need(transaction, intent_id)
            written = await transaction.execute(
                """
                UPDATE order_intents SET state = :state
                WHERE id = :id AND state IN ('committed', 'unknown') AND state <> :state
                """,
                {"id": intent_id, "state": state.value},
            )
            if written.rows == 0:
                return
            await _answer(transaction, intent_id, state, at, code=code, text=text)
            await _audit(transaction, at, f"order.{state}", intent_id, f"{code}: {text}")
            if signal_state is not None:
                await set_signal_state(transaction, intent["signal_id"], signal_state, at, text)
            await queue_notices(transaction, notices, at)

    async def unresolved(self) -> tuple[OrderIntent, ...]:
        """Intents COMMITTED or UNKNOWN, oldest first: the venue must be asked about each."""
        rows = await self._database.fetch_all(
            "SELECT * FROM order_intents WHERE state IN ('committed', 'unknown') ORDER BY rowid"
        )
        return tuple(intent_of(row) for row in rows)

    async def intent(self, intent_id: str) -> OrderIntent | None:
        """One intent."""
        row = await self._database.fetch_one(_ONE, (intent_id,))
        return None if row is None else intent_of(row)


async def record_filled(
    transaction: Transaction, intent_id: str, venue_order_id: str, at: datetime
) -> None:
    """The venue filled this intent, whatever was believed before."""
    written = await transaction.execute(
        "UPDATE order_intents SET state = 'filled' WHERE id = ? AND state <> 'filled'", (intent_id,)
    )
    if written.rows:
        await _answer(transaction, intent_id, IntentState.FILLED, at, order_id=venue_order_id)
        await _audit(transaction, at, "order.filled", intent_id, f"venue order {venue_order_id}")


async def _answer(
    transaction: Transaction,
    intent_id: str,
    state: IntentState,
    at: datetime,
    *,
    order_id: str | None = None,
    code: str | None = None,
    text: str | None = None,
) -> None:
    """The venue's latest answer; it replaces an earlier, weaker one (unknown, then found)."""
    await transaction.execute(
        """
        INSERT INTO orders (intent_id, venue_order_id, state, code, text, answered_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (intent_id) DO UPDATE
        SET venue_order_id = excluded.venue_order_id, state = excluded.state,
            code = excluded.code, text = excluded.text, answered_at = excluded.answered_at
        """,
        (intent_id, order_id, state.value, code, text, micros(at)),
    )


async def _open_position(
    transaction: Transaction, fill: OrderFilled, new: NewPosition, at: datetime
) -> int:
    values = position_values(new)
    position_id = (await transaction.execute(insert_sql("positions", values), values)).row_id
    filled = fill_values(fill, position_id)
    await transaction.execute(insert_sql("fills", filled), filled)
    detail = f"{new.side} {new.quantity} {new.instrument} at {new.entry}, stop {new.stop}"
    entry = AuditEntry(
        at=at, kind="position.opened", subject=f"position:{position_id}", detail=detail
    )
    await append_audit(transaction, entry)
    return position_id


async def _adopt_deals(
    transaction: Transaction, position_id: int, venue_position_id: str, at: datetime
) -> None:
    """A very fast stop can be booked before its entry: those deals find their position now."""
    written = await transaction.execute(
        "UPDATE deals SET position_id = ? WHERE venue_position_id = ? AND position_id IS NULL",
        (position_id, venue_position_id),
    )
    if written.rows:
        await settle(transaction, position_id, at)


async def _need(transaction: Transaction, intent_id: str) -> Row:
    row = await transaction.fetch_one(_ONE, (intent_id,))
    if row is None:
        raise JournalError(f"The order intent {intent_id} is not in the journal.")
    return row


async def _audit(
    transaction: Transaction, at: datetime, kind: str, intent_id: str, detail: str
) -> None:
    entry = AuditEntry(at=at, kind=kind, subject=f"intent:{intent_id}", detail=detail)
    await append_audit(transaction, entry)
