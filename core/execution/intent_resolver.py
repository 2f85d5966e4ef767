"""What became of an order whose answer was lost: found at the venue, or proven absent.

Nothing is ever re-sent. Absence needs two looks in a row after the quarantine, which is longer than
the venue's longest late accept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clocks
from core.execution.outcome_recorder import CHECKING, OutcomeRecorder
from core.model.order import IntentLeg, IntentState, OrderFilled, OrderIntent
from core.model.position import DealEntry, VenueDeal, VenueOrder, VenuePosition
from core.model.values import Money
from core.ports.journal import OrderStore, PositionStore, SignalStore
from core.risk.trading_state import TradingState

LOOKS_NEEDED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueView:
    """One consistent look at the venue."""

    positions: tuple[VenuePosition, ...]
    orders: tuple[VenueOrder, ...]
    deals: tuple[VenueDeal, ...]
    """Deals not booked yet."""


class IntentResolver:
    """Resolves entry and close intents left COMMITTED or UNKNOWN."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        signals: SignalStore,
        orders: OrderStore,
        positions: PositionStore,
        recorder: OutcomeRecorder,
        state: TradingState,
        quarantine: timedelta,
    ) -> None:
        self._clocks = clocks
        self._signals = signals
        self._orders = orders
        self._positions = positions
        self._recorder = recorder
        self._state = state
        self._quarantine = quarantine
        self._looks: dict[str, int] = {}

    async def resolve(self, intents: Sequence[OrderIntent], view: VenueView) -> tuple[str, ...]:
        """Resolve what this view can prove; one plain line for each intent that came to an end."""
        lines = []
        for intent in intents:
            handler = self._entry if intent.leg is IntentLeg.ENTRY else self._close
            line = await handler(intent, view)
            if line is not None:
                self._looks.pop(intent.id, None)
                lines.append(line)
        return tuple(lines)

    async def _entry(self, intent: OrderIntent, view: VenueView) -> str | None:
        fill = find_fill(intent, view)
        signal = await self._signals.get(intent.signal_id)
        if fill is not None and signal is not None:
            await self._recorder.record_fill(signal, intent, fill)
            return f"Order {intent.id} was found at the venue: {intent.instrument} is open."
        if any(order.client_id == intent.id for order in view.orders):
            return None
        if not self._absence_proven(intent):
            self._state.lock(intent.instrument, CHECKING)
            return None
        await self._recorder.absent(intent, "The venue never took this order. No money moved.")
        return f"Order {intent.id} never reached the venue. No money moved."

    async def _close(self, intent: OrderIntent, view: VenueView) -> str | None:
        if intent.position_id is None or any(d.client_id == intent.id for d in view.deals):
            return None
        position = await self._positions.get(intent.position_id)
        if position is None or not self._absence_proven(intent):
            return None
        now = self._clocks.wall.utc_now()
        await self._orders.record_problem(
            intent.id, IntentState.ABSENT, None, now, code="absent", text="never reached the venue"
        )
        if any(p.id == position.venue_position_id for p in view.positions):
            await self._positions.release_close(position.id, now)
            return f"The close of {intent.instrument} never reached the venue; it is still open."
        return None

    def _absence_proven(self, intent: OrderIntent) -> bool:
        age = self._clocks.wall.utc_now() - intent.created_at
        if age < self._quarantine:
            return False
        self._looks[intent.id] = self._looks.get(intent.id, 0) + 1
        return self._looks[intent.id] >= LOOKS_NEEDED


def find_fill(intent: OrderIntent, view: VenueView) -> OrderFilled | None:
    """The intent's entry deal at the venue, open or already closed again."""
    deal = next(
        (d for d in view.deals if d.client_id == intent.id and d.entry is DealEntry.IN), None
    )
    if deal is not None:
        return OrderFilled(
            intent_id=intent.id,
            venue_order_id=deal.order_id,
            venue_position_id=deal.position_id,
            deal_id=str(deal.id),
            price=deal.price,
            quantity=deal.quantity,
            commission=deal.commission,
            filled_at=deal.time,
        )
    position = next((p for p in view.positions if p.client_id == intent.id), None)
    if position is None:
        return None
    return OrderFilled(
        intent_id=intent.id,
        venue_order_id=position.id,
        venue_position_id=position.id,
        deal_id="",
        price=position.entry,
        quantity=position.quantity,
        commission=Money.of(0),
        filled_at=position.opened_at,
    )
