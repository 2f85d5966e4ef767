"""What became of a command: every answer is a value with its reason, and says if money moved."""

from dataclasses import dataclass

from core.model.order import Refusal
from core.model.position import Position
from core.model.signal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """Filled; the position has its stop at the venue."""

    signal: Signal
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWon:
    """The button was old, used or out of time; `signal` is the truth (None: no such signal)."""

    signal: Signal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """The price left the card; nothing was sent. [Use new price] may follow."""

    signal: Signal
    live_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """We or the venue said no; no position exists."""

    signal: Signal
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Sent, no trustworthy answer yet; the venue is being asked."""

    signal: Signal
    text: str


ExecutionOutcome = Executed | NotWon | Drifted | Refused | Unresolved


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalChange:
    """Result of Dismiss: `done` says whether this tap did it."""

    done: bool
    signal: Signal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """A drifted card lives again as a new signal on the same message."""

    signal: Signal


RepriceOutcome = Repriced | NotWon | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The position is closed and booked."""

    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseNotWon:
    """Already closing or closed, or no such position."""

    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRefused:
    """The close did not happen; the stop at the venue still stands."""

    position: Position
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUnresolved:
    """Close sent, no trustworthy answer yet."""

    position: Position
    text: str


CloseOutcome = Closed | CloseNotWon | CloseRefused | CloseUnresolved
