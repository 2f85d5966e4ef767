"""Asks Telegram about the token. The token appears in no finding."""

from collections.abc import Mapping
from http import HTTPStatus
from json import JSONDecodeError
from urllib.parse import urlsplit

import aiohttp

from infra.doctor.finding import Finding, failure, good, warning

MEND = "mend TELEGRAM_BOT_TOKEN in .env (@BotFather shows it)"


async def check_telegram(session: aiohttp.ClientSession, base: str, token: str) -> Finding:
    """Whether the token is good and whether messages are fetched by us alone.

    It does not fetch updates: that would disturb a desk that is running.
    """
    host = urlsplit(base).hostname
    try:
        me = await _call(session, base, token, "getMe")
        webhook = await _call(session, base, token, "getWebhookInfo") if me.get("ok") else {}
    except (aiohttp.ClientConnectionError, OSError):
        return failure("telegram", f"no answer from {host}; check the network or a firewall")
    except (aiohttp.ClientError, JSONDecodeError, UnicodeDecodeError):
        return failure("telegram", f"{host} has trouble of its own; try again later")
    if me.get("error_code") in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        return failure("telegram", f"the token is refused; {MEND}")
    bot, info = me.get("result"), webhook.get("result")
    if not isinstance(bot, Mapping):
        return failure("telegram", f"{host} gives no answer to getMe; try again later")
    name = f"the token is good, the bot is @{bot.get('username')}"
    if isinstance(info, Mapping) and info.get("url"):
        return warning("telegram", f"{name}; a webhook is set, which the desk removes at its start")
    return good("telegram", name)


async def _call(
    session: aiohttp.ClientSession, base: str, token: str, method: str
) -> Mapping[str, object]:
    async with session.post(f"{base}/bot{token}/{method}") as answer:
        found = await answer.json(content_type=None)
    return found if isinstance(found, Mapping) else {}
