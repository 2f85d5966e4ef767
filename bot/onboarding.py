"""Command menus: strangers see two commands, everybody else what they may use."""

import logging
from collections.abc import Iterable

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BotCommandScopeDefault,
    MenuButtonCommands,
)

from bot.commands import CATALOGUE
from core.model.people import Person, Role

log = logging.getLogger(__name__)


def menu(role: Role | None) -> list[BotCommand]:
    """The commands offered to a role; None is a stranger."""
    return [
        BotCommand(command=info.name, description=info.summary)
        for info in CATALOGUE
        if info.public or (role is not None and (role.may_trade or not info.trades))
    ]


async def publish_menus(bot: Bot, people: Iterable[Person]) -> None:
    """Set the menus; somebody who never opened the chat is left for their first /start."""
    try:
        await bot.set_my_commands(menu(None), BotCommandScopeDefault())
        await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    except AiogramError as error:
        log.warning("menu not set", extra={"cause": type(error).__name__})
    for person in people:
        await publish_menu(bot, person)


async def publish_menu(bot: Bot, person: Person) -> None:
    """Set one person's menu."""
    try:
        await bot.set_my_commands(menu(person.role), BotCommandScopeChat(chat_id=person.user_id))
    except AiogramError as error:
        cause = type(error).__name__
        log.warning("menu not set", extra={"user_id": person.user_id, "cause": cause})
