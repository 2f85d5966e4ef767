"""What a button carries: ids and revisions only, never symbols or list indexes (<= 64 bytes)."""

from enum import StrEnum
from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

from core.model.market import Timeframe

LARGEST_ID = 2**53
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""Journal ids; the bound keeps garbage out of the database driver."""


class SignalAction(StrEnum):
    """What a tap on a signal card asks for."""

    EXECUTE = "x"
    DISMISS = "d"
    NEW_PRICE = "n"
    SHOW = "v"


class PositionAction(StrEnum):
    """What a tap on a position asks for."""

    CLOSE = "c"
    VIEW = "v"
    REFRESH = "r"


class MenuAction(StrEnum):
    """Buttons that belong to no row of the journal."""

    PRACTICE = "p"
    MARKETS = "m"
    POSITIONS = "l"


class SignalTap(CallbackData, prefix="s"):
    """`s:<action>:<id>:<rev>`; an old `rev` makes the button powerless."""

    action: SignalAction
    id: Id
    rev: Id


class PositionTap(CallbackData, prefix="p"):
    """`p:<action>:<id>:<rev>`."""

    action: PositionAction
    id: Id
    rev: Id


class AnalysisTap(CallbackData, prefix="a"):
    """`a:<timeframe>:<id>`; the id names a remembered analysis card."""

    timeframe: Timeframe
    id: Id


class MenuTap(CallbackData, prefix="m"):
    """`m:<action>`."""

    action: MenuAction


_HARMLESS_PREFIXES = (
    f"s:{SignalAction.SHOW}:",
    f"p:{PositionAction.VIEW}:",
    f"p:{PositionAction.REFRESH}:",
    "a:",
    f"m:{MenuAction.MARKETS}",
    f"m:{MenuAction.POSITIONS}",
)
_ORDER_PREFIXES = (f"s:{SignalAction.EXECUTE}:", f"p:{PositionAction.CLOSE}:")


def only_looks(data: str | None) -> bool:
    """Whether a tap changes nothing; what is not known to be harmless counts as a change."""
    return data is not None and data.startswith(_HARMLESS_PREFIXES)


def may_send_order(data: str | None) -> bool:
    """Whether a tap may lead to an order."""
    return data is not None and data.startswith(_ORDER_PREFIXES)
