"""The smaller ports: pictures, scheduled jobs, kill points."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from core.model.chart import ChartRequest

Reached = Callable[[str], None]
"""A kill point: called with its name at each step of an order's life. A no-op outside tests."""


def not_armed(name: str) -> None:
    """The kill point of normal life: nothing happens."""


class ChartRenderer(Protocol):
    """Draws pictures outside the loop."""

    async def candles(self, request: ChartRequest) -> bytes:
        """A PNG for a phone; raises ChartError."""
        ...


class Scheduler(Protocol):
    """Runs jobs at times; adapters differ in which clock they follow."""

    def every(self, name: str, interval: timedelta, job: Callable[[], Awaitable[None]]) -> None:
        """Run `job` again and again; a run still going is never overlapped."""
        ...
