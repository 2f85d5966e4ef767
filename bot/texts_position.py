"""What positions say outside their card: toasts and answers to Close."""

from datetime import timedelta

from aiogram.utils.formatting import Bold, Text, as_list

from bot import formats
from bot.formats import plain, sentence
from core.model.order import Refusal
from core.model.position import Position, PositionState

CLOSING = "⏳ Closing…"
GONE = "I have no such position."
NOTHING_TO_CLOSE = "Nothing is open, so there is nothing to close."
CLOSE_WHICH = "Which one? Tap a position; its card has the Close button."


def already(position: Position) -> str:
    """Why a tap on Close did nothing, as a toast."""
    match position.state:
        case PositionState.CLOSED:
            return "Already closed. Nothing was sent again."
        case PositionState.CLOSING:
            return "Already being closed. Nothing is sent twice."
        case PositionState.OPEN:
            return "That button is old; the card is up to date now. Nothing was sent."


def not_closed(position: Position, refusal: Refusal, digits: int) -> Text:
    """The close did not happen."""
    advice = [sentence(refusal.advice, 300)] if refusal.advice else []
    return as_list(
        Bold(f"❌ Position #{position.id} was not closed."),
        sentence(refusal.text, 300),
        f"It is still open, and its stop at {formats.price(position.stop, digits)} still stands.",
        *advice,
    )


def close_unresolved(position: Position, text: str) -> Text:
    """The close was sent and its result is not known yet."""
    return as_list(
        Bold(f"⏳ Position #{position.id}: the close was sent, its result is not known yet."),
        f"{sentence(text, 300)} I keep asking until it is; nothing will be sent twice.",
    )


def not_open(what: str) -> str:
    """`close eth` without such a position."""
    return f"I have no open position “{plain(what, 30)}”. /positions shows what is open."


def too_old(age: timedelta) -> Text:
    """A money command that waited too long to be trusted."""
    return as_list(
        Bold("I did not act on that."),
        f"Your message is {formats.span(age.total_seconds())} old, and the market has moved since. "
        "No money moved. Send it again if you still want it.",
    )
