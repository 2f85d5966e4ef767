"""Owns every background task: restarts the dead with backoff, says so, ends all together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from core.clock import Clock
from core.event_bus import EventBus
from core.model.events import ComponentFaulted

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 60.0


@dataclass(slots=True)
class ComponentState:
    """What is known of one supervised component."""

    name: str
    running: bool = True
    restarts: int = 0
    last_error: str | None = None


class Supervisor:
    """Keeps components alive and one-shot jobs from being forgotten."""

    def __init__(self, wall: Clock, bus: EventBus) -> None:
        self._wall = wall
        self._bus = bus
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: set[asyncio.Task[Any]] = set()
        self.components: dict[str, ComponentState] = {}

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until `stop`; when it dies, publish ComponentFaulted and start it again."""
        state = self.components[name] = ComponentState(name)
        self._tasks.append(asyncio.create_task(self._keep(state, work), name=name))

    def start_job(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run one coroutine to its end or to `stop`; a failure is published."""
        task = asyncio.create_task(self._job(name, work), name=name)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def stop(self) -> None:
        """End everything, newest first; safe to repeat."""
        ending = [*self._jobs, *reversed(self._tasks)]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, state: ComponentState, work: Callable[[], Awaitable[None]]) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            started = self._wall.monotonic()
            try:
                await work()
                state.running = False
                return
            except Exception as e:
                state.restarts += 1
                state.last_error = f"{type(e).__name__}: {e}"
                log.exception("component died", extra={"component": state.name})
            self._tell(state.name, state.last_error, state.restarts)
            if self._wall.monotonic() - started > HEALTHY_AFTER_SECONDS:
                delay = FIRST_DELAY_SECONDS
            await self._wall.sleep(delay)
            delay = min(delay * 2, MAX_DELAY_SECONDS)

    async def _job(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as e:
            log.exception("job failed", extra={"job": name})
            self._tell(name, f"{type(e).__name__}: {e}", 0)

    def _tell(self, component: str, error: str, restarts: int) -> None:
        self._bus.publish(
            ComponentFaulted(
                at=self._wall.utc_now(), component=component, error=error, restarts=restarts
            )
        )
