"""Draws a chart request as a PNG for a phone, on one surface that is used again and again."""

from collections.abc import Iterator

from core.model.chart import ChartRequest
from infra.charts import header, levels, marks, panels
from infra.charts.canvas import Canvas
from infra.charts.layout import HEIGHT, WIDTH
from infra.charts.shapes import Shape
from infra.charts.view import View, view_of


class ChartDrawing:
    """A 1080 x 1200 drawing surface; not for use from several threads."""

    def __init__(self) -> None:
        self._canvas = Canvas(WIDTH, HEIGHT)

    def png(self, request: ChartRequest) -> bytes:
        """The picture of `request`; the same request gives the same bytes. Raises ChartError."""
        view = view_of(request, self._canvas.text_width)
        self._canvas.paint(view.palette.background, _shapes(view))
        return self._canvas.png()


def _shapes(view: View) -> Iterator[Shape]:
    """All shapes from the back to the front."""
    yield from panels.sessions(view)
    yield from panels.grid(view)
    yield from header.watermark(view)
    yield from levels.boxes(view)
    yield from panels.volume(view)
    yield from panels.delta(view)
    yield from panels.candles(view)
    yield from panels.lines(view)
    yield from levels.hints(view)
    yield from levels.level_lines(view)
    yield from marks.marks(view)
    yield from levels.price_axis(view)
    yield from header.header(view)
