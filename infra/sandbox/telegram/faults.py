"""What the sandbox answers when it refuses, in Telegram's own words."""


class BotApiError(Exception):
    """A refusal: HTTP-like `code`, Telegram's `description`, perhaps seconds to wait."""

    def __init__(self, code: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after


def bad_request(reason: str) -> BotApiError:
    """A 400 with `reason`."""
    return BotApiError(400, f"Bad Request: {reason}")


class ControlError(Exception):
    """The control interface refuses: HTTP `status` and a plain reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
