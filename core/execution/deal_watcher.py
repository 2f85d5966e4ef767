"""Books deals as soon as the venue hints at one, or an entry was written down."""

import asyncio

from core.errors import TapedeskError
from core.event_bus import EventBus
from core.execution.deal_booker import DealBooker
from core.model.events import PositionOpened
from core.model.position import VenueDeal
from core.ports.broker import Broker


class DealWatcher:
    """A supervised task; a failing pass dies and is restarted with backoff, the hint is kept."""

    def __init__(self, *, bus: EventBus, broker: Broker, booker: DealBooker) -> None:
        self._booker = booker
        self._hint = asyncio.Event()
        bus.subscribe(PositionOpened, self._on_position_opened)
        broker.on_deal(self._on_deal)

    async def run(self) -> None:
        """Book after every hint."""
        while True:
            await self._hint.wait()
            self._hint.clear()
            try:
                await self._booker.book()
            except TapedeskError:
                self._hint.set()
                raise

    def _on_deal(self, deal: VenueDeal) -> None:
        self._hint.set()

    def _on_position_opened(self, event: PositionOpened) -> None:
        self._hint.set()
