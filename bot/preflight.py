"""Before and while the bot polls: is the token good, are we alone, can Telegram be reached?"""

from collections.abc import Callable
from urllib.parse import urlsplit

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import GetMe
from aiogram.types import User

from bot.flood_control import FloodControl
from bot.patient_calls import PatientCalls
from bot.readable_answers import ReadableAnswers
from bot.telegram_link import LinkState, TelegramLink, classify, halt_entries_without
from core.clock import Clock
from core.errors import StartupRefusedError
from core.risk.trading_state import TradingState

FIRST_CHECK_SECONDS = 5
REQUEST_SECONDS = 15.0
"""A call that takes longer is lost; whoever waits for it has other things to do."""


async def guard_bot(
    bot: Bot, state: TradingState, wall: Clock, say: Callable[[str], None]
) -> TelegramLink:
    """Check the token once, then wait out every trouble; entries halt where the chat is not ours.

    Raises StartupRefusedError when Telegram refuses the token.
    """
    link = TelegramLink(wall, say)
    halt_entries_without(link, state)
    await check_token(bot, link)
    bot.session.timeout = REQUEST_SECONDS
    be_patient(bot, link, wall)
    bot.session.middleware(FloodControl(wall))
    bot.session.middleware(ReadableAnswers(link))
    return link


async def check_token(bot: Bot, link: TelegramLink) -> None:
    """Ask Telegram once whether the token is good, before anything else waits for it.

    Raises StartupRefusedError when it is not. When Telegram cannot be reached the answer comes
    later; that is told and is no reason not to open. Call it before `be_patient`.
    """
    try:
        await bot(GetMe(), request_timeout=FIRST_CHECK_SECONDS)
    except AiogramError as error:
        trouble = classify(error)
        if trouble.state is LinkState.REFUSED:
            raise StartupRefusedError(
                "Telegram refused the token, so this bot does not exist (any more): mend "
                "TELEGRAM_BOT_TOKEN in .env. @BotFather shows the token of each of your bots."
            ) from None
        link.troubled(trouble)


def be_patient(bot: Bot, link: TelegramLink, wall: Clock) -> None:
    """From now on, calls that may be repeated wait until Telegram answers."""
    bot.session.middleware(PatientCalls(link, wall))


async def meet_telegram(bot: Bot, say: Callable[[str], None]) -> User:
    """Wait until this desk alone receives the bot's messages; who the bot is.

    A webhook is removed, waiting messages are kept. Needs `be_patient`, and then never fails.
    """
    me = await bot.me()
    webhook = await bot.get_webhook_info()
    if webhook.url:
        await bot.delete_webhook(drop_pending_updates=False)
        say(
            f"This bot's messages went to a webhook at {urlsplit(webhook.url).hostname}; I removed "
            "it, because the desk fetches them itself. Messages that were waiting are kept."
        )
    await bot.get_updates(limit=1, timeout=0)
    return me
