"""The words after `python run.py`, checked before anything is opened (standard library only)."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

MAX_PORT = 65_535
MAX_SPEED = 1_000.0
MAX_SEED = 2**32 - 1
LONGEST = len(str(MAX_SEED))
WRONG_WORDS_EXIT = 2

OPTIONS = (
    "--home", "--port", "--market", "--file", "--speed", "--seed", "--broker", "--no-browser",
    "--help",
)  # fmt: skip

DESCRIPTION = """\
Opens the trading desk. Without a Telegram token it opens in its sandbox: a chat page in the
browser, a simulated market and a paper account, all on this computer and with no real money.
Settings come from .env and the environment (.env.example lists them); options win over both.
"""
EXAMPLES = """\
examples:
  python run.py                        the sandbox
  python run.py --speed 10 --seed 42   another market, ten times as fast
  python run.py --home D:/desk         keep the files elsewhere
  python run.py doctor                 check settings, network, clock, disk and journal

Ctrl-C stops the desk. Open positions stay protected by the stop at their venue.
"""


class Command(StrEnum):
    """What to do."""

    DESK = "desk"
    DOCTOR = "doctor"


COMMANDS = (*Command, "test")
"""`run.py` itself does `test`; it is here so that a misspelt one is recognised."""


class MarketChoice(StrEnum):
    """Where prices come from."""

    SIMULATED = "simulated"
    RECORDED = "recorded"
    LIVE = "live"


class BrokerChoice(StrEnum):
    """Where orders go."""

    PAPER = "paper"
    MT5_SIMULATED = "mt5-sim"
    MT5 = "mt5"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOptions:
    """What was asked for on the command line; None = not given."""

    command: Command = Command.DESK
    home: Path | None = None
    port: int | None = None
    """0 takes any free port."""
    market: MarketChoice | None = None
    file: Path | None = None
    speed: float | None = None
    """Market seconds per second, above 0 and at most 1000."""
    seed: int | None = None
    broker: BrokerChoice | None = None
    open_browser: bool = True


def parse_command_line(words: Sequence[str]) -> DeskOptions:
    """The options in `words`; exits with status 2 and one plain line when they make no sense."""
    parser = desk_parser()
    found, unknown = parser.parse_known_args(words)
    if unknown:
        parser.error(f"{unknown[0]!r} is not an option{_nearest(unknown[0], OPTIONS)}")
    if found.command not in list(Command):
        parser.error(f"There is no command {found.command!r}{_nearest(found.command, COMMANDS)}")
    return DeskOptions(
        command=Command(found.command),
        home=found.home,
        port=found.port,
        market=found.market,
        file=found.file,
        speed=found.speed,
        seed=found.seed,
        broker=found.broker,
        open_browser=found.open_browser,
    )


def desk_parser() -> argparse.ArgumentParser:
    """The parser; `run.py` prints its help without any installed package."""
    parser = _Parser(
        prog="python run.py",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "command",
        nargs="?",
        default=Command.DESK,
        metavar="COMMAND",
        help="desk opens the desk (the default), doctor checks it and says what to mend",
    )
    add("--home", type=_folder, metavar="DIR", help="where the desk keeps its files")
    add("--port", type=_whole(MAX_PORT), metavar="N", help="of the chat page; 0 = any free port")
    add("--market", type=_one_of(MarketChoice), metavar="KIND", help=_names(MarketChoice))
    add("--file", type=Path, metavar="F", help="the recording that --market recorded plays")
    add("--speed", type=_speed, metavar="X", help="market seconds per second, up to 1000")
    add("--seed", type=_whole(MAX_SEED), metavar="N", help="which simulated market")
    add("--broker", type=_one_of(BrokerChoice), metavar="KIND", help=_names(BrokerChoice))
    add(
        "--no-browser",
        dest="open_browser",
        action="store_false",
        help="do not open the chat page by itself",
    )
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line that says what is wrong, without the usage wall."""
        plain = message.removeprefix("argument ")
        stop = "" if plain.endswith("?") else "."
        sys.stderr.write(f"{plain}{stop} `python run.py --help` lists all options.\n")
        raise SystemExit(WRONG_WORDS_EXIT)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("needs the name of a folder")
    return Path(text).expanduser()


def _whole(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST and int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {most}")
        return int(text)

    return parse


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed <= MAX_SPEED:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number above 0 and at most {MAX_SPEED:g}"
        )
    return speed


def _one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    def parse(text: str) -> StrEnum:
        try:
            return choices(text)
        except ValueError:
            hint = _nearest(text, list(choices)) or f"; choose {_names(choices)}"
            raise argparse.ArgumentTypeError(f"there is no {text!r}{hint}") from None

    return parse


def _names(choices: type[StrEnum]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}"


def _nearest(word: str, known: Sequence[str]) -> str:
    found = get_close_matches(word.partition("=")[0].lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""
