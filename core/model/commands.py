"""Commands: what a person (or a job) asks the desk to do. Imperative; handled in core."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteSignal:
    """A tap on Execute. `rev` is the revision the button carried."""

    signal_id: int
    rev: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissSignal:
    """A tap on Dismiss."""

    signal_id: int
    rev: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UseNewPrice:
    """A tap on [Use new price] of a drifted card: the same idea at the live price."""

    signal_id: int
    rev: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition:
    """A tap on Close."""

    position_id: int
    rev: int
    user_id: int
