"""One market's history: at which address to ask, until when not to, and what a refusal means."""

from http import HTTPStatus
from typing import ClassVar

import msgspec

from core.errors import FeedError
from infra.binance.addresses import Addresses
from infra.binance.binance_messages import AnyFrame

_fault = msgspec.json.Decoder(AnyFrame)


class HistoryUnavailableError(FeedError):
    """The venue did not answer, or has trouble; later it may."""

    user_text: ClassVar[str] = "The venue's price history did not answer; I will ask again."
    retryable: ClassVar[bool] = True


class HistoryBusyError(HistoryUnavailableError):
    """The venue asked us to wait; nothing is sent before that."""


class HistoryBlockedError(HistoryUnavailableError):
    """The venue does not serve this address; asked again only after a long pause."""

    user_text: ClassVar[str] = "The venue does not give price history to this address."


class HistoryRefusedError(FeedError):
    """The venue refused the request or its answer cannot be believed."""

    user_text: ClassVar[str] = "The venue's price history could not be used."


class HistoryPlace:
    """Where to ask, and whether asking is allowed now (monotonic wall seconds)."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._quiet_until = 0.0
        self._why: HistoryUnavailableError | None = None

    def check_quiet(self, now: float) -> None:
        """Raise what asked for quiet while that lasts, so that nothing is sent."""
        if self._why is not None and now < self._quiet_until:
            raise type(self._why)(*self._why.args)

    def keep_quiet(self, until: float, why: HistoryUnavailableError) -> None:
        """Ask nothing before `until`."""
        self._quiet_until, self._why = until, why


def refusal(status: int, body: bytes) -> FeedError:
    """What an answer other than 200 means."""
    text = f"HTTP {status} {said(body)}".strip()
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT):
        return HistoryBusyError(f"the venue says: too many requests ({text})")
    if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return HistoryBlockedError(f"Binance blocks this region (HTTP {status})")
    if status == HTTPStatus.FORBIDDEN:
        return HistoryBlockedError(f"the venue refuses this connection ({text})")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return HistoryUnavailableError(f"the venue has trouble ({text})")
    return HistoryRefusedError(f"the venue refused ({text})")


def said(body: bytes) -> str:
    """The venue's own words, when it sent its error format (and not a web page)."""
    try:
        return (_fault.decode(body).msg or "")[:200]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
