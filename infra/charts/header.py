"""The top of the picture: what it shows, when, which lines, and whether money is real."""

from collections.abc import Iterator

from infra.charts.layout import LEFT, PRICE_PANEL, RIGHT
from infra.charts.panels import line_colour
from infra.charts.shapes import Align, Shape, Text, box, pill
from infra.charts.view import View

TITLE_SIZE = 50.0
TITLE_ROW = 44.0
TITLE_ROOM = 760.0
SECOND_ROW = 100.0
SECOND_SIZE = 31.0
MODE_SIZE = 31.0
WATERMARK_SIZE = 150.0
WATERMARK_SHARE = 0.9
"""Widest watermark, as a share of the plot's width."""


def watermark(view: View) -> Iterator[Shape]:
    """The mode, large and faint across the plot."""
    text = view.request.watermark
    if not text:
        return
    room = (view.plot_right - LEFT) * WATERMARK_SHARE
    size = min(WATERMARK_SIZE, WATERMARK_SIZE * room / view.text_width(text, WATERMARK_SIZE, True))
    yield Text(
        text=text,
        x=(LEFT + view.plot_right) / 2,
        y=PRICE_PANEL.middle,
        size=size,
        colour=view.palette.text,
        bold=True,
        align=Align.CENTRE,
        alpha=view.palette.watermark_alpha,
    )


def header(view: View) -> Iterator[Shape]:
    """Title, mode tag, legend and stamp."""
    palette, request = view.palette, view.request
    title_width = view.text_width(request.title, TITLE_SIZE, True)
    yield Text(
        text=request.title,
        x=LEFT + 4,
        y=TITLE_ROW,
        size=TITLE_SIZE * min(1.0, TITLE_ROOM / max(1.0, title_width)),
        colour=palette.text,
        bold=True,
    )
    yield from _mode(view)
    yield Text(
        text=request.stamp,
        x=RIGHT - 2,
        y=SECOND_ROW,
        size=SECOND_SIZE,
        colour=palette.muted,
        align=Align.RIGHT,
    )
    yield from _legend(view)


def _mode(view: View) -> Iterator[Shape]:
    text = view.request.watermark
    if not text:
        return
    fill = view.palette.modes.get(text, view.palette.muted)
    width = view.text_width(text, MODE_SIZE, True)
    yield pill(fill, RIGHT - width - 30, TITLE_ROW - 24, RIGHT, TITLE_ROW + 24)
    yield Text(
        text=text,
        x=RIGHT - width - 15,
        y=TITLE_ROW,
        size=MODE_SIZE,
        colour=view.palette.on_fill,
        bold=True,
    )


def _legend(view: View) -> Iterator[Shape]:
    left = LEFT + 4.0
    end = RIGHT - view.text_width(view.request.stamp, SECOND_SIZE, False) - 20
    for place, (name, _) in enumerate(view.columns.lines):
        colour, width = line_colour(view, place), view.text_width(name, SECOND_SIZE, False) + 44
        if left + width > end:
            return
        yield box(colour, left, SECOND_ROW - 3, left + 34, SECOND_ROW + 3)
        yield Text(text=name, x=left + 44, y=SECOND_ROW, size=SECOND_SIZE, colour=view.palette.text)
        left += width + 30
