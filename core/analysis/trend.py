"""One word for the direction of a market."""

from core.model.analysis import Trend

TRENDING_ADX = 20.0


def trend_of(
    close: float, ema_fast: float | None, ema_slow: float | None, adx: float | None
) -> Trend | None:
    """UP when close > EMA20 > EMA50 with ADX14 >= 20, DOWN mirrored, else FLAT.

    None when an input is missing: an unknown direction is not a flat one.
    """
    if ema_fast is None or ema_slow is None or adx is None:
        return None
    if adx < TRENDING_ADX:
        return Trend.FLAT
    if close > ema_fast > ema_slow:
        return Trend.UP
    if close < ema_fast < ema_slow:
        return Trend.DOWN
    return Trend.FLAT
