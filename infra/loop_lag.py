"""How long the event loop was held up: a short sleep that measures its own lateness."""

from collections import deque

from core.clock import Clock

INTERVAL_SECONDS = 0.02
WINDOW_SECONDS = 60.0


class LoopLagMonitor:
    """The largest stall of the last minute.

    A stall that falls inside a sleep is seen up to 20 ms shorter than it was.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._peaks: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            started = self._wall.monotonic()
            await self._wall.sleep(INTERVAL_SECONDS)
            now = self._wall.monotonic()
            self._record(now, max(0.0, (now - started - INTERVAL_SECONDS) * 1000))

    def max_ms_last_minute(self) -> float:
        """Milliseconds of the worst stall of the last 60 s; 0.0 when there was none."""
        self._forget_before(self._wall.monotonic() - WINDOW_SECONDS)
        return self._peaks[0][1] if self._peaks else 0.0

    def reset(self) -> None:
        """Forget everything measured so far (after the start, which is allowed to be slow)."""
        self._peaks.clear()

    def _record(self, now: float, lateness_ms: float) -> None:
        # Only a peak that no later, larger one hides can still become the answer.
        while self._peaks and self._peaks[-1][1] <= lateness_ms:
            self._peaks.pop()
        self._peaks.append((now, lateness_ms))
        self._forget_before(now - WINDOW_SECONDS)

    def _forget_before(self, moment: float) -> None:
        while self._peaks and self._peaks[0][0] < moment:
            self._peaks.popleft()
