"""What a picture is made of, in pixels from the top left corner, painted in order."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from infra.charts.palette import Colour

Floats = NDArray[np.float64]


class Align(StrEnum):
    """Which part of a text its x names."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangles:
    """Filled boxes of one colour; `boxes` is (n, 4): left, top, right, bottom."""

    colour: Colour
    boxes: Floats
    alpha: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polyline:
    """An open line through `points` (n, 2); a NaN row interrupts it."""

    colour: Colour
    points: Floats
    width: float
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """One filled, smooth-edged outline through `points` (n, 2)."""

    colour: Colour
    points: Floats
    edge: Colour | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; `y` is the middle of its capitals, `size` the font size in pixels."""

    text: str
    x: float
    y: float
    size: float
    colour: Colour
    bold: bool = False
    align: Align = Align.LEFT
    alpha: float = 1.0


Shape = Rectangles | Polyline | Polygon | Text


def box(colour: Colour, left: float, top: float, right: float, bottom: float) -> Rectangles:
    """One filled box on whole pixels."""
    return Rectangles(colour=colour, boxes=np.rint([[left, top, right, bottom]]))


def pill(colour: Colour, left: float, top: float, right: float, bottom: float) -> Polygon:
    """One filled box with round corners."""
    radius = min(8.0, (bottom - top) / 2)
    quarter = np.linspace(0.0, np.pi / 2, 5)
    corners = (
        (right - radius, bottom - radius),
        (left + radius, bottom - radius),
        (left + radius, top + radius),
        (right - radius, top + radius),
    )
    points = [
        (x + radius * np.cos(angle), y + radius * np.sin(angle))
        for turn, (x, y) in enumerate(corners)
        for angle in quarter + turn * np.pi / 2
    ]
    return Polygon(colour=colour, points=np.array(points))
