"""The notices of an order's life; keys are pure functions of what they tell."""

from core.model.notice import Notice, NoticePriority, NoticeTopic
from core.model.signal import Signal


def card_edit(signal: Signal) -> Notice:
    """Re-render a signal's card as it will be after the next revision."""
    return card_edit_of(signal.id, signal.rev + 1)


def card_edit_of(signal_id: int, rev: int | str) -> Notice:
    """Re-render the card of `signal_id` as of `rev`."""
    return Notice(
        key=f"edit:{signal_id}:{rev}",
        topic=NoticeTopic.SIGNAL_EDIT,
        subject_id=signal_id,
        priority=NoticePriority.SIGNAL,
    )


def problem(signal_id: int, code: str) -> Notice:
    """Tell, as a reply to the card, that an execution failed or is unknown."""
    return Notice(
        key=f"problem:{signal_id}:{code}",
        topic=NoticeTopic.EXECUTION_PROBLEM,
        subject_id=signal_id,
        priority=NoticePriority.MONEY,
    )


def position_opened(intent_id: str) -> Notice:
    """Tell of a fill; the journal puts the new position's id in."""
    return Notice(
        key=f"opened:{intent_id}",
        topic=NoticeTopic.POSITION_OPENED,
        subject_id=0,
        priority=NoticePriority.MONEY,
    )


def position_closed(position_id: int) -> Notice:
    """Tell of a position's end."""
    return Notice(
        key=f"closed:{position_id}",
        topic=NoticeTopic.POSITION_CLOSED,
        subject_id=position_id,
        priority=NoticePriority.MONEY,
    )


def plain(key: str, text: str, priority: NoticePriority = NoticePriority.INFO) -> Notice:
    """A plain text for everybody subscribed."""
    return Notice(key=key, topic=NoticeTopic.TEXT, subject_id=0, priority=priority, text=text)
