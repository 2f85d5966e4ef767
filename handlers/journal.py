"""/journal: finished trades and the record of one."""

from aiogram import F, Router
from aiogram.filters import CommandObject
from aiogram.types import Message
from aiogram.utils.formatting import Text

from bot import keyboards, texts_journal
from bot.callbacks import LARGEST_ID
from bot.commands import command
from bot.formats import digits_of
from bot.services import Services

_LATEST = 10


def create_router() -> Router:
    """Routes of the journal."""
    router = Router(name="journal")
    router.message.register(on_journal, command("journal"))
    router.message.register(on_word, F.text == keyboards.WORD_JOURNAL)
    return router


async def on_journal(message: Message, command: CommandObject, services: Services) -> None:
    """The latest trades, or one of them."""
    text = await (_one(command.args, services) if command.args else _latest(services))
    await message.answer(**text.as_kwargs())


async def on_word(message: Message, services: Services) -> None:
    """The latest trades."""
    await message.answer(**(await _latest(services)).as_kwargs())


async def _latest(services: Services) -> Text:
    closed = await services.positions.closed(_LATEST)
    return texts_journal.journal(closed) if closed else Text(texts_journal.EMPTY)


async def _one(wanted: str, services: Services) -> Text:
    name = wanted.strip().lstrip("#")
    if not (name.isdecimal() and name.isascii()) or len(name) > len(str(LARGEST_ID)):
        return Text(texts_journal.BAD_NUMBER)
    number = min(int(name), LARGEST_ID)
    position = await services.positions.get(number)
    if position is None:
        return Text(texts_journal.no_such(number))
    return texts_journal.trade(position, digits_of(services.registry, position.instrument))
