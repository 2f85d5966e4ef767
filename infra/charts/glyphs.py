"""Outlines and widths of DejaVu Sans, each glyph loaded once: text is painted as one path."""

from pathlib import Path as FilePath

import matplotlib as mpl
import numpy as np
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path

from infra.charts.shapes import Floats

UNITS = 100.0
"""Glyphs are kept at this size in pixels and scaled."""
RESOLUTION = 72
FIXED_POINT = 65536.0
FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}


class Glyphs:
    """One weight of the font; a letter it does not have is its empty box."""

    def __init__(self, bold: bool) -> None:
        self._font = FT2Font(str(FilePath(mpl.get_data_path(), "fonts", "ttf", FILES[bold])))
        self._font.set_size(UNITS, RESOLUTION)
        self._known: dict[str, tuple[Floats, list[int], float]] = {}

    def width(self, text: str, size: float) -> float:
        """Width of `text` in pixels at font size `size`."""
        return sum(self._glyph(letter)[2] for letter in text) * size / UNITS

    def path(self, text: str, size: float, x: float, baseline: float) -> Path:
        """The outline of `text` from `x` on, in pixels with y downwards."""
        scale = np.array([size, -size]) / UNITS
        outlines: list[Floats] = [np.empty((0, 2))]
        codes: list[int] = []
        for letter in text:
            vertices, letter_codes, advance = self._glyph(letter)
            outlines.append(vertices * scale + (x, baseline))
            codes += letter_codes
            x += advance * size / UNITS
        return Path(np.concatenate(outlines), codes)

    def _glyph(self, letter: str) -> tuple[Floats, list[int], float]:
        known = self._known.get(letter)
        if known is None:
            index = self._font.get_char_index(ord(letter))
            glyph = self._font.load_glyph(index, flags=LoadFlags.NO_HINTING)
            vertices, codes = self._font.get_path()
            known = (vertices, codes.tolist(), glyph.linearHoriAdvance / FIXED_POINT)
            self._known[letter] = known
        return known
