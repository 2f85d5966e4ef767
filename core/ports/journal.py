"""Ports to the journal. Every method is one transaction; it has happened when the call returns.

All raise JournalError when the journal cannot be used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.model.notice import CardPlace, Notice, OutboxItem
from core.model.order import IntentState, OrderFilled, OrderIntent
from core.model.pairing import PairingOffer, PairingResult, PairingTry
from core.model.people import Person, Role
from core.model.position import NewPosition, Position, VenueDeal
from core.model.signal import NewSignal, Signal, SignalState
from core.model.values import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Answer of a compare-and-set: did this caller change the row, and what the row is now."""

    won: bool
    signal: Signal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit trail."""

    at: datetime
    kind: str
    subject: str
    detail: str
    user_id: int | None = None


class SignalStore(Protocol):
    """Signals and their cards."""

    async def add(self, new: NewSignal, notices: Sequence[Notice] = ()) -> Signal | None:
        """Insert in state OPEN, rev 1; None when the key is already there (nothing is written).

        Notices whose subject_id is 0 get the new signal's id (and it is appended to their key).
        With `new.replaces`, that signal's cards move to the new one in the same transaction.
        """
        ...

    async def get(self, signal_id: int) -> Signal | None:
        """One signal as it is now."""
        ...

    async def claim(self, signal_id: int, rev: int, user_id: int, at: datetime) -> Claim:
        """OPEN -> EXECUTING if rev matches and `at` < expires_at; records the tap either way."""
        ...

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
        ...

    async def in_state(self, *states: SignalState) -> tuple[Signal, ...]:
        """All signals in these states, oldest first."""
        ...

    async def recent(self, limit: int) -> tuple[Signal, ...]:
        """The latest signals, newest first."""
        ...

    async def save_card(self, place: CardPlace) -> None:
        """Remember where a card stands (idempotent)."""
        ...

    async def cards(self, signal_id: int) -> tuple[CardPlace, ...]:
        """Where a signal's cards stand."""
        ...


class OrderStore(Protocol):
    """Order intents, outcomes, fills."""

    async def commit_intent(self, intent: OrderIntent) -> None:
        """Commit an intent before its bytes leave; JournalError if the id exists already."""
        ...

    async def record_entry(
        self, fill: OrderFilled, position: NewPosition, at: datetime, notices: Sequence[Notice] = ()
    ) -> Position:
        """Intent FILLED, order + fill rows, position OPEN, signal EXECUTED: one transaction.

        Notices with subject_id 0 get the new position's id. Idempotent on the intent id.
        """
        ...

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
        """Intent REJECTED/UNKNOWN/ABSENT and (for entries) the signal's state: one transaction."""
        ...

    async def unresolved(self) -> tuple[OrderIntent, ...]:
        """Intents COMMITTED or UNKNOWN, oldest first: the venue must be asked about each."""
        ...

    async def intent(self, intent_id: str) -> OrderIntent | None:
        """One intent."""
        ...


class PositionStore(Protocol):
    """Positions and venue deals."""

    async def get(self, position_id: int) -> Position | None:
        """One position."""
        ...

    async def open(self) -> tuple[Position, ...]:
        """Positions OPEN or CLOSING, oldest first."""
        ...

    async def closed(self, limit: int) -> tuple[Position, ...]:
        """Closed positions, newest first."""
        ...

    async def claim_close(self, position_id: int, rev: int, at: datetime) -> Position | None:
        """OPEN -> CLOSING if rev matches; the new row, or None when this caller did not win."""
        ...

    async def release_close(self, position_id: int, at: datetime) -> None:
        """CLOSING -> OPEN after a refused close."""
        ...

    async def record_deal(
        self, deal: VenueDeal, position_id: int | None, at: datetime, notices: Sequence[Notice] = ()
    ) -> Position | None:
        """Store a deal once (by venue deal id). An OUT deal of the full size closes the position.

        Returns the position when this call closed it, else None.
        """
        ...

    async def last_deal_id(self) -> int:
        """Largest venue deal id stored, 0 when none."""
        ...

    async def entry_deal_quantity(self, position_id: int) -> Quantity:
        """Size filled at entry."""
        ...


class OutboxStore(Protocol):
    """The durable outbox."""

    async def queue(self, notices: Sequence[Notice], at: datetime) -> None:
        """Add notices for every subscribed chat; a key already there is ignored."""
        ...

    async def due(self, at: datetime, limit: int) -> tuple[OutboxItem, ...]:
        """Waiting items, by priority then age; expired ones are marked and left out."""
        ...

    async def sent(self, item_id: int, at: datetime, message_id: int | None) -> None:
        """The chat has it."""
        ...

    async def postpone(self, item_id: int, until: datetime, error: str) -> None:
        """Try again at `until`."""
        ...

    async def fail(self, item_id: int, at: datetime, error: str) -> None:
        """Give up on this item; it stays in the table with its error."""
        ...

    async def waiting(self) -> int:
        """How many items wait."""
        ...


class UserStore(Protocol):
    """Listed people."""

    async def get(self, user_id: int) -> Person | None:
        """A listed person, or None."""
        ...

    async def all(self) -> tuple[Person, ...]:
        """Everyone listed."""
        ...

    async def save(self, user_id: int, role: Role, name: str, at: datetime) -> Person:
        """List a person (or change their role); new people are subscribed unless viewers."""
        ...

    async def subscribe(self, user_id: int, on: bool) -> None:
        """Pushes on or off."""
        ...


class SettingStore(Protocol):
    """Small values changed at run time."""

    async def get(self, name: str) -> str | None:
        """A value, or None."""
        ...

    async def put(self, name: str, value: str, at: datetime) -> None:
        """Store a value."""
        ...


class AuditLog(Protocol):
    """Append-only trail of domain events."""

    async def write(self, entry: AuditEntry) -> None:
        """Append one line."""
        ...

    async def recent(self, limit: int) -> tuple[AuditEntry, ...]:
        """Newest first."""
        ...


class PairingStore(Protocol):
    """The code with which the first owner pairs; only its hash is ever stored."""

    async def offer(self, offer: PairingOffer) -> bool:
        """Make this the only code that pairs; False (nothing written) when there is an owner."""
        ...

    async def claim(self, tried: PairingTry) -> PairingResult:
        """Judge a try and, when it pairs, list the person as owner: one transaction, one winner."""
        ...
