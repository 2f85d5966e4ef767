"""Faults of connections: ended in every way there is, frozen, or dropped as soon as made."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from core.clock import Clock
from infra.sandbox.exchange.connection import Connection, Listeners
from infra.sandbox.fault_switch import FaultOrder

NOTICE_SECONDS = 2.0
"""Between the notice of a restart and its close."""
CLOSES = {
    "close_1001": (1001, "going away"),
    "close_1008": (1008, "disconnected"),
    "close_1011": (1011, "internal error"),
    "close_1012": (1012, "service restart"),
}


class SocketFaults:
    """`close_…` and `server_shutdown` happen once; the others last."""

    known: Mapping[str, Sequence[str]] = {
        **dict.fromkeys(CLOSES, ()),
        "close_without_frame": (),
        "server_shutdown": (),
        "half_open": (),
        "accept_then_drop": (),
    }
    momentary = frozenset({*CLOSES, "close_without_frame", "server_shutdown"})

    def __init__(self, listeners: Listeners, wall: Clock, now_ms: Callable[[], int]) -> None:
        self._listeners = listeners
        self._wall = wall
        self._now_ms = now_ms
        self._open = asyncio.Event()
        self._open.set()
        self._dropping = False
        self._leaving: dict[Connection, float] = {}
        self.fired: Counter[str] = Counter()

    def start(self, order: FaultOrder) -> None:
        """Do it to every connection there is, and where it lasts to those to come."""
        name = order.name
        self._dropping = self._dropping or name == "accept_then_drop"
        if name == "half_open":
            self._open.clear()
        for connection in tuple(self._listeners.connections):
            self.fired[name] += 1
            if name in CLOSES:
                connection.leave(*CLOSES[name])
            elif name == "server_shutdown":
                connection.announce_shutdown(self._now_ms())
                self._leaving[connection] = self._wall.monotonic() + NOTICE_SECONDS
            elif name == "half_open":
                connection.freeze()
            else:
                connection.abort()

    def stop(self, name: str) -> None:
        """Connections live again."""
        if name == "half_open":
            self._open.set()
            for connection in self._listeners.connections:
                connection.thaw()
        elif name == "accept_then_drop":
            self._dropping = False

    def check(self) -> None:
        """Close what was announced; call it now and then."""
        now = self._wall.monotonic()
        for connection in [c for c, due in self._leaving.items() if due <= now]:
            del self._leaving[connection]
            connection.leave(*CLOSES["close_1012"])

    async def door(self) -> None:
        """Wait while nobody answers the door."""
        await self._open.wait()

    def welcome(self, connection: Connection) -> None:
        """A connection was just made."""
        if self._dropping:
            self.fired["accept_then_drop"] += 1
            connection.abort()
