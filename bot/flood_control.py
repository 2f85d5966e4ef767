"""When Telegram asks for silence in a chat, nothing is sent there until the time is over."""

from collections import OrderedDict
from math import ceil

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

from core.clock import Clock

MOST_CHATS = 1000


class FloodControl(BaseRequestMiddleware):
    """Refuses calls into a silent chat by itself, whoever makes them."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._until: OrderedDict[int, float] = OrderedDict()

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """The answer; raises TelegramRetryAfter, perhaps without asking."""
        chat = chat_of(method)
        if chat is not None and (left := self._left(chat)) > 0:
            raise TelegramRetryAfter(method, "Too Many Requests (still)", ceil(left))
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            if chat is not None:
                self._silence(chat, error.retry_after)
            raise

    def _left(self, chat: int) -> float:
        return self._until.get(chat, 0.0) - self._wall.monotonic()

    def _silence(self, chat: int, seconds: float) -> None:
        self._until[chat] = self._wall.monotonic() + seconds
        self._until.move_to_end(chat)
        if len(self._until) > MOST_CHATS:
            self._until.popitem(last=False)


def chat_of(method: object) -> int | None:
    """The chat a call goes into; None when it concerns no chat."""
    chat = getattr(method, "chat_id", None)
    return chat if isinstance(chat, int) else None
