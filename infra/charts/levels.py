"""What the desk thinks: risk and reward boxes, level lines, price tags that never overlap."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.model.chart import ChartLevel, LevelKind
from infra.charts.layout import HINTS, LEFT, PRICE_PANEL, RIGHT, price_ticks, spread
from infra.charts.palette import Colour
from infra.charts.panels import AXIS_SIZE
from infra.charts.shapes import Polyline, Rectangles, Shape, Text, pill
from infra.charts.view import LABEL_SIZE, TAG_PADDING, View, short_label

TAG_HEIGHT = 46.0
TAG_GAP = TAG_HEIGHT + 4.0
HINT_SIZE = 27.0
HINT_HEIGHT = 34.0
VEIL_ALPHA = 0.72
"""How much of what lies under a hint's label is hidden."""
BOX_SHARE = 0.34
"""Share of the plot's width that the risk and reward boxes cover, at the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A level with the row of its line and the row of its tag."""

    level: ChartLevel
    line: float
    row: float


def boxes(view: View) -> Iterator[Shape]:
    """Entry to stop in the stop's colour, entry to the first target in the target's."""
    entry = _first(view, LevelKind.ENTRY)
    stop = _first(view, LevelKind.STOP)
    if entry is None or stop is None:
        return
    yield _box(view, view.palette.down, entry, stop)
    target = _first(view, LevelKind.TARGET)
    if target is not None:
        yield _box(view, view.palette.up, entry, target)


def hints(view: View) -> Iterator[Shape]:
    """Support and resistance inside the scale: thin dashes and a small label at the left."""
    shown = [
        level
        for level in view.request.levels
        if level.kind in HINTS and view.scale.shows(level.price)
    ]
    lines = [view.scale.y(level.price) for level in shown]
    rows = spread(
        lines, HINT_HEIGHT, PRICE_PANEL.top + HINT_HEIGHT, PRICE_PANEL.bottom - HINT_HEIGHT - 20
    )
    for level, line, row in zip(shown, lines, rows, strict=True):
        colour = view.palette.level(level.kind)
        text = f"{short_label(level.label)} {view.price_text(level.price)}".strip()
        width = view.text_width(text, HINT_SIZE, False)
        yield _dashes(view, colour, line, LEFT + width + 20, 2.0, (10.0, 7.0))
        veil = np.rint([[LEFT, row - 16, LEFT + width + 16, row + 16]])
        yield Rectangles(colour=view.palette.background, boxes=veil, alpha=VEIL_ALPHA)
        yield Text(text=text, x=LEFT + 8, y=row, size=HINT_SIZE, colour=colour)


def level_lines(view: View) -> Iterator[Shape]:
    """Full-width lines of the trade and a dotted one at the current price."""
    for level in view.request.levels:
        if level.kind in HINTS or not view.scale.shows(level.price):
            continue
        colour, row = view.palette.level(level.kind), view.scale.y(level.price)
        dash = (3.0, 6.0) if level.kind is LevelKind.PRICE else None
        yield _dashes(view, colour, row, LEFT, 2.5, dash)


def price_axis(view: View) -> Iterator[Shape]:
    """Round prices at the right where no tag stands, then the tags on top."""
    tags = _tags(view)
    for price in price_ticks(view.scale, view.request.price_digits):
        row = view.scale.y(price)
        if all(abs(row - tag.row) > (TAG_HEIGHT + AXIS_SIZE) / 2 for tag in tags):
            yield Text(
                text=view.price_text(price),
                x=view.plot_right + 10 + TAG_PADDING,
                y=row,
                size=AXIS_SIZE * min(1.0, view.tag_size / AXIS_SIZE),
                colour=view.palette.muted,
            )
    for tag in tags:
        yield from _tag(view, tag)


def _tags(view: View) -> list[Tag]:
    levels = [level for level in view.request.levels if level.kind not in HINTS]
    lines = [
        float(np.clip(view.scale.y(level.price), PRICE_PANEL.top, PRICE_PANEL.bottom))
        for level in levels
    ]
    half = TAG_HEIGHT / 2
    rows = spread(lines, TAG_GAP, PRICE_PANEL.top + half, PRICE_PANEL.bottom - half)
    return [
        Tag(level=level, line=line, row=float(row))
        for level, line, row in zip(levels, lines, rows, strict=True)
    ]


def _tag(view: View, tag: Tag) -> Iterator[Shape]:
    colour, left = view.palette.level(tag.level.kind), view.plot_right + 10
    on_fill = view.palette.on_price if tag.level.kind is LevelKind.PRICE else view.palette.on_fill
    top, bottom = tag.row - TAG_HEIGHT / 2, tag.row + TAG_HEIGHT / 2
    label = _label(view, tag.level)
    if view.scale.shows(tag.level.price):
        link = np.array([[view.plot_right, tag.line], [left, tag.row]])
        yield Polyline(colour=colour, points=link, width=2.5)
    width = view.text_width(label, LABEL_SIZE, True) + 2 * TAG_PADDING if label else 0.0
    yield pill(colour, left - width, top, RIGHT, bottom)
    yield Text(
        text=label,
        x=left - width + TAG_PADDING,
        y=tag.row,
        size=LABEL_SIZE,
        colour=on_fill,
        bold=True,
    )
    yield Text(
        text=view.price_text(tag.level.price),
        x=left + TAG_PADDING,
        y=tag.row,
        size=view.tag_size,
        colour=on_fill,
        bold=True,
    )


def _label(view: View, level: ChartLevel) -> str:
    """The words of a tag, with an arrow when the level is beyond the picture's edge."""
    words = "" if level.kind is LevelKind.PRICE else short_label(level.label)
    if level.price > view.scale.high:
        return f"{words} ▲".strip()
    if level.price < view.scale.low:
        return f"{words} ▼".strip()
    return words


def _first(view: View, kind: LevelKind) -> float | None:
    return next((level.price for level in view.request.levels if level.kind is kind), None)


def _box(view: View, colour: Colour, entry: float, end: float) -> Rectangles:
    rows = np.sort(view.scale.rows(np.array([entry, end])))
    top, bottom = np.clip(rows, PRICE_PANEL.top, PRICE_PANEL.bottom)
    left = view.plot_right - (view.plot_right - LEFT) * BOX_SHARE
    area = np.rint([[left, top, view.plot_right, bottom]])
    return Rectangles(colour=colour, boxes=area, alpha=view.palette.box_alpha)


def _dashes(
    view: View,
    colour: Colour,
    row: float,
    left: float,
    width: float,
    dash: tuple[float, float] | None,
) -> Polyline:
    points = np.array([[left, row], [view.plot_right, row]])
    return Polyline(colour=colour, points=points, width=width, dash=dash)
