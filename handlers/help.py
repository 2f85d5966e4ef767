"""/help, in general and about one command."""

from aiogram import F, Router
from aiogram.filters import CommandObject
from aiogram.types import Message
from aiogram.utils.formatting import Text

from bot import keyboards, texts_help
from bot.commands import command
from core.model.people import Person


def create_router() -> Router:
    """Routes of help."""
    router = Router(name="help")
    router.message.register(on_help, command("help"))
    router.message.register(on_word, F.text == keyboards.WORD_HELP)
    return router


async def on_help(message: Message, command: CommandObject, person: Person) -> None:
    """Everything, or one topic."""
    text = texts_help.overview(may_trade=person.role.may_trade)
    if command.args:
        text = texts_help.topic(command.args) or Text(texts_help.unknown_topic(command.args))
    await message.answer(**text.as_kwargs())


async def on_word(message: Message, person: Person) -> None:
    """Everything."""
    await message.answer(**texts_help.overview(may_trade=person.role.may_trade).as_kwargs())
