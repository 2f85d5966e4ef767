"""ChartRenderer that draws in a child process, so that the loop never waits for a picture."""

import asyncio
import logging

from core.clock import Clock
from core.errors import ChartError
from core.model.chart import ChartRequest
from infra.charts.child import ChartChild
from infra.charts.wire import Answer, Refused, frame

log = logging.getLogger(__name__)

START_DEADLINE_SECONDS = 60.0
"""Long, because the very first start on a machine may index its fonts."""
DRAW_DEADLINE_SECONDS = 10.0
ATTEMPTS = 2


class ProcessChartRenderer:
    """Keeps one worker alive and asks it for one picture at a time."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._turn = asyncio.Lock()
        self._child: ChartChild | None = None
        self._closed = False

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, None while there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def start(self) -> None:
        """Start the worker and wait until it has drawn its first picture; raises ChartError."""
        async with self._turn:
            await self._living_child()

    async def candles(self, request: ChartRequest) -> bytes:
        """A PNG of `request`, 1080 x 1200; raises ChartError."""
        message = frame(request)
        async with self._turn:
            started = self._wall.monotonic()
            answer = await self._ask(message)
            elapsed = self._wall.monotonic() - started
        if isinstance(answer, Refused):
            raise ChartError(answer.reason)
        log.debug(
            "chart drawn", extra={"ms": round(elapsed * 1000, 1), "bytes_out": len(answer.png)}
        )
        return answer.png

    async def close(self) -> None:
        """End the worker; a picture being drawn fails with ChartError."""
        self._closed = True
        if self._child is not None:
            self._child.kill()
        async with self._turn:
            if self._child is not None:
                await self._drop(self._child)

    async def _ask(self, message: bytes) -> Answer:
        for _ in range(ATTEMPTS):
            child = await self._living_child()
            answer = await self._answer(child, message, DRAW_DEADLINE_SECONDS)
            if answer is not None:
                return answer
            log.warning("chart worker died", extra={"pid": child.pid})
        raise ChartError("the chart worker died twice over this picture")

    async def _living_child(self) -> ChartChild:
        """The ready worker, started anew when there is none."""
        if self._child is not None and self._child.alive:
            return self._child
        if self._closed:
            raise ChartError("charts are closed")
        try:
            self._child = child = await ChartChild.spawn()
        except OSError as e:
            raise ChartError(f"the chart worker could not be started: {e}") from e
        if self._closed or await self._answer(child, b"", START_DEADLINE_SECONDS) is None:
            await self._drop(child)
            raise ChartError("the chart worker did not start")
        log.info("chart worker ready", extra={"pid": child.pid})
        return child

    async def _answer(self, child: ChartChild, message: bytes, seconds: float) -> Answer | None:
        """Send `message` and read one answer; None when the worker is gone.

        Whatever ends this without an answer ends the worker too: its next answer would be stale.
        """
        answer = None
        try:
            async with asyncio.TaskGroup() as group:
                deadline = group.create_task(self._kill_after(child, seconds))
                await child.send(message)
                answer = await child.answer()
                deadline.cancel()
        finally:
            if answer is None:
                child.kill()
        if answer is not None:
            return answer
        await child.gone()
        if not deadline.cancelled():
            raise ChartError(f"the chart worker gave no answer within {seconds:g} s")
        return None

    async def _kill_after(self, child: ChartChild, seconds: float) -> None:
        await self._wall.sleep(seconds)
        child.kill()

    async def _drop(self, child: ChartChild) -> None:
        child.kill()
        await child.gone()
        self._child = None
