"""Levels are confirmed swings near the price, merged, nearest first."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.levels import Levels, nearest_levels, peaks
from core.model.market import Bar
from tests.support.bar_series import bars_of, random_walk


def bars_with_highs(highs: list[float]) -> tuple[Bar, ...]:
    """Falling lows, so that only the highs can swing."""
    return bars_of([(h, h, -float(i), h, 1.0) for i, h in enumerate(highs)])


def hill(top: float) -> list[float]:
    """Eleven highs with one strict peak in the middle."""
    return [top - abs(i) for i in range(-5, 6)]


def brute_force_peaks(values: list[float]) -> list[float]:
    return [
        values[i]
        for i in range(5, len(values) - 5)
        if all(values[i] > values[j] for j in range(i - 5, i + 6) if j != i)
    ]


@given(st.lists(st.integers(0, 20), max_size=80))
def test_peaks_equal_the_definition(values: list[int]) -> None:
    floats = [float(v) for v in values]
    assert peaks(np.array(floats)).tolist() == brute_force_peaks(floats)


def test_a_double_top_is_no_strict_swing() -> None:
    assert peaks(np.array([1.0, 2, 3, 4, 5, 9, 9, 5, 4, 3, 2, 1])).size == 0


def test_a_swing_needs_five_bars_after_it() -> None:
    highs = hill(50.0)
    assert peaks(np.array(highs[:-1])).size == 0
    assert peaks(np.array(highs)).tolist() == [50.0]


def test_levels_are_on_their_side_and_nearest_first() -> None:
    bars = bars_with_highs([*hill(90), *hill(130), *hill(110), *hill(120), *hill(140), *hill(80)])
    found = nearest_levels(bars, price=100.0, atr=4.0)
    assert found == Levels(supports=(90.0, 80.0), resistances=(110.0, 120.0, 130.0))


def test_swings_within_a_quarter_atr_count_once_and_the_nearer_stands() -> None:
    bars = bars_with_highs([*hill(110.9), *hill(110), *hill(111.1), *hill(90.5), *hill(90)])
    found = nearest_levels(bars, price=100.0, atr=4.0)
    assert found == Levels(supports=(90.5,), resistances=(110.0, 111.1))


def test_a_broken_high_supports_from_above() -> None:
    bars = bars_with_highs(hill(50.0))
    assert nearest_levels(bars, price=60.0, atr=1.0).supports == (50.0,)
    assert nearest_levels(bars, price=40.0, atr=1.0).resistances == (50.0,)


def test_lows_swing_as_highs_do() -> None:
    lows = [-value for value in hill(-50.0)]
    bars = bars_of([(low, 100.0 + i, low, low, 1.0) for i, low in enumerate(lows)])
    assert nearest_levels(bars, price=70.0, atr=1.0).supports == (50.0,)


def test_swings_older_than_the_lookback_are_forgotten() -> None:
    bars = bars_with_highs([*hill(130.0), *[100.0 - i / 100 for i in range(200)]])
    assert nearest_levels(bars, price=50.0, atr=1.0).resistances == ()


@pytest.mark.parametrize("count", [1, 10, 40])
def test_without_an_atr_there_are_no_levels(count: int) -> None:
    assert nearest_levels(random_walk(1, count), price=100_000.0, atr=None) == Levels()


@given(seed=st.integers(0, 10**6), count=st.integers(1, 320), shift=st.floats(-0.01, 0.01))
@settings(max_examples=40, deadline=None)
def test_at_most_three_levels_apart_and_on_the_right_side(
    seed: int, count: int, shift: float
) -> None:
    price, width = 100_000.0 * (1 + shift), 20.0
    found = nearest_levels(random_walk(seed, count), price, atr=4 * width)
    for levels, sign in ((found.supports, -1), (found.resistances, 1)):
        distances = [(level - price) * sign for level in levels]
        assert len(levels) <= 3
        assert all(distance > 0 for distance in distances)
        assert all(b - a > width for a, b in pairwise(distances))
