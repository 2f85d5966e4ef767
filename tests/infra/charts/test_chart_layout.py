"""Scales, ticks and tags: nothing overlaps, nothing leaves its panel, labels are round."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ChartError
from core.model.chart import ChartRequest, LevelKind
from core.model.market import Timeframe
from infra.charts.columns import VISIBLE_BARS, visible_columns
from infra.charts.layout import (
    PRICE_PANEL,
    TICK_GAP_PIXELS,
    bar_slots,
    price_scale,
    price_ticks,
    spread,
    time_ticks,
)
from tests.support.chart_requests import chart_bar, chart_bars, chart_level, chart_request

ROWS = st.lists(st.floats(min_value=-500.0, max_value=2_000.0), min_size=1, max_size=12)


@given(ROWS)
def test_spread_rows_keep_their_gap_and_stay_inside(wanted: list[float]) -> None:
    rows = spread(wanted, 50.0, 100.0, 800.0)
    assert rows.min() >= 100.0 - 1e-6
    assert rows.max() <= 800.0 + 1e-6
    assert all(b - a >= 50.0 - 1e-6 for a, b in pairwise(sorted(rows)))
    for first, second in pairwise(np.argsort(wanted, kind="stable")):
        assert rows[first] < rows[second]


def test_spread_leaves_rows_that_do_not_collide_where_they_are() -> None:
    assert spread([300.0, 120.0, 700.0], 50.0, 100.0, 800.0).tolist() == [300.0, 120.0, 700.0]


def test_spread_shares_a_collision_evenly() -> None:
    assert spread([400.0, 400.0], 50.0, 100.0, 800.0).tolist() == [375.0, 425.0]


def test_spread_shrinks_the_gap_when_there_is_no_room() -> None:
    rows = spread([0.0] * 5, 50.0, 100.0, 200.0)
    assert rows.tolist() == [100.0, 125.0, 150.0, 175.0, 200.0]


def test_scale_shows_every_bar_and_the_near_levels_but_not_the_far_ones() -> None:
    columns = visible_columns(chart_request(chart_bars(100)))
    span = float(columns.high.max() - columns.low.min())
    near = float(columns.high.max()) + 0.5 * span
    far = float(columns.high.max()) + 50 * span
    levels = [chart_level(LevelKind.TARGET, near), chart_level(LevelKind.STOP, far)]
    scale = price_scale(columns, levels, 1)
    assert scale.shows(float(columns.low.min()))
    assert scale.shows(near)
    assert not scale.shows(far)
    assert PRICE_PANEL.top < scale.y(near) < scale.y(float(columns.low.min())) < PRICE_PANEL.bottom


@pytest.mark.parametrize("price", [0.00001234, 1.1, 64_000.0, 3e12])
def test_flat_prices_still_have_a_scale_around_them(price: float) -> None:
    bars = tuple(chart_bar(place, price, price) for place in range(5))
    scale = price_scale(visible_columns(chart_request(bars)), [], 2)
    assert scale.low < price < scale.high


@given(st.floats(min_value=1e-3, max_value=1e6), st.floats(min_value=1e-4, max_value=0.5))
def test_price_ticks_are_few_inside_and_not_finer_than_the_digits(
    price: float, share: float
) -> None:
    bars = (chart_bar(0, price, price * (1 + share)),)
    scale = price_scale(visible_columns(chart_request(bars)), [], 2)
    ticks = price_ticks(scale, 2)
    assert len(ticks) <= 8
    assert all(scale.shows(tick) for tick in ticks[1:-1])
    labels = [f"{tick:.2f}" for tick in ticks]
    assert len(set(labels)) == len(labels)


def test_bar_slots_end_at_the_right_edge_and_do_not_overlap() -> None:
    slots = bar_slots(100, 16.0, 816.0)
    assert slots.centres[-1] == 812.0
    assert slots.body < np.diff(slots.centres).min() + 1
    assert bar_slots(1, 16.0, 816.0).centres[0] == pytest.approx(798.0)


@pytest.mark.parametrize("timeframe", list(Timeframe))
@pytest.mark.parametrize("count", [1, 2, 17, 100])
def test_time_labels_are_readable_apart_and_never_missing(timeframe: Timeframe, count: int) -> None:
    columns = visible_columns(chart_request(chart_bars(count, timeframe)))
    slots = bar_slots(count, 16.0, 816.0)
    ticks = time_ticks(columns, slots)
    assert ticks
    places = [float(slots.centres[index]) for index, _, _ in ticks]
    assert all(b - a >= TICK_GAP_PIXELS * 0.8 for a, b in pairwise(places))
    if timeframe.seconds >= timedelta(hours=4).total_seconds() and count > 2:
        assert not any(":" in label for _, label, _ in ticks)


def test_a_new_day_is_dated_and_other_moments_are_clock_times() -> None:
    columns = visible_columns(chart_request(chart_bars(100)))
    labels = [label for _, label, _ in time_ticks(columns, bar_slots(100, 16.0, 816.0))]
    assert labels == ["00:00", "06:00", "12:00", "18:00", "3 Mar"]


def test_only_the_last_bars_are_shown_with_their_line_values() -> None:
    bars = chart_bars(VISIBLE_BARS + 20)
    line = tuple(float(place) for place in range(len(bars)))
    columns = visible_columns(chart_request(bars, lines=[("EMA20", line)]))
    assert len(columns) == VISIBLE_BARS
    assert columns.times[-1] == bars[-1].open_time
    assert columns.lines[0][1][0] == 20.0


def test_delta_is_unknown_when_no_bar_tells_buys_apart() -> None:
    bars = tuple(chart_bar(place, 1.0, 2.0, buy_share=0.0) for place in range(3))
    assert visible_columns(chart_request(bars)).delta is None


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (chart_request(()), "no bars"),
        (chart_request((chart_bar(0, 1.0, float("nan")),)), "not a finite number"),
        (chart_request((chart_bar(0, 1.0, float("inf")),)), "not a finite number"),
        (
            chart_request(chart_bars(2), levels=[chart_level(LevelKind.STOP, float("nan"))]),
            "level",
        ),
        (chart_request(chart_bars(2), lines=[("EMA20", (1.0,))]), "EMA20"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(
    request_: ChartRequest, reason: str
) -> None:
    with pytest.raises(ChartError, match=reason):
        visible_columns(request_)
