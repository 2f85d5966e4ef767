"""RSI14, ATR14, ADX14, EMA20 and EMA50 by TA-Lib (Wilder smoothing) on closed bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any, TypeAlias

import numpy as np
import talib

from core.analysis.trend import trend_of
from core.model.analysis import IndicatorReading
from core.model.market import Bar

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

WARM_UP_BARS = 600
"""History given to TA-Lib. After 600 bars the seed weighs 3e-10 in EMA50 (which decays slowest)
and less than 1e-16 in the Wilder averages, so older bars cannot change a digit that is shown."""

PERIOD = 14
FAST_PERIOD = 20
SLOW_PERIOD = 50

BARS_NEEDED = {
    "RSI14": PERIOD + 1,
    "ATR14": PERIOD + 1,
    "ADX14": 2 * PERIOD,
    "EMA20": FAST_PERIOD,
    "EMA50": SLOW_PERIOD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Prices of the last bars as float64 arrays of equal length, oldest first."""

    high: FloatArray
    low: FloatArray
    close: FloatArray


def columns(bars: Sequence[Bar]) -> Columns:
    """The last `WARM_UP_BARS` of `bars` as columns."""
    used = bars[-WARM_UP_BARS:]
    return Columns(
        high=np.array([bar.high for bar in used], dtype=np.float64),
        low=np.array([bar.low for bar in used], dtype=np.float64),
        close=np.array([bar.close for bar in used], dtype=np.float64),
    )


def ema(closes: FloatArray, period: int) -> tuple[float | None, ...]:
    """The exponential mean at each close; None during its warm-up."""
    values: FloatArray = talib.EMA(closes, period)
    return tuple(None if isnan(value) else value for value in values.tolist())


def average_true_range(prices: Columns) -> float | None:
    """ATR14 at the last bar, in price; None when the history is too short."""
    return _last(talib.ATR(prices.high, prices.low, prices.close, PERIOD))


def read_indicators(bars: Sequence[Bar]) -> IndicatorReading | None:
    """All indicators at the last of the closed `bars` (oldest first).

    None without any bar, and when a price among them is not a finite number.
    """
    prices = columns(bars)
    if not bars or not np.isfinite(prices.high + prices.low + prices.close).all():
        return None
    values = _values(prices)
    close = float(prices.close[-1])
    return IndicatorReading(
        bars=len(prices.close),
        close=close,
        trend=trend_of(close, values["EMA20"], values["EMA50"], values["ADX14"]),
        rsi=values["RSI14"],
        atr=values["ATR14"],
        adx=values["ADX14"],
        ema_fast=values["EMA20"],
        ema_slow=values["EMA50"],
        missing=tuple(
            _why_missing(name, len(prices.close)) for name, value in values.items() if value is None
        ),
    )


def _values(prices: Columns) -> dict[str, float | None]:
    high, low, close = prices.high, prices.low, prices.close
    # TA-Lib answers 0 where these two divide zero by zero; that is not a reading of 0.
    still = not np.ptp(close)
    directionless = not np.ptp(high) and not np.ptp(low)
    return {
        "RSI14": None if still else _last(talib.RSI(close, PERIOD)),
        "ATR14": average_true_range(prices),
        "ADX14": None if directionless else _last(talib.ADX(high, low, close, PERIOD)),
        "EMA20": _last(talib.EMA(close, FAST_PERIOD)),
        "EMA50": _last(talib.EMA(close, SLOW_PERIOD)),
    }


def _last(values: FloatArray) -> float | None:
    last = float(values[-1])
    return last if isfinite(last) else None


def _why_missing(name: str, bars: int) -> str:
    short = BARS_NEEDED[name] - bars
    if short > 0:
        return f"{name} needs {short} more bar{'s' if short > 1 else ''}"
    return f"{name} is undefined: the price has not moved"
