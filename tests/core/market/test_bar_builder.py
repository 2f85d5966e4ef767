"""Bars of every timeframe from minutes: right values, no silent holes."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from gzip import open as open_gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market.bar_builder import BarBuilder
from core.market.bar_sequence import KEPT_BARS, BarHole
from core.model.market import Bar, Timeframe
from tests.support.clock import START
from tests.support.market_data import make_minute, make_minutes, merged
from tests.support.recorded import DATA

RECORDED = DATA / "3_binance_trades_klines/karasik_ETHUSDT_1m_klines_takerbuy.csv.gz"


def fed(minutes: Sequence[Bar]) -> tuple[BarBuilder, list[Bar]]:
    builder = BarBuilder("BTCUSD")
    closed: list[Bar] = []
    for minute in minutes:
        closed += builder.update(minute)
    return builder, closed


def test_five_minutes_make_one_bar_with_everything_in_it() -> None:
    builder, closed = fed(make_minutes(0, 5))
    (bar,) = builder.closed(Timeframe.M5, None)
    assert bar == merged(make_minutes(0, 5), Timeframe.M5)
    assert closed[-1] == bar


def test_a_longer_bar_is_announced_right_after_its_last_minute() -> None:
    _, closed = fed(make_minutes(0, 60))
    ends = [bar.timeframe for bar in closed[-5:]]
    assert ends == [Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.M30, Timeframe.H1]


def test_boundaries_are_utc_even_for_the_day() -> None:
    minutes = [make_minute(n, START.replace(hour=0)) for n in range(-5, 24 * 60)]
    builder, _ = fed(minutes)
    (day,) = builder.closed(Timeframe.D1, None)
    assert day.open_time == START.replace(hour=0)
    assert day.trades == sum(minute.trades for minute in minutes[5:])


def test_a_bar_whose_start_was_not_seen_is_missing_not_wrong() -> None:
    builder, _ = fed(make_minutes(2, 10))
    assert [bar.open_time.minute for bar in builder.closed(Timeframe.M5, None)] == [5]
    assert builder.forming(Timeframe.H1) is None


def test_a_missing_minute_holds_back_everything_after_it() -> None:
    builder, closed = fed([*make_minutes(0, 3), *make_minutes(4, 12)])
    assert [bar.open_time.minute for bar in closed] == [0, 1, 2]
    assert builder.closed(Timeframe.M5, None) == ()
    (hole,) = builder.holes()
    assert (hole.timeframe, hole.start, hole.count) == (
        Timeframe.M1,
        START + timedelta(minutes=3),
        1,
    )


def test_a_filled_hole_releases_what_waited_in_order_and_correct() -> None:
    builder, _ = fed([*make_minutes(0, 3), *make_minutes(4, 12)])
    joined = builder.fill(builder.holes()[0], [make_minute(3)])
    minutes = [bar.open_time.minute for bar in joined if bar.timeframe is Timeframe.M1]
    assert minutes == list(range(3, 12))
    assert builder.closed(Timeframe.M5, None) == (
        merged(make_minutes(0, 5), Timeframe.M5),
        merged(make_minutes(5, 10), Timeframe.M5),
    )
    assert builder.holes() == ()


def test_a_minute_the_venue_does_not_have_does_not_exist() -> None:
    builder, _ = fed([*make_minutes(0, 3), *make_minutes(4, 6)])
    builder.fill(builder.holes()[0], [])
    assert builder.holes() == ()
    expected = merged([*make_minutes(0, 3), make_minute(4)], Timeframe.M5)
    assert builder.closed(Timeframe.M5, None) == (expected,)


def test_a_period_whose_last_minutes_do_not_exist_closes_with_the_next_one() -> None:
    builder, _ = fed([*make_minutes(0, 3), *make_minutes(7, 8)])
    joined = builder.fill(builder.holes()[0], [])
    assert merged(make_minutes(0, 3), Timeframe.M5) in joined


def test_duplicates_and_old_minutes_change_nothing() -> None:
    builder, closed = fed([*make_minutes(0, 5), make_minute(4), make_minute(1, volume=9e9)])
    assert len(closed) == 6
    assert builder.closed(Timeframe.M5, None) == (merged(make_minutes(0, 5), Timeframe.M5),)


def test_the_forming_bars_follow_the_forming_minute() -> None:
    builder, _ = fed(make_minutes(0, 7))
    forming = replace(make_minute(7), closed=False, high=500.0)
    builder.update(forming)
    assert builder.forming(Timeframe.M1) == forming
    expected = merged([make_minute(5), make_minute(6), forming], Timeframe.M5)
    assert builder.forming(Timeframe.M5) == replace(expected, closed=False)
    assert builder.closed(Timeframe.M5, None)[-1].high == 106.0


def test_the_first_forming_minute_of_a_period_starts_the_longer_bar() -> None:
    builder, _ = fed(make_minutes(0, 5))
    assert builder.forming(Timeframe.M5) is None
    builder.update(replace(make_minute(5), closed=False))
    forming = builder.forming(Timeframe.M5)
    assert forming is not None
    assert (forming.open_time.minute, forming.closed) == (5, False)


def test_nothing_is_forming_across_a_hole() -> None:
    builder, _ = fed(make_minutes(0, 3))
    builder.update(replace(make_minute(6), closed=False))
    assert builder.forming(Timeframe.M15) is None


def test_expected_minutes_that_are_not_here_are_missing() -> None:
    builder, _ = fed(make_minutes(0, 3))
    builder.expect_until(START + timedelta(minutes=3, seconds=40))
    assert builder.holes() == ()
    builder.expect_until(START + timedelta(minutes=6, seconds=1))
    (hole,) = builder.holes()
    assert (hole.start, hole.end) == (START + timedelta(minutes=3), START + timedelta(minutes=6))
    builder.fill(hole, make_minutes(3, 6))
    assert builder.holes() == ()


def test_loaded_history_continues_with_the_stream() -> None:
    builder = BarBuilder("BTCUSD")
    builder.load(Timeframe.M5, [_five(number) for number in range(-100, 0)])
    builder.load(Timeframe.M1, make_minutes(-7, 3))
    for minute in make_minutes(3, 5):
        builder.update(minute)
    fives = builder.closed(Timeframe.M5, None)
    assert len(fives) == 101
    assert fives[-1] == merged(make_minutes(0, 5), Timeframe.M5)
    assert builder.holes() == ()


def _five(number: int) -> Bar:
    return merged(make_minutes(number * 5, number * 5 + 5), Timeframe.M5)


def test_history_that_ends_before_the_stream_began_leaves_a_known_hole() -> None:
    builder, _ = fed(make_minutes(10, 12))
    builder.load(Timeframe.M1, make_minutes(0, 8))
    (hole,) = builder.holes()
    assert (hole.start.minute, hole.end.minute) == (8, 10)
    builder.fill(hole, make_minutes(8, 10))
    assert [bar.open_time.minute for bar in builder.closed(Timeframe.M1, None)] == list(range(12))


def test_a_longer_bar_that_could_not_be_built_is_asked_for() -> None:
    builder = BarBuilder("BTCUSD")
    builder.load(Timeframe.H1, [merged(make_minutes(-60, 0), Timeframe.H1)])
    for minute in make_minutes(30, 60):
        builder.update(minute)
    (hole,) = builder.holes()
    assert (hole.timeframe, hole.start, hole.count) == (Timeframe.H1, START, 1)
    whole = merged(make_minutes(0, 60), Timeframe.H1)
    assert builder.fill(hole, [whole]) == [whole]


def test_at_least_fifteen_hundred_bars_are_kept_and_not_for_ever() -> None:
    builder = BarBuilder("BTCUSD")
    builder.load(Timeframe.M1, make_minutes(-3_000, 0))
    assert 1_500 <= len(builder.closed(Timeframe.M1, None)) == KEPT_BARS
    assert builder.closed(Timeframe.M1, 2) == (make_minute(-2), make_minute(-1))
    assert builder.closed(Timeframe.M1, 0) == ()


@given(
    missing=st.sets(st.integers(min_value=1, max_value=58), max_size=20),
    twice=st.lists(st.integers(min_value=0, max_value=59), max_size=5),
)
def test_holes_once_filled_leave_no_trace(missing: set[int], twice: list[int]) -> None:
    complete, _ = fed(make_minutes(0, 60))
    arrivals = [n for n in range(60) if n not in missing]
    builder = BarBuilder("BTCUSD")
    for number in arrivals:
        builder.update(make_minute(number))
        for repeated in twice:
            if repeated in arrivals and repeated <= number:
                builder.update(make_minute(repeated))
        assert_no_holes_inside(builder)
    while holes := builder.holes():
        builder.fill(holes[0], minutes_in(holes[0]))
        assert_no_holes_inside(builder)
    for timeframe in Timeframe:
        assert builder.closed(timeframe, None) == complete.closed(timeframe, None)


def minutes_in(hole: BarHole) -> list[Bar]:
    first = (hole.start - START) // timedelta(minutes=1)
    return make_minutes(first, first + hole.count)


def assert_no_holes_inside(builder: BarBuilder) -> None:
    for timeframe in Timeframe:
        bars = builder.closed(timeframe, None)
        opens = [bar.open_time for bar in bars[1:]]
        assert opens == [bar.close_time for bar in bars[:-1]]


def test_recorded_minutes_add_up_in_every_timeframe() -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded Binance klines are not on this machine")
    with open_gzip(RECORDED, "rt", encoding="utf-8") as file:
        minutes = [_recorded(row) for row in csv.DictReader(file)][:3_000]
    builder, closed = fed(minutes)
    assert builder.holes() == ()
    for timeframe in (Timeframe.M5, Timeframe.H1, Timeframe.H4, Timeframe.D1):
        bars = [bar for bar in closed if bar.timeframe is timeframe]
        assert bars
        for bar in bars:
            inside = [m for m in minutes if bar.open_time <= m.open_time < bar.close_time]
            assert len(inside) == timeframe.seconds // 60
            expected = merged(inside, timeframe)
            assert bar.volume == pytest.approx(expected.volume)
            assert replace(bar, volume=0, buy_volume=0) == replace(expected, volume=0, buy_volume=0)


def _recorded(row: dict[str, str]) -> Bar:
    return Bar(
        instrument="BTCUSD",
        timeframe=Timeframe.M1,
        open_time=datetime.fromisoformat(row["open_time"]),
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        volume=float(row["volume"]),
        buy_volume=float(row["taker_base"]),
        trades=int(row["num_trades"]),
        closed=True,
    )
