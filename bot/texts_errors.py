"""What is said when something went wrong: what happened, whether money moved, what to do."""

from aiogram.exceptions import AiogramError

from core.errors import TapedeskError

UNCLEAR = (
    "Something failed while the order was on its way, so I cannot say yet whether it reached the "
    "venue. Nothing will be sent twice. Please look at /positions."
)
UNEXPECTED = (
    "Something went wrong inside the desk; the log has the details. "
    "This did not send any order. Please try again, or look at /health."
)
UNTOLD = (
    "Telegram did not take my answer to what you asked for. It was done or refused all the same; "
    "/signals and /positions show how things stand."
)


def silenced(seconds: int) -> str:
    """After Telegram has asked for silence."""
    return (
        f"Telegram asked me for {seconds} s of silence, so my last answer was not sent. "
        "Please ask again."
    )


def failure(error: Exception, *, order_possible: bool) -> str:
    """The sentence for an error; never claims more than is known."""
    if isinstance(error, AiogramError):
        return UNTOLD
    if order_possible:
        return UNCLEAR
    return error.user_text if isinstance(error, TapedeskError) else UNEXPECTED
