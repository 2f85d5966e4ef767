"""Books the venue's deals once each, in order: a close is believed only with its deal."""

import asyncio

from core.clock import Clocks
from core.event_bus import EventBus
from core.execution import notices
from core.model.events import NoticesQueued, PositionClosed
from core.model.position import DealEntry, Position, VenueDeal
from core.ports.broker import Broker
from core.ports.journal import OrderStore, PositionStore


class DealBooker:
    """Books deals since the last one known. Calls may overlap; the lock puts them in line."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        bus: EventBus,
        broker: Broker,
        orders: OrderStore,
        positions: PositionStore,
    ) -> None:
        self._clocks = clocks
        self._bus = bus
        self._broker = broker
        self._orders = orders
        self._positions = positions
        self._booking = asyncio.Lock()

    async def book(self) -> tuple[Position, ...]:
        """Book everything new; the positions that closed. Raises VenueError, JournalError.

        Stops before a deal of ours whose entry is not journalled yet: its turn comes right after.
        """
        closed: list[Position] = []
        async with self._booking:
            deals = await self._broker.deals_since(await self._positions.last_deal_id())
            waiting = {intent.id for intent in await self._orders.unresolved()}
            known = {p.venue_position_id: p for p in await self._positions.open()}
            for deal in deals:
                position = known.get(deal.position_id)
                if position is None and deal.entry is DealEntry.IN and deal.client_id in waiting:
                    break
                ended = await self._record(deal, position)
                if ended is not None:
                    closed.append(ended)
        return tuple(closed)

    async def _record(self, deal: VenueDeal, position: Position | None) -> Position | None:
        now = self._clocks.wall.utc_now()
        told = (
            (
                notices.position_closed(position.id),
                notices.card_edit_of(position.signal_id, "closed"),
            )
            if position is not None and deal.entry is DealEntry.OUT
            else ()
        )
        ended = await self._positions.record_deal(
            deal, None if position is None else position.id, now, told
        )
        if ended is not None:
            self._bus.publish(PositionClosed(at=now, position=ended))
            self._bus.publish(NoticesQueued(at=now))
        return ended
