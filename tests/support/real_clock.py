"""The system's time, for tests with real sockets; its speed can be raised."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class RealClock:
    """Satisfies `core.clock.Clock`."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._began_utc = datetime.now(UTC)

    def utc_now(self) -> datetime:
        """Start time plus the (sped up) time since."""
        return self._began_utc + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """(Sped up) seconds since construction."""
        return (time.monotonic() - self._began) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for that much of this clock's time."""
        await asyncio.sleep(seconds / self._speed)
