"""Help, greetings, and answers to what was not understood."""

from aiogram.utils.formatting import Bold, Text, as_list

from bot import formats
from bot.commands import CATALOGUE, CommandInfo, find_command, nearest_command
from bot.formats import plain
from core.model.people import Person
from core.model.position import AccountState

STRANGER = "This is a private trading desk."
VIEWER = "You follow this desk as a viewer; only its owner and traders can do that."
PRIVATE_ONLY = "I work in our private chat only."
TOO_MANY = "That was a lot at once, so I left the last ones out. Please wait a few seconds."
OLD_BUTTON = (
    "That button is from an older version of the desk. Nothing happened; /help shows what works."
)
NOT_TEXT = "I read text and buttons only. Try BTCUSD h1, or /help."
STOPPED = (
    "🔕 No more signal messages. Open positions and their stops stay as they are. "
    "/start switches messages on again."
)
_TRY = "Try BTCUSD h1, /signals or /help."
_LONG = 200


def overview(*, may_trade: bool) -> Text:
    """Every command with one line, and what else is understood."""
    offered = [info for info in CATALOGUE if may_trade or not info.trades]
    lines = [Text(f"{info.usage}  –  {info.summary}") for info in offered]
    return as_list(
        Bold("❓ What I understand"),
        *lines,
        "",
        "You can also just write: BTCUSD h1 · gold · analyse EURUSD · how am I doing"
        + (" · close btc" if may_trade else ""),
        "More about one command: /help analyse",
    )


def topic(word: str) -> Text | None:
    """More about one command, or None when there is no such command."""
    try:
        info = find_command(word.strip().lstrip("/"))
    except KeyError:
        return None
    return as_list(Bold(info.usage), info.details, *_also(info))


def unknown_topic(word: str) -> str:
    """`/help weather`."""
    return f"I have no help about “{plain(word, 30)}”. /help lists everything."


def greeting(person: Person, account: AccountState | None, mode: str) -> Text:
    """The first words: where you are, whose money, what is simulated."""
    follow = "You decide." if person.role.may_trade else "You follow along as a viewer."
    return as_list(
        Bold("👋 Welcome to Tapedesk."),
        f"I watch markets and explain what I see. {follow}",
        _setting(mode),
        _account(account),
        "Here is a first look at the market. Signal messages are on; /stop ends them.",
    )


def not_understood(text: str) -> str:
    """One helpful line for anything that is neither a command nor a market."""
    if len(text) > _LONG:
        return f"That is a long message; I only understand short ones. {_TRY}"
    if not any(character.isalnum() for character in text):
        return f"I understand words rather than symbols. {_TRY}"
    if text.startswith("/"):
        return _unknown_command(text)
    near = nearest_command(text) if len(text.split()) == 1 else None
    return f"I did not understand that. {f'Did you mean /{near.name}?' if near else _TRY}"


def did_you_mean(nearest: tuple[str, ...]) -> str:
    """A free text that looks like a market."""
    return f"I did not understand that. Did you mean {' or '.join(nearest)}?"


def _unknown_command(text: str) -> str:
    word = text.split(maxsplit=1)[0].lstrip("/").split("@")[0]
    near = nearest_command(word)
    asked = f"I do not know /{plain(word, 30)}."
    return f"{asked} Did you mean /{near.name}?" if near else f"{asked} /help lists everything."


def _also(info: CommandInfo) -> list[str]:
    return ["Also: " + ", ".join(f"/{name}" for name in info.aliases)] if info.aliases else []


def _setting(mode: str) -> str:
    if mode == "sandbox":
        return (
            "🧪 Sandbox: the market, the exchange and the account are simulated on this computer. "
            "No real money exists here, so try everything."
        )
    if mode == "paper":
        return "🧪 Paper trading: real prices, a simulated account. No order reaches a real market."
    return "🔴 Live: orders you execute move real money."


def _account(account: AccountState | None) -> str:
    if account is None:
        return "The account is not answering right now; I keep asking."
    kind = "Account" if account.real_money else "Paper account"
    currency = "" if account.currency == "USD" else f" {plain(account.currency, 5)}"
    equity = formats.money(account.equity)
    return f"{kind}: balance {formats.money(account.balance)}, equity {equity}{currency}."
