"""What people write without a slash: symbols, timeframes and a few phrases."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from core.errors import UnknownInstrumentError
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Timeframe

DEFAULT_SYMBOL = "BTCUSD"
DEFAULT_TIMEFRAME = Timeframe.M15
LONGEST_PHRASE = 200
_WORD = re.compile(r"[\w/\-]+")
_VERBS = frozenset(("analyse", "analyze", "analysis", "chart", "check", "look", "price", "show"))
_SMALL_WORDS = frozenset(("a", "at", "flow", "for", "gpt", "how", "is", "me", "now", "of", "on"))
_FILLERS = _VERBS | _SMALL_WORDS | {"order", "please", "the", "what"}
_HOW_AM_I_DOING = re.compile(r"\b(how am i doing|my (results|stats)|statistics)\b")
_CLOSE = re.compile(r"^close\s+(?P<what>.+)$")
_UNITS = {"m": "M", "min": "M", "h": "H", "d": "D"}
_SHORT = re.compile(r"^(?:(?P<u1>m|h|d)(?P<n1>\d+)|(?P<n2>\d+)(?P<u2>min|m|h|d))$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisWish:
    """Somebody wants to see a market."""

    instrument: Instrument
    timeframe: Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWish:
    """Somebody wants to close the position named by `what` (a number or a symbol)."""

    what: str


class SimpleWish(Enum):
    """Wishes without details."""

    STATISTICS = auto()


Wish = AnalysisWish | CloseWish | SimpleWish


def understand(text: str, registry: InstrumentRegistry) -> Wish | None:
    """What a free text asks for, or None."""
    phrase = text.strip().casefold()
    if not phrase or len(phrase) > LONGEST_PHRASE:
        return None
    if _HOW_AM_I_DOING.search(phrase):
        return SimpleWish.STATISTICS
    if found := _CLOSE.match(phrase):
        return CloseWish(what=found["what"])
    words = [word for word in _WORD.findall(phrase) if word not in _FILLERS]
    try:
        return read_analysis(" ".join(words), registry) if words else None
    except UnknownInstrumentError:
        return None


def read_analysis(arguments: str | None, registry: InstrumentRegistry) -> AnalysisWish:
    """`BTCUSD h1`, `1h gold`, `btc usd`, nothing; raises UnknownInstrumentError."""
    timeframe = DEFAULT_TIMEFRAME
    names = []
    for word in (arguments or "").split():
        if found := read_timeframe(word):
            timeframe = found
        else:
            names.append(word)
    name = "".join(names) or DEFAULT_SYMBOL
    return AnalysisWish(instrument=registry.find(name), timeframe=timeframe)


def read_timeframe(word: str) -> Timeframe | None:
    """`m15`, `15m`, `1h`, `H4`, `d1`; None for everything else."""
    found = _SHORT.match(word.casefold())
    if found is None:
        return None
    unit = _UNITS[found["u1"] or found["u2"]]
    name = f"{unit}{found['n1'] or found['n2']}"
    return Timeframe(name) if name in Timeframe.__members__ else None
