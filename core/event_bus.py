"""Typed publish/subscribe inside one loop: direct calls, one subscriber's failure stays its own."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from core.model.events import Event

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)


class Mailbox:
    """A bounded inbox for one consumer task; when full, the oldest event is dropped and counted."""

    def __init__(self, limit: int = 1024) -> None:
        self._events: deque[Event] = deque(maxlen=limit)
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, event: Event) -> None:
        """Leave an event; never blocks."""
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while self._events:
                yield self._events.popleft()
            self._ready.clear()
            await self._ready.wait()


class EventBus:
    """Calls every subscriber of an event's class, in order of subscription, synchronously."""

    def __init__(self) -> None:
        self._subscribers: dict[type[Event], list[Callable[[Any], None]]] = {}
        self.failures = 0

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> None:
        """Call `handler` for each event of exactly this class."""
        self._subscribers.setdefault(kind, []).append(handler)

    def mailbox(self, *kinds: type[Event], limit: int = 1024) -> Mailbox:
        """A new inbox that receives every event of these classes."""
        box = Mailbox(limit)
        for kind in kinds:
            self.subscribe(kind, box.put)
        return box

    def publish(self, event: Event) -> None:
        """Tell all subscribers; a failing one is logged and counted, the others still hear it."""
        for handler in self._subscribers.get(type(event), ()):
            try:
                handler(event)
            except Exception:
                self.failures += 1
                log.exception("subscriber failed", extra={"event_class": type(event).__name__})
