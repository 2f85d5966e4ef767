"""The sandbox exchange's switchboard of faults; satisfies `FaultSwitch`."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol

from core.clock import Clock
from infra.sandbox.exchange.connection import Listeners
from infra.sandbox.exchange.frame_faults import FrameFaults
from infra.sandbox.exchange.http_faults import HttpFaults
from infra.sandbox.exchange.socket_faults import SocketFaults
from infra.sandbox.fault_switch import FaultOrder, read_order

log = logging.getLogger(__name__)

CHECK_SECONDS = 0.1


class FaultFamily(Protocol):
    """Faults that work on the same thing."""

    fired: Counter[str]
    """How often each did something."""

    @property
    def known(self) -> Mapping[str, Sequence[str]]:
        """Names and their parameters."""
        ...

    def start(self, order: FaultOrder) -> None:
        """Switch one on; raises InvalidValueError."""
        ...

    def stop(self, name: str) -> None:
        """Switch one off."""
        ...


class ExchangeFaults:
    """Which faults are on, and until when (wall time)."""

    def __init__(
        self, frames: FrameFaults, listeners: Listeners, wall: Clock, now_ms: Callable[[], int]
    ) -> None:
        self._wall = wall
        self.http = HttpFaults()
        self.sockets = SocketFaults(listeners, wall, now_ms)
        families: tuple[FaultFamily, ...] = (self.sockets, frames, self.http)
        self._families = {name: family for family in families for name in family.known}
        self._known = {name: family.known[name] for name, family in self._families.items()}
        self._ends: dict[str, float | None] = {}

    def set(self, order: object) -> None:
        """Switch a fault on (its name or {"name": …, "seconds": …, …}); raises ValueError."""
        read = read_order(order, self._known)
        self._families[read.name].start(read)
        log.info("sandbox exchange misbehaves", extra={"fault": read.name})
        if read.name not in SocketFaults.momentary:
            lasts = read.seconds
            self._ends[read.name] = None if lasts is None else self._wall.monotonic() + lasts

    def clear(self) -> None:
        """Behave again."""
        for name in tuple(self._ends):
            self._stop(name)

    def active(self) -> tuple[str, ...]:
        """Names of the faults that are on."""
        self._expire()
        return tuple(self._ends)

    def known(self) -> tuple[str, ...]:
        """Names of all faults there are."""
        return tuple(self._families)

    def fired(self, name: str) -> int:
        """How often a fault did something; raises KeyError for an unknown name."""
        return self._families[name].fired[name]

    async def run(self) -> NoReturn:
        """End faults whose time is up, until cancelled."""
        while True:
            self._expire()
            self.sockets.check()
            await self._wall.sleep(CHECK_SECONDS)

    def _expire(self) -> None:
        now = self._wall.monotonic()
        for name in [n for n, end in self._ends.items() if end is not None and end <= now]:
            self._stop(name)

    def _stop(self, name: str) -> None:
        del self._ends[name]
        self._families[name].stop(name)
        log.info("sandbox exchange behaves again", extra={"fault": name})
