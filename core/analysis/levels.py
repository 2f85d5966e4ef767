"""Support and resistance: prices where the market has turned before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.analysis.indicators import FloatArray
from core.model.market import Bar

LOOKBACK_BARS = 200
SWING_SIDE = 5
MERGE_ATR = 0.25
MAX_LEVELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Levels around a price, nearest first."""

    supports: tuple[float, ...] = ()
    resistances: tuple[float, ...] = ()


def peaks(values: FloatArray) -> FloatArray:
    """The strict fractal peaks: values above each of the 5 before and the 5 after them.

    A peak is therefore known five bars late, and bars that come later never take it back.
    """
    if len(values) < 2 * SWING_SIDE + 1:
        return np.empty(0)
    windows = sliding_window_view(values, 2 * SWING_SIDE + 1)
    centre = windows[:, SWING_SIDE]
    others = np.delete(windows, SWING_SIDE, axis=1)
    found: FloatArray = centre[centre > others.max(axis=1)]
    return found


def nearest_levels(bars: Sequence[Bar], price: float, atr: float | None) -> Levels:
    """Swings of the last 200 closed `bars` around `price`; empty without an ATR to merge by.

    Any swing below the price supports it and any swing above resists it, whichever it was when
    it formed: broken resistance becomes support.
    """
    if atr is None:
        return Levels()
    used = bars[-LOOKBACK_BARS:]
    highs = np.array([bar.high for bar in used], dtype=np.float64)
    lows = np.array([bar.low for bar in used], dtype=np.float64)
    swings = [*peaks(highs).tolist(), *(-peaks(-lows)).tolist()]
    width = MERGE_ATR * atr
    return Levels(
        supports=_merged(sorted((s for s in swings if s < price), reverse=True), width),
        resistances=_merged(sorted(s for s in swings if s > price), width),
    )


def _merged(swings: Iterable[float], width: float) -> tuple[float, ...]:
    """Of swings closer than `width` the one nearest to the price stands for all."""
    kept: list[float] = []
    for swing in swings:
        if not kept or abs(swing - kept[-1]) > width:
            kept.append(swing)
    return tuple(kept[:MAX_LEVELS])
