"""Every error this application raises on purpose.

* TapedeskError
  - InvalidValueError      a value cannot be what it claims (bad price, naive time)
  - SettingsError          the environment or .env cannot be used; lists every fault at once
  - StartupRefusedError    the desk must not start (taken port, second instance, read-only folder)
  - UnknownInstrumentError no registry entry; names the nearest ones
  - FeedError              market data is missing or wrong
    + StaleDataError       (retryable) older than its limit
  - VenueError             a trading venue
    + VenueUnavailableError (retryable) it did not answer; the truth is unknown
  - JournalError           the journal cannot be used; entries stop
    + SchemaTooNewError    written by a newer Tapedesk
    + EnvironmentMismatchError belongs to another environment
  - NotifierError          the chat did not take a message
  - ChartError             a picture could not be drawn

The class answers "retry?" (`retryable`) and carries text that is safe to show (`user_text`).
"""

from typing import ClassVar


class TapedeskError(Exception):
    """Base of all deliberate errors."""

    user_text: ClassVar[str] = "Something went wrong. No money moved."
    retryable: ClassVar[bool] = False


class InvalidValueError(TapedeskError, ValueError):
    """A value cannot be what it claims to be."""

    user_text = "That value is not valid. Nothing was changed."


class SettingsError(TapedeskError):
    """The settings cannot be used; `problems` lists all of them."""

    user_text = "The settings need mending."

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class StartupRefusedError(TapedeskError):
    """The desk must not start; the message says why and what to do."""


class UnknownInstrumentError(TapedeskError):
    """No such instrument; `nearest` may help."""

    user_text = "I do not know that instrument."

    def __init__(self, text: str, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(f"unknown instrument {text!r}")
        self.text = text
        self.nearest = nearest


class FeedError(TapedeskError):
    """Market data is missing or wrong."""

    user_text = "The market data is not good enough for that right now."


class StaleDataError(FeedError):
    """Market data is older than its limit."""

    user_text = "The market data is too old for that right now."
    retryable = True


class VenueError(TapedeskError):
    """The trading venue refused or misbehaved."""

    user_text = "The trading venue refused that."


class VenueUnavailableError(VenueError):
    """The venue did not answer, so what it holds is unknown."""

    user_text = "The trading venue is not answering; I will keep asking."
    retryable = True


class JournalError(TapedeskError):
    """The journal cannot be used, so no entries are allowed."""

    user_text = "My journal is not available, so I will not open anything."


class SchemaTooNewError(JournalError):
    """The journal was written by a newer Tapedesk."""


class EnvironmentMismatchError(JournalError):
    """The journal belongs to another environment (sandbox, paper, live-<account>)."""


class NotifierError(TapedeskError):
    """The chat did not take a message."""


class ChartError(TapedeskError):
    """A picture could not be drawn."""

    user_text = "The picture could not be drawn."
