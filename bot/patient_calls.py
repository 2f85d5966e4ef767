"""Harmless calls that wait until Telegram answers, and read past updates nobody can read."""

import logging
from typing import Any, cast

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import AiogramError, ClientDecodeError
from aiogram.methods import DeleteWebhook, GetMe, GetUpdates, GetWebhookInfo, Response
from aiogram.methods.base import TelegramMethod, TelegramType
from aiogram.types import Update
from pydantic import ValidationError

from bot.telegram_link import TelegramLink, classify
from core.clock import Clock

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
REPEATABLE = (GetMe, GetUpdates, GetWebhookInfo, DeleteWebhook)
"""Calls that may be made any number of times: these wait until Telegram answers."""


class PatientCalls(BaseRequestMiddleware):
    """Repeats harmless calls until Telegram answers, keeping the link's state up to date."""

    def __init__(self, link: TelegramLink, wall: Clock) -> None:
        self._link = link
        self._wall = wall

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """The answer of a repeatable call, however long that takes; others pass through."""
        if not _is_one_of(method, REPEATABLE):
            return await make_request(bot, method)
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                answer = await make_request(bot, method)
            except AiogramError as error:
                found = _readable(bot, method, error)
                if isinstance(found, list):
                    self._link.connected()
                    return cast("Response[TelegramType]", found)
                if found is not None:
                    method = _starting_at(method, found)
                    continue
                trouble = classify(error)
                self._link.troubled(trouble)
                await self._wall.sleep(max(wait, trouble.least_wait))
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                method = _asking_briefly(method)
            else:
                if _is_one_of(method, (GetUpdates,)):
                    self._link.connected()
                return answer


def _is_one_of(method: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(method, kinds)


def _asking_briefly(method: TelegramMethod[TelegramType]) -> TelegramMethod[TelegramType]:
    """After trouble a short poll tells at once that it is over."""
    brief = {"timeout": 0}
    return method.model_copy(update=brief) if _is_one_of(method, (GetUpdates,)) else method


def _starting_at(
    method: TelegramMethod[TelegramType], update_id: int
) -> TelegramMethod[TelegramType]:
    return method.model_copy(update={"offset": update_id})


def _readable(
    bot: Bot, method: TelegramMethod[TelegramType], error: AiogramError
) -> list[Update] | int | None:
    """What a poll brought that aiogram refuses as a whole because of one update.

    The readable updates; without any, the id to go on from; None when it is no such trouble. One
    broken update must not come again and again and keep all others away.
    """
    data: Any = error.data if isinstance(error, ClientDecodeError) else None
    rows = data.get("result") if isinstance(data, dict) and data.get("ok") is True else None
    if not _is_one_of(method, (GetUpdates,)) or not isinstance(rows, list):
        return None
    found = [row.get("update_id") for row in rows if isinstance(row, dict)]
    ids = [update_id for update_id in found if isinstance(update_id, int)]
    good = [update for row in rows if (update := _update(bot, row)) is not None]
    log.warning("unreadable update passed over", extra={"count": len(rows) - len(good)})
    if good:
        return good
    return max(ids) + 1 if ids else None


def _update(bot: Bot, row: object) -> Update | None:
    try:
        return Update.model_validate(row, context={"bot": bot})
    except ValidationError:
        return None
