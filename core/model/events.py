"""Events: what has happened. Past tense, frozen, aware UTC times; published on the bus."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.market import Bar
from core.model.position import Position
from core.model.signal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events."""

    at: datetime
    """Wall time of the publication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarClosed(Event):
    """A bar closed and is already in the price cache (cache, then publish)."""

    bar: Bar


class FeedStatus(StrEnum):
    """State of one instrument's feed."""

    STARTING = "starting"
    LIVE = "live"
    STALE = "stale"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChanged(Event):
    """An instrument's feed changed its status."""

    instrument: str
    status: FeedStatus
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCreated(Event):
    """A new signal is in the journal."""

    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalChanged(Event):
    """A signal's state changed in the journal."""

    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOpened(Event):
    """An entry filled and its position is in the journal."""

    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionClosed(Event):
    """A position ended, proven by its deal, and the journal says so."""

    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesQueued(Event):
    """Rows were added to the outbox; its sender may look now instead of at its next poll."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFaulted(Event):
    """A supervised task died; it will be restarted."""

    component: str
    error: str
    restarts: int
