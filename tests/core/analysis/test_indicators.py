"""Indicators equal TA-Lib, never look ahead, and are absent rather than invented."""

from itertools import pairwise
from math import isfinite

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.indicators import WARM_UP_BARS, columns, ema, read_indicators
from core.model.analysis import IndicatorReading
from core.model.market import Bar
from tests.support.bar_series import bars_of, random_walk

Row = tuple[float, float, float, float, float]


def reading_of(bars: tuple[Bar, ...]) -> IndicatorReading:
    reading = read_indicators(bars)
    assert reading is not None
    return reading


def test_values_equal_talib_on_the_same_closed_bars() -> None:
    bars = random_walk(1, 500)
    high, low, close = (
        np.array([getattr(bar, name) for bar in bars]) for name in ("high", "low", "close")
    )
    reading = reading_of(bars)
    assert reading.rsi == talib.RSI(close, 14)[-1]
    assert reading.atr == talib.ATR(high, low, close, 14)[-1]
    assert reading.adx == talib.ADX(high, low, close, 14)[-1]
    assert reading.ema_fast == talib.EMA(close, 20)[-1]
    assert reading.ema_slow == talib.EMA(close, 50)[-1]
    assert (reading.bars, reading.close, reading.missing) == (500, bars[-1].close, ())


def test_rsi_and_atr_follow_wilders_own_arithmetic() -> None:
    closes = [10.0, *(10.0 + (i % 3) for i in range(1, 15)), 14.0]
    bars = bars_of([(c, c + 1, c - 1, c, 1.0) for c in closes])
    changes = np.diff(closes)
    gain = np.clip(changes[:14], 0, None).mean() * 13 / 14 + max(changes[14], 0) / 14
    loss = np.clip(-changes[:14], 0, None).mean() * 13 / 14 + max(-changes[14], 0) / 14
    ranges = [
        max(2.0, abs(now + 1 - before), abs(now - 1 - before)) for before, now in pairwise(closes)
    ]
    reading = reading_of(bars)
    assert reading.rsi == pytest.approx(100 * gain / (gain + loss))
    assert reading.atr == pytest.approx(np.mean(ranges[:14]) * 13 / 14 + ranges[14] / 14)


def test_bars_older_than_the_warm_up_change_no_shown_digit() -> None:
    bars = random_walk(2, 1500)
    high, low, close = (
        np.array([getattr(bar, name) for bar in bars]) for name in ("high", "low", "close")
    )
    reading = reading_of(bars)
    assert reading.bars == WARM_UP_BARS
    assert reading.ema_slow == pytest.approx(talib.EMA(close, 50)[-1], rel=1e-9)
    assert reading.adx == pytest.approx(talib.ADX(high, low, close, 14)[-1], rel=1e-9)


@pytest.mark.parametrize(
    ("count", "present", "missing"),
    [
        (1, set(), ("RSI14 needs 14 more bars", "ADX14 needs 27 more bars")),
        (14, set(), ("ATR14 needs 1 more bar", "EMA20 needs 6 more bars")),
        (15, {"rsi", "atr"}, ("ADX14 needs 13 more bars", "EMA50 needs 35 more bars")),
        (28, {"rsi", "atr", "adx", "ema_fast"}, ("EMA50 needs 22 more bars",)),
        (50, {"rsi", "atr", "adx", "ema_fast", "ema_slow"}, ()),
    ],
)
def test_short_history_gives_none_and_says_how_many_bars_are_missing(
    count: int, present: set[str], missing: tuple[str, ...]
) -> None:
    reading = reading_of(random_walk(3, count))
    names = ("rsi", "atr", "adx", "ema_fast", "ema_slow")
    assert {name for name in names if getattr(reading, name) is not None} == present
    assert set(missing) <= set(reading.missing)
    assert len(reading.missing) == 5 - len(present)
    assert (reading.trend is None) == (count < 50)


def test_no_bars_give_no_reading() -> None:
    assert read_indicators(()) is None


def test_a_flat_market_has_no_rsi_and_no_adx_instead_of_zero() -> None:
    reading = reading_of(bars_of([(5.0, 5.0, 5.0, 5.0, 1.0)] * 60))
    assert (reading.rsi, reading.adx, reading.trend) == (None, None, None)
    assert (reading.atr, reading.ema_fast, reading.ema_slow) == (0.0, 5.0, 5.0)
    assert reading.missing == (
        "RSI14 is undefined: the price has not moved",
        "ADX14 is undefined: the price has not moved",
    )


def test_a_market_that_only_falls_has_an_rsi_of_zero() -> None:
    reading = reading_of(bars_of([(c, c, c, c, 1.0) for c in range(100, 40, -1)]))
    assert reading.rsi == 0.0


@given(count=st.integers(20, 150), later=st.integers(1, 60), seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_later_bars_change_no_earlier_value(count: int, later: int, seed: int) -> None:
    bars = random_walk(seed, count + later)
    then, now = columns(bars[:count]), columns(bars)
    for period in (20, 50):
        assert ema(now.close, period)[:count] == ema(then.close, period)
    series = talib.ADX(now.high, now.low, now.close, 14)[count - 1]
    adx = reading_of(bars[:count]).adx
    assert adx == (None if np.isnan(series) else series)


prices = st.sampled_from([0.00001, 1.0, 1.0, 1.1, 150.0, 1e5, 1e8])
rows = st.tuples(prices, prices, prices, prices).map(
    lambda p: (p[0], max(p), min(p), p[3], 1.0),
)


@given(st.lists(rows, min_size=1, max_size=90))
@settings(max_examples=100, deadline=None)
def test_degenerate_series_give_finite_values_or_none(series: list[Row]) -> None:
    reading = reading_of(bars_of(series))
    for name in ("rsi", "atr", "adx", "ema_fast", "ema_slow"):
        value = getattr(reading, name)
        assert value is None or isfinite(value)
        assert (value is None) == any(
            text.startswith(label)
            for text in reading.missing
            for label in (
                {"ema_fast": "EMA20", "ema_slow": "EMA50"}.get(name, name.upper() + "14"),
            )
        )


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
@pytest.mark.parametrize("index", [0, 30, 59])
def test_a_price_that_is_no_number_gives_no_reading(broken: float, index: int) -> None:
    rows: list[Row] = [(1.0, 2.0, 0.5, 1.5, 1.0)] * 60
    rows[index] = (1.0, broken, 0.5, 1.5, 1.0)
    assert read_indicators(bars_of(rows)) is None
