"""Tells people, when it is allowed again, that Telegram's flood control has cost them an answer."""

import logging

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter

from bot.services import Services
from bot.texts_errors import silenced

log = logging.getLogger(__name__)


class LateAnswers:
    """At most one such line waits for each chat."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: set[int] = set()

    def promise(self, bot: Bot, chat_id: int, refused: TelegramRetryAfter) -> None:
        """Say after the silence that an answer is missing."""
        if chat_id not in self._waiting:
            self._waiting.add(chat_id)
            self._services.start_job("late answer", self._tell(bot, chat_id, refused.retry_after))

    async def _tell(self, bot: Bot, chat_id: int, seconds: int) -> None:
        try:
            await self._services.clocks.wall.sleep(seconds)
            await bot.send_message(chat_id, silenced(seconds))
        except AiogramError as error:
            log.warning("late answer not sent", extra={"cause": type(error).__name__})
        finally:
            self._waiting.discard(chat_id)
