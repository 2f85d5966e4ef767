"""What the chat must be told: rows of the durable outbox (journal, then act, then tell)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class NoticeTopic(StrEnum):
    """What a notice is about; the bot renders it from the journal's state when it is sent."""

    SIGNAL_CARD = "signal_card"
    """A new card (photo and buttons) for signal `subject_id`."""
    SIGNAL_EDIT = "signal_edit"
    """Re-render the card of signal `subject_id` in place."""
    POSITION_OPENED = "position_opened"
    """Fill of position `subject_id`, a reply to its signal's card."""
    POSITION_CLOSED = "position_closed"
    """End of position `subject_id`, a reply to its signal's card."""
    EXECUTION_PROBLEM = "execution_problem"
    """Signal `subject_id` was rejected or its outcome is unknown, a reply to its card."""
    TEXT = "text"
    """Plain `text` as it stands (restart summary, feed lost, reconciliation report)."""


class NoticePriority(IntEnum):
    """Lower goes first."""

    MONEY = 0
    SIGNAL = 1
    INFO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell every subscribed chat once. `key` is unique per event."""

    key: str
    topic: NoticeTopic
    subject_id: int
    priority: NoticePriority
    text: str | None = None
    time_to_live: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """A notice for one chat, waiting to be sent."""

    id: int
    chat_id: int
    notice: Notice
    created_at: datetime
    expires_at: datetime | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlace:
    """Where a signal's card stands in a chat."""

    signal_id: int
    chat_id: int
    message_id: int
    has_photo: bool
