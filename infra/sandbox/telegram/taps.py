"""Taps that wait for answerCallbackQuery, for as long as Telegram lets them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from infra.sandbox.telegram.faults import bad_request

ANSWER_WITHIN = timedelta(seconds=15)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


@dataclass(slots=True, kw_only=True)
class OpenTap:
    """A tap of one person; `update_id` names it on the chat page."""

    chat_id: int
    update_id: int
    at: datetime
    answered: bool = False


class OpenTaps:
    """By callback query id. They do not outlive the process: an old tap is "too old" anyway."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._taps: dict[str, OpenTap] = {}

    def open(self, query_id: str, chat_id: int, update_id: int) -> None:
        """Remember a fresh tap and forget old ones."""
        now = self._wall.utc_now()
        self._taps = {k: tap for k, tap in self._taps.items() if now - tap.at <= ANSWER_WITHIN}
        self._taps[query_id] = OpenTap(chat_id=chat_id, update_id=update_id, at=now)

    def answer(self, query_id: str) -> OpenTap | None:
        """The tap being answered, None when it was answered before; raises BotApiError."""
        tap = self._taps.get(query_id)
        if tap is None or self._wall.utc_now() - tap.at > ANSWER_WITHIN:
            raise bad_request(TOO_OLD)
        first, tap.answered = not tap.answered, True
        return tap if first else None
