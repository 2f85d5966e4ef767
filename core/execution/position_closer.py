"""Closes a position on request: claim, commit the intent, send, book the deal."""

from core.clock import Clocks
from core.errors import JournalError, VenueError
from core.execution.deal_booker import DealBooker
from core.execution.order_funnel import OrderFunnel
from core.ids import intent_id
from core.model.commands import ClosePosition
from core.model.order import (
    IntentLeg,
    IntentState,
    OrderIntent,
    OrderRejected,
    OrderUnknown,
    Refusal,
    SubmitOutcome,
)
from core.model.outcome import Closed, CloseNotWon, CloseOutcome, CloseRefused, CloseUnresolved
from core.model.position import Position
from core.ports.broker import Broker
from core.ports.journal import OrderStore, PositionStore
from core.ports.outside import Reached

ALREADY_CLOSED = "position_closed"
"""Venue code: a stop or another close was faster."""


class PositionCloser:
    """The [Close] button. Reduces risk only, so it also works while entries are halted."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        broker: Broker,
        orders: OrderStore,
        positions: PositionStore,
        funnel: OrderFunnel,
        booker: DealBooker,
        reached: Reached,
    ) -> None:
        self._clocks = clocks
        self._broker = broker
        self._orders = orders
        self._positions = positions
        self._funnel = funnel
        self._booker = booker
        self._reached = reached

    async def close(self, command: ClosePosition) -> CloseOutcome:
        """Close once; a second tap gets `CloseNotWon` with the truth."""
        now = self._clocks.wall.utc_now()
        position = await self._positions.claim_close(command.position_id, command.rev, now)
        if position is None:
            return CloseNotWon(position=await self._positions.get(command.position_id))
        self._reached("close.claimed")
        intent = self._intent(position)
        try:
            await self._orders.commit_intent(intent)
        except JournalError:
            await self._positions.release_close(position.id, self._clocks.wall.utc_now())
            raise
        self._reached("close.intent.committed")
        approved = self._funnel.approve_close(intent)
        try:
            outcome = await self._broker.close(approved, position.venue_position_id)
        except VenueError as e:
            outcome = OrderUnknown(intent_id=intent.id, text=str(e) or e.user_text)
        self._reached("close.answered")
        return await self._record(position, outcome)

    def _intent(self, position: Position) -> OrderIntent:
        return OrderIntent(
            id=intent_id(position.signal_id, "close", position.rev),
            leg=IntentLeg.CLOSE,
            signal_id=position.signal_id,
            position_id=position.id,
            instrument=position.instrument,
            side=position.side.opposite,
            quantity=position.quantity,
            stop=None,
            target=None,
            reference=position.entry,
            created_at=self._clocks.wall.utc_now(),
            created_market_at=self._clocks.market.utc_now(),
        )

    async def _record(self, position: Position, outcome: SubmitOutcome) -> CloseOutcome:
        if isinstance(outcome, OrderRejected) and outcome.code != ALREADY_CLOSED:
            return await self._refused(position, outcome)
        if isinstance(outcome, OrderUnknown):
            return await self._unknown(position, outcome)
        if isinstance(outcome, OrderRejected):
            await self._problem(outcome.intent_id, IntentState.REJECTED, outcome.code, outcome.text)
        await self._booker.book()
        self._reached("close.committed")
        current = await self._positions.get(position.id) or position
        if current.profit is None:
            return CloseUnresolved(position=current, text="Closed; the venue's deal is on its way.")
        return Closed(position=current)

    async def _refused(self, position: Position, outcome: OrderRejected) -> CloseRefused:
        await self._problem(outcome.intent_id, IntentState.REJECTED, outcome.code, outcome.text)
        await self._positions.release_close(position.id, self._clocks.wall.utc_now())
        refusal = Refusal(code=outcome.code, text=outcome.text, advice=outcome.advice)
        return CloseRefused(
            position=await self._positions.get(position.id) or position, refusal=refusal
        )

    async def _unknown(self, position: Position, outcome: OrderUnknown) -> CloseUnresolved:
        await self._problem(outcome.intent_id, IntentState.UNKNOWN, "unknown", outcome.text)
        return CloseUnresolved(position=position, text=outcome.text)

    async def _problem(self, intent: str, state: IntentState, code: str, text: str) -> None:
        now = self._clocks.wall.utc_now()
        await self._orders.record_problem(intent, state, None, now, code=code, text=text)
