"""Arrows where the desk came in and went out."""

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np

from core.model.chart import ChartMark
from infra.charts.layout import LEFT, PRICE_PANEL
from infra.charts.shapes import Polygon, Shape, Text, pill
from infra.charts.view import LABEL_SIZE, View, short_label

HALF_WIDTH = 17.0
HEIGHT = 30.0
DISTANCE = 5.0


def marks(view: View) -> Iterator[Shape]:
    """One arrow and label per mark inside the visible time: below the price when it points up."""
    for mark in view.request.marks:
        place = bisect_right(view.columns.times, mark.time) - 1
        if place >= 0:
            yield from _mark(view, mark, float(view.slots.centres[place]))


def _mark(view: View, mark: ChartMark, x: float) -> Iterator[Shape]:
    side = 1.0 if mark.up else -1.0
    inner = 2 * HEIGHT + DISTANCE
    tip = float(
        np.clip(view.scale.y(mark.price), PRICE_PANEL.top + inner, PRICE_PANEL.bottom - inner)
    )
    tip += side * DISTANCE
    base = tip + side * HEIGHT
    colour = view.palette.up if mark.up else view.palette.down
    arrow = np.array([[x, tip], [x + HALF_WIDTH, base], [x - HALF_WIDTH, base], [x, tip]])
    yield Polygon(colour=colour, points=arrow, edge=view.palette.background)
    label = short_label(mark.label)
    if not label:
        return
    width = view.text_width(label, LABEL_SIZE, True)
    left = float(np.clip(x - width / 2, LEFT + 8, view.plot_right - width - 8))
    row = base + side * 22
    yield pill(view.palette.background, left - 8, row - 18, left + width + 8, row + 18)
    yield Text(text=label, x=left, y=row, size=LABEL_SIZE, colour=colour, bold=True)
