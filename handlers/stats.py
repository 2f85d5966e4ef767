"""/stats: results of finished trades."""

from datetime import timedelta

from aiogram import F, Router
from aiogram.filters import CommandObject
from aiogram.types import Message

from bot import keyboards, texts_journal
from bot.commands import command
from bot.services import Services

_PERIODS = {"7d": timedelta(days=7), "30d": timedelta(days=30), "all": None}


def create_router() -> Router:
    """Routes of the statistics."""
    router = Router(name="stats")
    router.message.register(on_stats, command("stats"))
    router.message.register(on_word, F.text == keyboards.WORD_STATS)
    return router


async def on_stats(message: Message, command: CommandObject, services: Services) -> None:
    """Results of a period."""
    period = (command.args or "all").strip().casefold()
    if period in _PERIODS:
        await show_statistics(message, services, _PERIODS[period])
    else:
        await message.answer(texts_journal.BAD_PERIOD)


async def on_word(message: Message, services: Services) -> None:
    """All results."""
    await show_statistics(message, services, None)


async def show_statistics(message: Message, services: Services, period: timedelta | None) -> None:
    """Results since `period` ago, or all of them."""
    since = None if period is None else services.clocks.wall.utc_now() - period
    text = texts_journal.statistics(await services.statistics(since), services.watermark)
    await message.answer(**text.as_kwargs())
