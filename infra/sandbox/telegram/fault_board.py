"""Which faults of the sandbox Telegram are on, for how long and how often; a `FaultSwitch`."""

import logging
from collections import Counter
from dataclasses import dataclass

from core.clock import Clock
from core.errors import InvalidValueError
from infra.sandbox.fault_switch import FaultOrder, read_order
from infra.sandbox.telegram.updates import UpdateQueue

log = logging.getLogger(__name__)

CHOICES: dict[str, tuple[str, ...]] = {
    "on": ("all", "writes", "sends", "messages", "edits", "updates", "answers"),
    "how": ("hang", "close"),
    "why": ("not_found", "not_modified", "cant_edit", "invalid_id"),
    "what": ("sender", "message", "text", "content"),
}
"""Parameters that are words, and the words; the first is the default."""
NUMBERS: dict[str, tuple[float, float, float]] = {
    "retry_after": (5, 1, 86_400),
    "status": (500, 500, 599),
    "delay": (2, 0, 600),
    "chat": (0, 0, 2**53),
    "times": (0, 1, 1_000_000),
}
"""Parameters that are numbers: default, least, most. `times`: after so many it is over."""
KNOWN: dict[str, tuple[str, ...]] = {
    "slow": ("delay", "on"),
    "outage": ("how", "on"),
    "unauthorized": (),
    "html_502": ("on", "times"),
    "server_error": ("status", "on", "times"),
    "conflict": ("times",),
    "too_many_requests": ("retry_after", "on", "chat", "times"),
    "blocked_by_user": ("chat",),
    "cant_parse_entities": ("times",),
    "edit_refused": ("why", "times"),
    "late_answers": ("times",),
    "sent_then_lost": ("chat", "times"),
    "duplicate_updates": (),
    "missing_fields": ("what",),
    "new_update_id": (),
    "regressing_update_ids": (),
}
"""The faults, in the order in which a call meets them, and their parameters."""
ENDS_A_POLL = frozenset({"outage", "unauthorized", "html_502", "server_error", "conflict"})
FALL_OF_IDS = 1_000_000


@dataclass(slots=True)
class _Running:
    order: FaultOrder
    ends: float | None
    left: int | None


class TelegramFaults:
    """Faults that are on; calls and updates ask it what they meet."""

    def __init__(self, wall: Clock, updates: UpdateQueue) -> None:
        self._wall = wall
        self._updates = updates
        self._on: dict[str, _Running] = {}
        self.fired: Counter[str] = Counter()

    def set(self, order: object) -> None:
        """Switch a fault on (its name or {"name": …, "seconds": …, …}); raises ValueError."""
        read = read_order(order, KNOWN)
        _check(read)
        log.info("sandbox telegram misbehaves", extra={"fault": read.name})
        if read.name == "regressing_update_ids":
            self.fired[read.name] += 1
            self._updates.begin_anew(max(self._updates.next_id - FALL_OF_IDS, 1))
            return
        ends = None if read.seconds is None else self._wall.monotonic() + read.seconds
        left = int(number(read, "times")) or None
        self._on[read.name] = _Running(read, ends, left)
        if read.name in ENDS_A_POLL:
            self._updates.interrupt()

    def clear(self) -> None:
        """Behave again."""
        self._on.clear()

    def active(self) -> tuple[str, ...]:
        """Names of the faults that are on."""
        now = self._wall.monotonic()
        for name in [n for n, f in self._on.items() if f.ends is not None and f.ends <= now]:
            del self._on[name]
        return tuple(self._on)

    def known(self) -> tuple[str, ...]:
        """Names of all faults there are."""
        return tuple(KNOWN)

    def order(self, name: str) -> FaultOrder | None:
        """The fault as it was ordered, None when it is off."""
        return self._on[name].order if name in self.active() else None

    def hits(self, name: str) -> bool:
        """Whether a fault is on; if so it is counted, and may be over with that."""
        if name not in self.active():
            return False
        self.fired[name] += 1
        running = self._on[name]
        if running.left is not None:
            running.left -= 1
            if not running.left:
                del self._on[name]
        return True


def word(order: FaultOrder, name: str) -> str:
    """A parameter that is a word; raises InvalidValueError."""
    words = CHOICES[name]
    given = order.parameters.get(name, words[0])
    if given not in words:
        raise InvalidValueError(f"{name} must be one of {', '.join(words)}")
    return str(given)


def number(order: FaultOrder, name: str) -> float:
    """A parameter that is a number; raises InvalidValueError."""
    default, least, most = NUMBERS[name]
    return order.number(name, default, least, most) if name in order.parameters else default


def _check(order: FaultOrder) -> None:
    for name in order.parameters:
        if name in NUMBERS:
            number(order, name)
        else:
            word(order, name)
