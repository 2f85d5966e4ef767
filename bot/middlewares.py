"""The one gate every update passes: who is it, may they, and under which correlation id."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.enums import ChatType
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, Message, TelegramObject, Update
from structlog.contextvars import bound_contextvars

from bot import texts_help
from bot.callbacks import only_looks
from bot.pairing_gate import PairingGate
from bot.posting import acknowledge
from bot.throttle import OncePerDay, Throttle
from core.clock import Clock
from core.errors import JournalError
from core.model.people import Person
from core.ports.journal import UserStore

log = logging.getLogger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class AccessMiddleware(BaseMiddleware):
    """Deny by default, on messages and taps alike; gives handlers `person`."""

    def __init__(self, users: UserStore, wall: Clock, gate: PairingGate) -> None:
        self._users = users
        self._gate = gate
        self._throttle = Throttle(wall)
        self._strangers = OncePerDay(wall)
        self._stranger_taps = OncePerDay(wall)
        self._groups = OncePerDay(wall)
        self._seen: dict[int, Person] = {}

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Let an update through to its handler, or answer it here."""
        if not isinstance(event, Update):
            return None
        source = event.message or event.callback_query
        if source is None or source.from_user is None:
            return None
        user_id = source.from_user.id
        with bound_contextvars(correlation=f"u{event.update_id}", user=user_id):
            person = await self._person(user_id)
            if person is None and await self._pairs(source):
                person = await self._person(user_id)
            refusal = self._refusal(person, source, user_id)
            if refusal is not None:
                return await _refuse(source, refusal, data["bot"])
            data["person"] = person
            return await handler(event, data)

    async def _person(self, user_id: int) -> Person | None:
        """The listed person. Without a journal, somebody seen before may at least be told so."""
        try:
            person = await self._users.get(user_id)
        except JournalError:
            return self._seen.get(user_id)
        if person is None:
            self._seen.pop(user_id, None)
        else:
            self._seen[user_id] = person
        return person

    async def _pairs(self, source: Message | CallbackQuery) -> bool:
        if not isinstance(source, Message) or not _is_private(source):
            return False
        return await self._gate.admits(source)

    def _refusal(
        self, person: Person | None, source: Message | CallbackQuery, user_id: int
    ) -> str | None:
        """None to let it pass; a text to say; an empty text for silence."""
        private = _is_private(source)
        if person is None:
            tap = isinstance(source, CallbackQuery)
            once = self._stranger_taps if tap else self._strangers
            heard = (tap or private) and once.first(user_id)
            return texts_help.STRANGER if heard else ""
        if not private:
            return self._outside(source)
        if excess := self._throttle.excess(user_id):
            spoken = isinstance(source, CallbackQuery) or excess == 1
            return texts_help.TOO_MANY if spoken else ""
        if isinstance(source, CallbackQuery) and not _may_tap(person, source):
            return texts_help.VIEWER
        return None

    def _outside(self, source: Message | CallbackQuery) -> str:
        if isinstance(source, CallbackQuery):
            return texts_help.PRIVATE_ONLY
        is_command = (source.text or "").startswith("/")
        return texts_help.PRIVATE_ONLY if is_command and self._groups.first(source.chat.id) else ""


def _is_private(source: Message | CallbackQuery) -> bool:
    message = source if isinstance(source, Message) else source.message
    return message is not None and message.chat.type == ChatType.PRIVATE


def _may_tap(person: Person, query: CallbackQuery) -> bool:
    return person.role.may_trade or only_looks(query.data)


async def _refuse(source: Message | CallbackQuery, text: str, bot: Bot) -> None:
    if not text:
        return
    try:
        if isinstance(source, CallbackQuery):
            await acknowledge(source, text)
        else:
            await bot.send_message(source.chat.id, text)
    except AiogramError as error:
        log.warning("refusal not delivered", extra={"cause": type(error).__name__})
