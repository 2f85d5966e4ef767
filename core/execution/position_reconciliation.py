"""Journal against venue: at every start, every minute, and every second while an order is unknown.

One pass: read the venue, resolve lost orders, book deals, compare. Entries stay halted until a
pass has succeeded, and again as soon as one fails.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clocks
from core.errors import JournalError, VenueError
from core.execution import notices
from core.execution.deal_booker import DealBooker
from core.execution.intent_resolver import IntentResolver, VenueView
from core.model.order import IntentLeg, OrderIntent, Refusal
from core.model.position import Position, PositionState, VenuePosition
from core.model.signal import SignalState
from core.ports.broker import Broker
from core.ports.journal import OrderStore, PositionStore, SignalStore
from core.risk.trading_state import RECONCILIATION, TradingState

log = logging.getLogger(__name__)

CALM_SECONDS = 60.0
BUSY_SECONDS = 1.0
INTERRUPTED_AFTER = timedelta(seconds=15)

BREAK = Refusal(
    code="break",
    text="The journal and the venue disagree about this instrument.",
    advice="See /health; it unlocks when they agree.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationReport:
    """What one pass found; empty lists mean journal = venue."""

    resolved: tuple[str, ...]
    closed: tuple[Position, ...]
    breaks: tuple[str, ...]
    foreign: tuple[VenuePosition, ...]
    unresolved: int


class PositionReconciliation:
    """Keeps journal and venue equal and says so when they are not."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        broker: Broker,
        signals: SignalStore,
        orders: OrderStore,
        positions: PositionStore,
        resolver: IntentResolver,
        booker: DealBooker,
        state: TradingState,
    ) -> None:
        self._clocks = clocks
        self._broker = broker
        self._signals = signals
        self._orders = orders
        self._positions = positions
        self._resolver = resolver
        self._booker = booker
        self._state = state
        self._started = clocks.wall.utc_now()
        self._suspected: dict[str, str] = {}
        self._locked: set[str] = set()
        self._poked = False
        self.last: ReconciliationReport | None = None

    def poke(self) -> None:
        """Look again within a second (an order's answer was lost)."""
        self._poked = True

    async def run(self) -> None:
        """Pass after pass, for ever."""
        while True:
            report = await self.attempt()
            busy = report is None or report.unresolved or self._suspected
            await self._rest(BUSY_SECONDS if busy else CALM_SECONDS)

    async def _rest(self, seconds: float) -> None:
        end = self._clocks.wall.monotonic() + seconds
        while self._clocks.wall.monotonic() < end and not self._poked:
            await self._clocks.wall.sleep(BUSY_SECONDS)
        self._poked = False

    async def attempt(self) -> ReconciliationReport | None:
        """One pass; None (and entries halted) when the venue or the journal did not answer."""
        try:
            report = await self.run_once()
        except (VenueError, JournalError) as e:
            log.warning("reconciliation failed", extra={"why": str(e)})
            self._state.halt(RECONCILIATION, Refusal(code="not_reconciled", text=e.user_text))
            return None
        self._state.release(RECONCILIATION)
        self.last = report
        return report

    async def run_once(self) -> ReconciliationReport:
        """One pass. Raises VenueError or JournalError."""
        first = self.last is None
        unresolved = await self._orders.unresolved()
        view = VenueView(
            positions=await self._broker.positions(),
            orders=await self._broker.open_orders(),
            deals=await self._broker.deals_since(await self._positions.last_deal_id()),
        )
        resolved = await self._resolver.resolve(unresolved, view)
        resolved += await self._finish_interrupted(unresolved)
        if first:
            await self._release_interrupted_closes(unresolved)
        theirs = await self._broker.positions()
        closed = await self._booker.book()
        left = await self._orders.unresolved()
        breaks = self._lock_breaks(
            find_breaks(await self._positions.open(), theirs, {i.id for i in left}), first
        )
        return ReconciliationReport(
            resolved=resolved,
            closed=closed,
            breaks=breaks,
            foreign=tuple(p for p in view.positions if p.client_id is None),
            unresolved=len(left),
        )

    async def _finish_interrupted(self, unresolved: Sequence[OrderIntent]) -> tuple[str, ...]:
        """Signals whose tap was interrupted before any intent was committed."""
        lines = []
        now = self._clocks.wall.utc_now()
        entries = {i.signal_id for i in unresolved if i.leg is IntentLeg.ENTRY}
        for signal in await self._signals.in_state(SignalState.EXECUTING):
            if signal.id in entries or not self._interrupted(signal.acted_at, now):
                continue
            await self._signals.change(
                signal.id,
                expect=SignalState.EXECUTING,
                to=SignalState.REJECTED,
                at=now,
                reason="I was stopped before anything was sent. No money moved.",
                notices=(
                    notices.card_edit_of(signal.id, "interrupted"),
                    notices.problem(signal.id, "interrupted"),
                ),
            )
            lines.append(f"Signal #{signal.id} was interrupted before anything was sent.")
        return tuple(lines)

    async def _release_interrupted_closes(self, unresolved: Sequence[OrderIntent]) -> None:
        """At start: a close that was claimed but never committed may be asked for again."""
        closes = {i.position_id for i in unresolved if i.leg is IntentLeg.CLOSE}
        for position in await self._positions.open():
            if position.state is PositionState.CLOSING and position.id not in closes:
                await self._positions.release_close(position.id, self._clocks.wall.utc_now())

    def _interrupted(self, acted_at: datetime | None, now: datetime) -> bool:
        return acted_at is None or acted_at < self._started or now - acted_at > INTERRUPTED_AFTER

    def _lock_breaks(self, found: dict[str, str], first: bool) -> tuple[str, ...]:
        """Lock what differs in two looks in a row (at start: at once); unlock what agrees."""
        sure = {i: line for i, line in found.items() if first or i in self._suspected}
        self._suspected = found
        for instrument in self._locked - found.keys():
            self._state.unlock(instrument, BREAK)
        for instrument in sure:
            self._state.lock(instrument, BREAK)
        self._locked = (self._locked & found.keys()) | sure.keys()
        return tuple(sure.values())


def find_breaks(
    ours: Sequence[Position], theirs: Sequence[VenuePosition], in_flight: set[str]
) -> dict[str, str]:
    """Instrument -> what differs. Entries still in flight are no break."""
    at_venue = {p.id: p for p in theirs}
    known = {p.venue_position_id for p in ours}
    breaks = {
        p.instrument: line
        for p in ours
        if (line := difference(p, at_venue.get(p.venue_position_id))) is not None
    }
    for other in theirs:
        if other.client_id not in {None, *in_flight} and other.id not in known:
            breaks[other.instrument] = f"{other.instrument}: at the venue, not in the journal"
    return breaks


def difference(ours: Position, theirs: VenuePosition | None) -> str | None:
    """One line about what differs, or None."""
    if theirs is None:
        return f"{ours.instrument}: in the journal, not at the venue (no deal proves its close)"
    if theirs.quantity != ours.quantity:
        return f"{ours.instrument}: {ours.quantity} lots here, {theirs.quantity} at the venue"
    if theirs.stop is None:
        return f"{ours.instrument}: the venue holds no stop"
    if theirs.stop != ours.stop:
        return f"{ours.instrument}: stop {ours.stop} here, {theirs.stop} at the venue"
    return None
