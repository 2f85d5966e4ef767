"""An event loop whose time jumps to the next timer and whose ready tasks run in a seeded order."""

import asyncio
import hashlib
import random
import selectors
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)


class _JumpingSelector(selectors.BaseSelector):
    """Never waits: asking for a time-out moves the virtual clock by it."""

    def __init__(self, start: float) -> None:
        self.now = start

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("deadlock: nothing is scheduled and nothing can happen")
        self.now += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """Same seed, same trace; another seed, another interleaving."""

    def __init__(self, seed: int, start: float = 0.0) -> None:
        self._virtual = _JumpingSelector(start)
        self.random = random.Random(seed)
        self._trace = hashlib.sha256()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    def note(self, *facts: object) -> None:
        """Add to the trace."""
        self._trace.update(f"{self.time():.6f}|{facts!r}\n".encode())

    def trace(self) -> str:
        """Digest of everything noted so far."""
        return self._trace.hexdigest()

    def _make_self_pipe(self) -> None:
        """No real file descriptors."""

    def _close_self_pipe(self) -> None:
        """No real file descriptors."""

    def _write_to_self(self) -> None:
        """Nobody waits in another thread."""

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            shuffled = list(ready)
            self.random.shuffle(shuffled)
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]


class VirtualClock:
    """`core.clock.Clock` on a VirtualLoop; both clocks of a simulated desk are this one."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def utc_now(self) -> datetime:
        """Virtual UTC time."""
        return START + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await asyncio.sleep(seconds)
