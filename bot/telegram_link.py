"""Is Telegram reachable? What a failed call means, in words, and who is told about it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)

from core.clock import Clock
from core.model.order import Refusal
from core.risk.trading_state import TradingState

log = logging.getLogger(__name__)

TOLD_AFTER_SECONDS = 15.0
"""A shorter outage of a link that worked is nobody's business at the terminal."""
CONFLICT_WAIT_SECONDS = 30.0
"""Telegram ends an abandoned poll of another program within about this time."""
REFUSED_WAIT_SECONDS = 60.0

REMEMBERED = timedelta(hours=1)
"""For so long `/health` speaks of the last trouble."""

HALT = "telegram"
"""Name of the halt of entries."""

_GOES_ON = "The market and your positions are watched meanwhile"


class LinkState(StrEnum):
    """How the desk stands with Telegram."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    CONFLICT = "conflict"
    REFUSED = "refused"


_EXITS_ONLY = {
    LinkState.CONFLICT: Refusal(
        code="telegram_conflict",
        text="Another program receives this bot's messages too.",
        advice="Stop the other one; one bot belongs to one desk.",
    ),
    LinkState.REFUSED: Refusal(
        code="telegram_refused",
        text="Telegram refuses the bot's token.",
        advice="Mend TELEGRAM_BOT_TOKEN in .env and start the desk again.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why Telegram does not serve us, and the least wait before asking again."""

    state: LinkState
    detail: str
    least_wait: float = 0.0


def classify(error: AiogramError) -> Trouble:
    """What a failed call means. Details never repeat what came over the wire."""
    match error:
        case TelegramUnauthorizedError() | TelegramNotFound():
            return Trouble(
                state=LinkState.REFUSED,
                detail="Telegram refuses the bot's token",
                least_wait=REFUSED_WAIT_SECONDS,
            )
        case TelegramConflictError():
            other = "a webhook" if "webhook" in error.message else "another program"
            return Trouble(
                state=LinkState.CONFLICT,
                detail=f"{other} receives this bot's messages",
                least_wait=CONFLICT_WAIT_SECONDS,
            )
        case TelegramRetryAfter(retry_after=seconds):
            detail = f"Telegram asks to wait {seconds} s"
            return Trouble(state=LinkState.UNREACHABLE, detail=detail, least_wait=seconds)
        case TelegramNetworkError():
            return Trouble(state=LinkState.UNREACHABLE, detail="no answer from Telegram")
        case _:
            return Trouble(state=LinkState.UNREACHABLE, detail="Telegram has trouble of its own")


class TelegramLink:
    """The state of the connection, for `/health`, and the few lines the terminal hears of it."""

    def __init__(self, wall: Clock, say: Callable[[str], None]) -> None:
        self._wall = wall
        self._say = say
        self._told = False
        self._listeners: list[Callable[[LinkState], None]] = []
        self.state = LinkState.CONNECTING
        self.since: datetime = wall.utc_now()
        self.was_connected = False
        self._detail = "connecting"
        self._last_trouble: tuple[datetime, str] | None = None

    @property
    def ok(self) -> bool:
        """Whether updates arrive."""
        return self.state is LinkState.CONNECTED

    @property
    def away(self) -> bool:
        """Whether no call of any kind is known to be served."""
        return self.state in (LinkState.UNREACHABLE, LinkState.REFUSED)

    @property
    def detail(self) -> str:
        """The state in words; when all is well also the last trouble, while it is fresh."""
        if not self.ok or self._last_trouble is None:
            return self._detail
        at, what = self._last_trouble
        if self._wall.utc_now() - at > REMEMBERED:
            return self._detail
        return f"{self._detail}; last trouble {at:%H:%M:%S} UTC: {what}"

    def listen(self, listener: Callable[[LinkState], None]) -> None:
        """Call `listener` on every change of state."""
        self._listeners.append(listener)

    def connected(self) -> None:
        """A call was answered."""
        if self.state is LinkState.CONNECTED:
            return
        if self.was_connected:
            seconds = (self._wall.utc_now() - self.since).total_seconds()
            self._last_trouble = (self.since, f"{self._detail} for {seconds:.0f} s")
        self._enter(LinkState.CONNECTED, "connected")
        self.was_connected = True
        if self._told:
            self._say("Telegram is connected.")
            self._told = False

    def troubled(self, trouble: Trouble) -> None:
        """A call failed; each kind of trouble is told once, however often it is met."""
        if self.state is not trouble.state:
            self._enter(trouble.state, trouble.detail)
            self._told = False
        self._detail = trouble.detail
        if not self._told and self._worth_telling():
            self._told = True
            self._say(_words(trouble, first=not self.was_connected))

    def noted(self, what: str) -> None:
        """One message met trouble, while the connection as such may be well."""
        self._last_trouble = (self._wall.utc_now(), what)

    def _enter(self, state: LinkState, detail: str) -> None:
        log.info("telegram link", extra={"state": state.value, "detail": detail})
        self.state, self._detail, self.since = state, detail, self._wall.utc_now()
        for listener in self._listeners:
            listener(state)

    def _worth_telling(self) -> bool:
        if self.state is not LinkState.UNREACHABLE or not self.was_connected:
            return True
        return (self._wall.utc_now() - self.since).total_seconds() >= TOLD_AFTER_SECONDS


def halt_entries_without(link: TelegramLink, state: TradingState) -> None:
    """No new risk while somebody else may hold the buttons; exits are never affected."""

    def follow(now: LinkState) -> None:
        if now in _EXITS_ONLY:
            state.halt(HALT, _EXITS_ONLY[now])
        elif now is LinkState.CONNECTED:
            state.release(HALT)

    link.listen(follow)


def _words(trouble: Trouble, *, first: bool) -> str:
    match trouble.state:
        case LinkState.REFUSED:
            return (
                "TELEGRAM REFUSES THE BOT'S TOKEN: the chat is cut off, so nobody can tap Execute "
                f"or Close. {_GOES_ON}, and each keeps the stop at its venue. Was the token "
                "revoked? Mend TELEGRAM_BOT_TOKEN in .env and start the desk again."
            )
        case LinkState.CONFLICT:
            return (
                f"The chat does not answer: {trouble.detail}. Stop the other one (perhaps a second "
                "desk on another computer), or give this desk a bot of its own. "
                f"{_GOES_ON}; I keep trying every {CONFLICT_WAIT_SECONDS:.0f} s."
            )
        case _:
            yet = " yet" if first else ""
            return f"Telegram cannot be reached{yet} ({trouble.detail}). {_GOES_ON}; I keep trying."
