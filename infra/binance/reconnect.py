"""How long to wait before the next connection, and what a failed one meant; pure."""

import random
from dataclasses import dataclass
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed, InvalidStatus

BASE_SECONDS = 0.5
CAP_SECONDS = 60.0
HEALTHY_AFTER_SECONDS = 5.0

_CLOSE_WORDS = {
    1000: "done",
    1001: "going away",
    1008: "policy",
    1011: "internal error",
    1012: "restart",
    1013: "overloaded",
}
_OUR_REASONS = {
    1002: "the venue broke the protocol",
    1009: "the venue sent far too much at once",
    1011: "the venue stopped answering pings",
}
_BANNED_SECONDS = 120.0
_LIMITED_SECONDS = 30.0
_BLOCKED_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a connection ended, in words, and the least wait the venue's answer demands."""

    detail: str
    least_wait: float = 0.0
    blocked: bool = False
    """This address is not for us; another one of the same venue may be."""


def classify(error: BaseException) -> Failure:
    """What a failed or ended connection means."""
    if isinstance(error, InvalidStatus):
        return _classify_status(error.response.status_code, error.response.headers)
    if isinstance(error, ConnectionClosed):
        return Failure(detail=f"{_closed(error)}, reconnecting")
    if isinstance(error, TimeoutError):
        return Failure(detail="the venue did not answer in time")
    if isinstance(error, OSError):
        return Failure(detail=f"no connection to the venue ({error.strerror or error})")
    return Failure(detail=f"the connection ended ({error})")


def _closed(error: ConnectionClosed) -> str:
    ours = error.sent if not error.rcvd_then_sent else None
    if ours is not None:
        return _OUR_REASONS.get(ours.code, f"the connection had to be closed ({ours.code})")
    if error.rcvd is None:
        return "the connection broke off"
    code = error.rcvd.code
    return f"the venue closed the connection ({_CLOSE_WORDS.get(code, 'code')} {code})"


def _classify_status(status: int, headers: object) -> Failure:
    asked = retry_after(headers)
    if status == HTTPStatus.IM_A_TEAPOT:
        return Failure(
            detail="the venue has banned this address for a while (HTTP 418)",
            least_wait=asked or _BANNED_SECONDS,
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Failure(
            detail="the venue says: too many requests (HTTP 429)",
            least_wait=asked or _LIMITED_SECONDS,
        )
    if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return Failure(
            detail="no feed: Binance blocks this region (HTTP 451)",
            least_wait=_BLOCKED_SECONDS,
            blocked=True,
        )
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return Failure(
            detail=f"no feed: the venue refuses this connection (HTTP {status})",
            least_wait=_BLOCKED_SECONDS,
            blocked=status == HTTPStatus.FORBIDDEN,
        )
    return Failure(detail=f"the venue has trouble (HTTP {status})", least_wait=asked or 0.0)


def retry_after(headers: object) -> float | None:
    """The seconds of a Retry-After header; None when absent or not a plain number."""
    text = headers.get("Retry-After") if hasattr(headers, "get") else None
    return float(text[:9]) if isinstance(text, str) and text.isdecimal() else None


class Backoff:
    """Exponential with full jitter; starts over only after a connection proved healthy."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._attempt = 0

    def reset(self) -> None:
        """The last connection was healthy."""
        self._attempt = 0

    def next_wait(self, least: float = 0.0) -> float:
        """Seconds until the next attempt, at least `least`."""
        ceiling = min(CAP_SECONDS, BASE_SECONDS * 2 ** min(self._attempt, 10))
        self._attempt += 1
        return max(least, self._source.uniform(0, ceiling))
