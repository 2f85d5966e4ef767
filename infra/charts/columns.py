"""The visible part of a request as numpy columns, checked once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.errors import ChartError
from core.model.chart import ChartRequest
from core.model.market import Bar, Timeframe
from infra.charts.shapes import Floats

VISIBLE_BARS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BarColumns:
    """The bars that are shown, oldest first; all arrays have the same length (>= 1)."""

    timeframe: Timeframe
    times: tuple[datetime, ...]
    """Open times."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    delta: Floats | None
    """Aggressive buys minus sells; None when the source does not tell them apart."""
    rising: NDArray[np.bool_]
    closed: NDArray[np.bool_]
    lines: tuple[tuple[str, Floats], ...]
    """Named lines; NaN where a line has no value."""

    def __len__(self) -> int:
        return len(self.times)


def visible_columns(request: ChartRequest) -> BarColumns:
    """The last bars of `request`; raises ChartError when they cannot be drawn."""
    if not request.bars:
        raise ChartError("there are no bars to draw")
    bars = request.bars[-VISIBLE_BARS:]
    table = np.array([_row(bar) for bar in bars])
    if not np.isfinite(table).all():
        raise ChartError("a bar holds a value that is not a finite number")
    if not all(np.isfinite(level.price) for level in request.levels):
        raise ChartError("a level is not a finite number")
    opens, highs, lows, closes, volume, delta = table.T
    known_flow = any(bar.buy_volume for bar in bars)
    return BarColumns(
        timeframe=bars[0].timeframe,
        times=tuple(bar.open_time for bar in bars),
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volume,
        delta=delta if known_flow else None,
        rising=closes >= opens,
        closed=np.array([bar.closed for bar in bars]),
        lines=tuple((name, _line(name, values, request)) for name, values in request.lines),
    )


def _row(bar: Bar) -> tuple[float, ...]:
    return (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.delta)


def _line(name: str, values: Sequence[float | None], request: ChartRequest) -> Floats:
    if len(values) != len(request.bars):
        raise ChartError(f"line {name} needs one value per bar")
    column = np.array(values[-VISIBLE_BARS:], dtype=np.float64)
    column[np.isinf(column)] = np.nan
    return column
