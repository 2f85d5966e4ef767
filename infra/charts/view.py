"""Everything the parts of one picture share: the data, the scale, the columns, the colours."""

from collections.abc import Callable
from dataclasses import dataclass

from core.model.chart import ChartRequest, LevelKind
from infra.charts.columns import BarColumns, visible_columns
from infra.charts.layout import (
    HINTS,
    LEFT,
    RIGHT,
    Scale,
    Slots,
    bar_slots,
    price_scale,
)
from infra.charts.palette import PALETTES, Palette

TAG_SIZE = 33.0
WIDEST_TAG = 270.0
TAG_PADDING = 11.0
LABEL_SIZE = 27.0
LONGEST_LABEL = 12

TextWidth = Callable[[str, float, bool], float]
"""Measures (text, size, bold) in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One picture in the making."""

    request: ChartRequest
    columns: BarColumns
    palette: Palette
    scale: Scale
    slots: Slots
    plot_right: float
    """Where the plot ends and the price axis begins."""
    tag_size: float
    """Font size of the price tags: smaller when prices are very long."""
    text_width: TextWidth

    def price_text(self, price: float) -> str:
        """A price with the instrument's digits and thousands separators."""
        return f"{price:,.{self.request.price_digits}f}"


def view_of(request: ChartRequest, text_width: TextWidth) -> View:
    """Lay out `request`; raises ChartError when it cannot be drawn."""
    columns = visible_columns(request)
    digits = request.price_digits
    scale = price_scale(columns, request.levels, digits)
    longest = max((f"{p:,.{digits}f}" for p in (scale.low, scale.high)), key=len)
    width = text_width(longest, TAG_SIZE, True)
    shrink = min(1.0, WIDEST_TAG / width)
    plot_right = round(RIGHT - width * shrink - 2 * TAG_PADDING - 10)
    return View(
        request=request,
        columns=columns,
        palette=PALETTES[request.theme],
        scale=scale,
        slots=bar_slots(len(columns), LEFT, plot_right - _room_for_labels(request, text_width)),
        plot_right=plot_right,
        tag_size=TAG_SIZE * shrink,
        text_width=text_width,
    )


def short_label(label: str) -> str:
    """A label that fits beside its tag."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _room_for_labels(request: ChartRequest, text_width: TextWidth) -> float:
    """Free pixels right of the last bar, so that labels do not cover it."""
    labels = [
        short_label(level.label)
        for level in request.levels
        if level.kind not in HINTS and level.kind is not LevelKind.PRICE
    ]
    widths = [text_width(label, LABEL_SIZE, True) for label in labels]
    return max(widths, default=0.0) + (2 * TAG_PADDING + 12 if labels else 14)
