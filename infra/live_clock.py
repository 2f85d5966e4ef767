"""The only readers of the system's clocks: wall time, and market time that runs at a speed."""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta

from core.clock import Clock
from core.errors import InvalidValueError

MAX_SPEED = 1000.0
CLOSE_ENOUGH_SECONDS = 1e-6
"""Market seconds a sleep may end early, so that rounding never costs another turn."""


class WallClock:
    """Real time; satisfies `core.clock.Clock`."""

    def utc_now(self) -> datetime:
        """The current time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump; finer than `time.monotonic` on Windows."""
        return time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of real time."""
        await asyncio.sleep(max(0.0, seconds))


class ScaledClock:
    """Market time: begins at `start` and runs `speed` times as fast as `wall` (0 < speed <= 1000).

    Satisfies `core.clock.Clock`. A change of speed never makes time jump, and sleepers feel it at
    once: they wake when their market moment comes.
    """

    def __init__(self, wall: Clock, start: datetime, speed: float) -> None:
        self._wall = wall
        self._start = start
        self._speed = _checked(speed)
        self._market_anchor = 0.0
        self._wall_anchor = wall.monotonic()
        self._sleepers: set[asyncio.Task[None]] = set()

    @property
    def speed(self) -> float:
        """Market seconds per wall second."""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Run at another speed from now on; raises InvalidValueError outside 0 < speed <= 1000."""
        checked = _checked(speed)
        self._market_anchor = self.monotonic()
        self._wall_anchor = self._wall.monotonic()
        self._speed = checked
        for sleeper in self._sleepers:
            sleeper.cancel()

    def utc_now(self) -> datetime:
        """The market's time, aware, in UTC."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Market seconds since the start."""
        return self._market_anchor + (self._wall.monotonic() - self._wall_anchor) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of market time, whatever the speed becomes meanwhile."""
        if seconds <= 0:
            await asyncio.sleep(0)
        due = self.monotonic() + seconds
        while (remaining := due - self.monotonic()) > CLOSE_ENOUGH_SECONDS:
            await self._until_due_or_speed_change(remaining / self._speed)

    async def _until_due_or_speed_change(self, wall_seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            sleeper = group.create_task(self._wall.sleep(wall_seconds))
            self._sleepers.add(sleeper)
            sleeper.add_done_callback(self._sleepers.discard)


def _checked(speed: float) -> float:
    if not (math.isfinite(speed) and 0 < speed <= MAX_SPEED):
        raise InvalidValueError(f"a speed must be above 0 and at most {MAX_SPEED:g}, was {speed!r}")
    return speed
