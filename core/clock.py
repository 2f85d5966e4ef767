"""Two clocks: market time drives data, strategies, exits; wall time drives people and I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """A source of time. Nothing outside an implementation reads the system's clocks."""

    def utc_now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock's time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Both clocks, for the few components that live in both times."""

    market: Clock
    wall: Clock


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware `moment`, exact."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    """The aware UTC moment `millis` milliseconds after 1970."""
    return EPOCH + timedelta(milliseconds=millis)
