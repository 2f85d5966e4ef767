"""Paints shapes with Agg into one pixel buffer that is used again and again, and makes a PNG."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Protocol

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from PIL import Image

from infra.charts.glyphs import Glyphs
from infra.charts.palette import Colour
from infra.charts.shapes import Align, Polygon, Polyline, Rectangles, Shape, Text

RESOLUTION = 72
"""Dots per inch at which one point is one pixel, so line widths are in pixels."""
CAPITAL_HEIGHT = 0.729
"""Height of a capital of DejaVu Sans, in font sizes."""
COMPRESS_LEVEL = 1
"""Levels 2 and 3 save nothing; 4 saves an eighth of the bytes for a quarter more time."""
BOX_CODES = np.array([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], dtype=np.uint8)
BOX_CORNERS = (0, 1, 2, 1, 2, 3, 0, 3, 0, 1)
"""Columns of (left, top, right, bottom) that make the closed outline."""


class Surface(Protocol):
    """The part of Agg's renderer that is used here."""

    def new_gc(self) -> GraphicsContextBase:
        """Fresh pen settings."""
        ...

    def draw_path(
        self,
        context: GraphicsContextBase,
        path: Path,
        transform: Affine2D,
        fill: Colour | None = None,
        /,
    ) -> None:
        """Stroke a path with the pen, fill it when there is a fill."""
        ...

    def buffer_rgba(self) -> memoryview:
        """The pixels, rows from the top."""
        ...


NEW_SURFACE: Callable[[int, int, int], Surface] = RendererAgg


class Canvas:
    """A reused drawing surface of `width` x `height` pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._surface = NEW_SURFACE(width, height, RESOLUTION)
        self._glyphs = {bold: Glyphs(bold) for bold in (False, True)}
        self._downwards = Affine2D().scale(1.0, -1.0).translate(0.0, height)

    def text_width(self, text: str, size: float, bold: bool) -> float:
        """Width of `text` in pixels."""
        return self._glyphs[bold].width(text, size)

    def paint(self, background: Colour, shapes: Iterable[Shape]) -> None:
        """Forget the last picture and paint `shapes` in order."""
        whole = np.array([[0.0, 0.0, self.width, self.height]])
        self._rectangles(Rectangles(colour=background, boxes=whole))
        for shape in shapes:
            match shape:
                case Rectangles():
                    self._rectangles(shape)
                case Polyline():
                    self._polyline(shape)
                case Polygon():
                    self._polygon(shape)
                case Text():
                    self._text(shape)

    def png(self) -> bytes:
        """The picture as PNG."""
        pixels = np.asarray(self._surface.buffer_rgba())
        out = BytesIO()
        Image.fromarray(pixels).convert("RGB").save(out, "PNG", compress_level=COMPRESS_LEVEL)
        return out.getvalue()

    def _rectangles(self, shape: Rectangles) -> None:
        count = len(shape.boxes)
        if not count:
            return
        corners = shape.boxes[:, BOX_CORNERS].reshape(count * len(BOX_CODES), 2)
        context = self._surface.new_gc()
        context.set_linewidth(0.0)
        context.set_antialiased(False)
        context.set_alpha(shape.alpha)
        path = Path(corners, np.tile(BOX_CODES, count))
        self._surface.draw_path(context, path, self._downwards, shape.colour)

    def _polyline(self, shape: Polyline) -> None:
        context = self._surface.new_gc()
        context.set_linewidth(shape.width)
        context.set_foreground(shape.colour)
        context.set_joinstyle("round")
        if shape.dash is not None:
            context.set_dashes(0.0, shape.dash)
        self._surface.draw_path(context, Path(shape.points), self._downwards)

    def _polygon(self, shape: Polygon) -> None:
        context = self._surface.new_gc()
        context.set_linewidth(0.0 if shape.edge is None else 3.0)
        if shape.edge is not None:
            context.set_foreground(shape.edge)
        path = Path(shape.points, closed=False)
        self._surface.draw_path(context, path, self._downwards, shape.colour)

    def _text(self, shape: Text) -> None:
        context = self._surface.new_gc()
        context.set_linewidth(0.0)
        context.set_alpha(shape.alpha)
        glyphs, x = self._glyphs[shape.bold], shape.x
        if shape.align is not Align.LEFT:
            width = glyphs.width(shape.text, shape.size)
            x -= width if shape.align is Align.RIGHT else width / 2
        baseline = round(shape.y + shape.size * CAPITAL_HEIGHT / 2)
        path = glyphs.path(shape.text, shape.size, round(x), baseline)
        self._surface.draw_path(context, path, self._downwards, shape.colour)
