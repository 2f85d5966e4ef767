"""The market itself: sessions, grid, candles, lines, volume and delta."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.model.market import Timeframe
from infra.charts.layout import (
    BOTTOM_OF_PLOT,
    DELTA_PANEL,
    LEFT,
    PRICE_PANEL,
    TALL_VOLUME_PANEL,
    TICK_GAP_PIXELS,
    TOP_OF_PLOT,
    VOLUME_PANEL,
    Panel,
    price_ticks,
    time_ticks,
)
from infra.charts.palette import Colour
from infra.charts.shapes import Align, Floats, Polyline, Rectangles, Shape, Text, box
from infra.charts.view import View

AXIS_SIZE = 31.0
SMALL_SIZE = 27.0
LINE_WIDTH = 3.5
HOLLOW = np.array([2.0, 2.0, -2.0, -2.0])
"""Added to a body's edges it gives the hole of a bar that is still forming."""
SESSION_ENDS = (8, 13, 22)
"""UTC hours at which the Asian, the London and the New York session end."""
SESSION_NAMES = ("Asia", "London", "New York")


def sessions(view: View) -> Iterator[Shape]:
    """Background bands with their names, on timeframes up to one hour."""
    if view.columns.timeframe.seconds > Timeframe.H1.seconds:
        return
    kinds = np.array([sum(t.hour >= end for end in SESSION_ENDS) for t in view.columns.times])
    half = view.slots.pitch / 2
    edges = np.flatnonzero(np.diff(kinds)) + 1
    for run in np.split(np.arange(len(kinds)), edges):
        kind = kinds[run[0]]
        if kind == len(SESSION_NAMES):
            continue
        left, right = view.slots.centres[run[0]] - half, view.slots.centres[run[-1]] + half
        yield box(view.palette.sessions[kind], left, TOP_OF_PLOT, right, BOTTOM_OF_PLOT)
        name = SESSION_NAMES[kind]
        if view.text_width(name, SMALL_SIZE, False) < right - left - 12:
            yield Text(
                text=name,
                x=left + 8,
                y=PRICE_PANEL.bottom - 18,
                size=SMALL_SIZE,
                colour=view.palette.muted,
                alpha=0.75,
            )


def grid(view: View) -> Iterator[Shape]:
    """Light lines at round prices and times, and the labels of the time axis."""
    rows = view.scale.rows(price_ticks(view.scale, view.request.price_digits))
    ticks = time_ticks(view.columns, view.slots)
    edges = [PRICE_PANEL.bottom + 14, BOTTOM_OF_PLOT]
    if view.columns.delta is not None:
        edges.append(DELTA_PANEL.top - 8)
    across = [(LEFT, row - 1, view.plot_right, row + 1) for row in (*rows, *edges)]
    moments = [view.slots.centres[index] for index, _, _ in ticks]
    down = [(x - 1, TOP_OF_PLOT, x + 1, BOTTOM_OF_PLOT) for x in moments]
    yield Rectangles(colour=view.palette.grid, boxes=np.rint(across + down))
    for index, label, new_day in ticks:
        margin = TICK_GAP_PIXELS / 2.6
        yield Text(
            text=label,
            x=float(np.clip(view.slots.centres[index], LEFT + margin, view.plot_right - margin)),
            y=BOTTOM_OF_PLOT + 32,
            size=AXIS_SIZE,
            colour=view.palette.text if new_day else view.palette.muted,
            bold=new_day,
            align=Align.CENTRE,
        )


def candles(view: View) -> Iterator[Shape]:
    """Wicks and bodies; a bar that is still forming is hollow."""
    bars, slots = view.columns, view.slots
    wicks = _bars(slots.centres, slots.wick, view.scale.rows(bars.high), view.scale.rows(bars.low))
    rows = np.rint(view.scale.rows(np.stack([bars.open, bars.close])))
    top, bottom = rows.min(axis=0), np.maximum(rows.max(axis=0), rows.min(axis=0) + 2)
    bodies = _bars(slots.centres, slots.body, top, bottom)
    for colour, chosen in _by_direction(view, view.palette.up, view.palette.down):
        done = np.concatenate([wicks[chosen], bodies[chosen & bars.closed]])
        yield Rectangles(colour=colour, boxes=done)
        forming = bodies[chosen & ~bars.closed]
        yield Rectangles(colour=colour, boxes=forming)
        yield Rectangles(colour=view.palette.background, boxes=forming + HOLLOW)


def lines(view: View) -> Iterator[Shape]:
    """The named lines (moving averages)."""
    for place, (_, values) in enumerate(view.columns.lines):
        rows = np.clip(view.scale.rows(values), PRICE_PANEL.top, PRICE_PANEL.bottom)
        yield Polyline(
            colour=line_colour(view, place),
            points=np.column_stack([view.slots.centres, rows]),
            width=LINE_WIDTH,
        )


def line_colour(view: View, place: int) -> Colour:
    """The colour of the line at `place`."""
    return view.palette.lines[place % len(view.palette.lines)]


def volume(view: View) -> Iterator[Shape]:
    """Traded volume per bar, in the bar's colour."""
    bars, panel = view.columns, _volume_panel(view)
    tallest = float(bars.volume.max())
    if tallest > 0:
        tops = panel.bottom - bars.volume / tallest * (panel.bottom - panel.top - 6)
        boxes = _bars(view.slots.centres, view.slots.body, tops, np.full_like(tops, panel.bottom))
        for colour, chosen in _by_direction(view, view.palette.up_soft, view.palette.down_soft):
            yield Rectangles(colour=colour, boxes=boxes[chosen])
    yield _panel_name(view, "Volume", panel.middle)


def delta(view: View) -> Iterator[Shape]:
    """Aggressive buys minus sells per bar, around a middle line; nothing when unknown."""
    values, panel = view.columns.delta, DELTA_PANEL
    if values is None:
        return
    largest = max(float(np.abs(values).max()), 1e-12)
    ends = panel.middle - values / largest * (panel.bottom - panel.top) / 2
    tops, bottoms = np.minimum(ends, panel.middle), np.maximum(ends, panel.middle)
    boxes = _bars(view.slots.centres, view.slots.body, tops, bottoms)
    yield Rectangles(colour=view.palette.up, boxes=boxes[values > 0])
    yield Rectangles(colour=view.palette.down, boxes=boxes[values < 0])
    yield _panel_name(view, "Delta", panel.middle)


def _volume_panel(view: View) -> Panel:
    return TALL_VOLUME_PANEL if view.columns.delta is None else VOLUME_PANEL


def _panel_name(view: View, name: str, row: float) -> Text:
    return Text(
        text=name, x=view.plot_right + 14, y=row, size=SMALL_SIZE, colour=view.palette.muted
    )


def _by_direction(
    view: View, up: Colour, down: Colour
) -> tuple[tuple[Colour, NDArray[np.bool_]], ...]:
    rising = view.columns.rising
    return ((up, rising), (down, ~rising))


def _bars(centres: Floats, width: int, tops: Floats, bottoms: Floats) -> Floats:
    """(n, 4) upright boxes of `width` around `centres`, at least one pixel high."""
    tops = np.rint(tops)
    bottoms = np.maximum(np.rint(bottoms), tops + 1)
    boxes: Floats = np.column_stack([centres - width / 2, tops, centres + width / 2, bottoms])
    return boxes
