"""What a chart shows: plain columns and levels, drawn elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.market import Bar


class LevelKind(StrEnum):
    """How a horizontal level is drawn."""

    PRICE = "price"
    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    SUPPORT = "support"
    RESISTANCE = "resistance"


class Theme(StrEnum):
    """Colour scheme."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLevel:
    """A horizontal level with its tag."""

    kind: LevelKind
    price: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartMark:
    """A marked moment (entry, exit)."""

    time: datetime
    price: float
    label: str
    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRequest:
    """One candle chart for a phone. `lines` are (name, one value or None per bar)."""

    title: str
    """e.g. 'BTCUSD · M15'."""
    stamp: str
    """e.g. '2026-11-17 13:07 UTC'."""
    watermark: str
    """'SIMULATED', 'PAPER', 'LIVE'."""
    price_digits: int
    bars: tuple[Bar, ...]
    lines: tuple[tuple[str, tuple[float | None, ...]], ...] = ()
    levels: tuple[ChartLevel, ...] = ()
    marks: tuple[ChartMark, ...] = ()
    theme: Theme = Theme.DARK
