"""What is said when something went wrong: what happened, whether money moved, what to do."""

from core.errors import TapedeskError

UNCLEAR = (
    "Something failed while the order was on its way, so I cannot say yet whether it reached the "
    "venue. Nothing will be sent twice. Please look at /positions."
)
UNEXPECTED = (
    "Something went wrong inside the desk; the log has the details. "
    "This did not send any order. Please try again, or look at /health."
)


def failure(error: Exception, *, order_possible: bool) -> str:
    """The sentence for an error; never claims more than is known."""
    if order_possible:
        return UNCLEAR
    return error.user_text if isinstance(error, TapedeskError) else UNEXPECTED
