"""The last net: what went wrong is logged and said in plain words."""

import logging

from aiogram import Bot, Router
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from aiogram.types import ErrorEvent, Update

from bot.callbacks import may_send_order
from bot.late_answers import LateAnswers
from bot.posting import acknowledge
from bot.texts_errors import failure
from core.model.people import Person

log = logging.getLogger(__name__)


def create_router() -> Router:
    """Routes of errors."""
    router = Router(name="errors")
    router.errors.register(on_error)
    return router


async def on_error(
    event: ErrorEvent, bot: Bot, late_answers: LateAnswers, person: Person | None = None
) -> bool:
    """Log it; tell listed people; never fail again because of it."""
    error = event.exception
    if isinstance(error, AiogramError):
        log.warning("answer not delivered", extra={"cause": type(error).__name__})
    else:
        log.error("update failed", exc_info=error)
    if person is not None and isinstance(error, TelegramRetryAfter):
        late_answers.promise(bot, person.user_id, error)
    elif person is not None:
        await _try_to_tell(bot, event, person)
    return True


async def _try_to_tell(bot: Bot, event: ErrorEvent, person: Person) -> None:
    query = event.update.callback_query
    data = None if query is None else query.data
    text = failure(event.exception, order_possible=may_send_order(data))
    try:
        await _tell(bot, event.update, person, text)
    except AiogramError as error:
        log.warning("failure not told", extra={"cause": type(error).__name__})


async def _tell(bot: Bot, update: Update, person: Person, text: str) -> None:
    """A message survives what a toast, perhaps answered before, cannot."""
    if update.callback_query is not None:
        await acknowledge(update.callback_query)
    await bot.send_message(person.user_id, text)
