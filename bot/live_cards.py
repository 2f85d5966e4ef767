"""Position cards that keep themselves up to date for two minutes after a tap."""

from collections.abc import Awaitable, Callable

from bot.posting import Place
from bot.services import Services

EDIT_EVERY_SECONDS = 5.0
LIVE_FOR_SECONDS = 120.0
MOST_LIVE_CARDS = 20


class LiveCards:
    """At most one running job per message, and a bounded number of them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._wall = services.clocks.wall
        self._until: dict[tuple[int, int], float] = {}

    def keep_fresh(self, place: Place, refresh: Callable[[], Awaitable[bool]]) -> None:
        """Call `refresh` every five seconds for two minutes, or until it says False."""
        key = (place.chat_id, place.message_id)
        already_live = key in self._until
        if not already_live and len(self._until) >= MOST_LIVE_CARDS:
            return
        self._until[key] = self._wall.monotonic() + LIVE_FOR_SECONDS
        if not already_live:
            self._services.start_job("live position card", self._run(key, refresh))

    async def _run(self, key: tuple[int, int], refresh: Callable[[], Awaitable[bool]]) -> None:
        try:
            going = True
            while going and self._wall.monotonic() < self._until[key]:
                await self._wall.sleep(EDIT_EVERY_SECONDS)
                going = await refresh()
        finally:
            del self._until[key]
