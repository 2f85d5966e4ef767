"""The catalogue of commands: menu, help, nearest match and filters all come from here."""

from dataclasses import dataclass
from difflib import get_close_matches

from aiogram.filters import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandInfo:
    """One command as a person meets it."""

    name: str
    summary: str
    """For the menu; at most 256 characters."""
    usage: str
    details: str
    aliases: tuple[str, ...] = ()
    trades: bool = False
    """Not offered to viewers."""
    public: bool = False
    """In the menu that strangers see."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


CATALOGUE = (
    CommandInfo(
        name="start",
        summary="Begin: what this desk is, a first look at the market",
        usage="/start",
        details="Greets you, shows the account and a first analysis, and switches signal "
        "messages on.",
        public=True,
    ),
    CommandInfo(
        name="analyse",
        aliases=("analyze", "a"),
        summary="Look at a market now",
        usage="/analyse BTCUSD H1",
        details="A chart, the price with its age, trend, order flow, and a plan or the reason why "
        "there is no trade. Shorter: /a btc, or just BTCUSD h1.",
    ),
    CommandInfo(
        name="signals",
        summary="Open signals and the last ten",
        usage="/signals",
        details="Trade ideas that wait for your decision, then the last ten with what became of "
        "them. A card says what you risk before you tap Execute.",
    ),
    CommandInfo(
        name="positions",
        aliases=("p",),
        summary="What is open now",
        usage="/positions",
        details="Every open position with its result so far. Tap one for a live card with a Close "
        "button. Shorter: /p.",
    ),
    CommandInfo(
        name="close",
        summary="Show a position so you can close it",
        usage="/close BTCUSD",
        details="Opens the card of that position; nothing is closed until you tap Close on it. "
        "/close 12 takes a position number.",
        trades=True,
    ),
    CommandInfo(
        name="journal",
        summary="Finished trades",
        usage="/journal",
        details="The last ten finished trades. /journal 12 tells everything about position 12.",
    ),
    CommandInfo(
        name="stats",
        summary="How the trades did",
        usage="/stats 30d",
        details="Results of finished trades: /stats 7d, /stats 30d or /stats all. Practice trades "
        "are counted apart.",
    ),
    CommandInfo(
        name="health",
        aliases=("status",),
        summary="Is everything working?",
        usage="/health",
        details="Age of every price feed, the journal, the venue, and how long the desk has run.",
    ),
    CommandInfo(
        name="stop",
        summary="No more signal messages",
        usage="/stop",
        details="Signal messages stop; open positions and their stops stay as they are. "
        "/start switches messages on again.",
    ),
    CommandInfo(
        name="help",
        summary="What I understand",
        usage="/help analyse",
        details="This list, or more about one command.",
        public=True,
    ),
)


def command(name: str) -> Command:
    """The filter for a command of the catalogue and its aliases, in any case of letters."""
    return Command(*find_command(name).names, ignore_case=True)


def find_command(name: str) -> CommandInfo:
    """A command of the catalogue by name or alias; raises KeyError."""
    for info in CATALOGUE:
        if name.casefold() in info.names:
            return info
    raise KeyError(name)


def nearest_command(word: str) -> CommandInfo | None:
    """The command somebody probably meant."""
    known = [name for info in CATALOGUE for name in info.names]
    found = get_close_matches(word.casefold()[:40], known, n=1, cutoff=0.6)
    return find_command(found[0]) if found else None
