"""A clock that moves only when told."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)


class ManualClock:
    """Satisfies `core.clock.Clock`; `advance` wakes the sleepers in order of their times."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def utc_now(self) -> datetime:
        """The set time."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved past the moment."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._count, future))
        await future

    def tick(self, seconds: float) -> None:
        """Move time without waking anybody (for synchronous tests)."""
        self._elapsed += seconds

    async def advance(self, seconds: float) -> None:
        """Move time forward, waking sleepers on the way."""
        target = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            moment, _, future = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, moment)
            if not future.done():
                future.set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)
        self._elapsed = target
        for _ in range(5):
            await asyncio.sleep(0)
