"""Range break: the rule bar by bar, its refusals, its symmetry and its frequency."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.indicators import read_indicators
from core.model.instrument import AssetClass
from core.model.market import Bar, Timeframe
from core.model.signal import NoSetup, Setup, Side
from core.strategies.protocol import Strategy
from core.strategies.range_break import RangeBreak, RangeBreakParameters
from tests.support.bar_series import an_instrument, bars_of, random_walk

BTC = an_instrument()
RULE: Strategy = RangeBreak(RangeBreakParameters())
QUIET = (100.0, 101.0, 99.0, 100.0, 10.0)
"""Open, high, low, close, volume: thirty of these make the range 99-101 with mean range 2."""
BREAK_UP = (100.5, 103.0, 100.5, 102.5, 18.0)


def after_quiet(*rows: tuple[float, float, float, float, float]) -> tuple[Bar, ...]:
    return bars_of([QUIET] * 30 + list(rows))


def opinion(bars: tuple[Bar, ...]) -> Setup | NoSetup:
    return RULE.evaluate(BTC, Timeframe.M1, bars)


def refusal(bars: tuple[Bar, ...]) -> NoSetup:
    answer = opinion(bars)
    assert isinstance(answer, NoSetup)
    return answer


def setup(bars: tuple[Bar, ...]) -> Setup:
    answer = opinion(bars)
    assert isinstance(answer, Setup)
    return answer


def mirrored(bars: tuple[Bar, ...], around: float) -> tuple[Bar, ...]:
    """The same market upside down."""
    return tuple(
        replace(
            bar,
            open=around - bar.open,
            high=around - bar.low,
            low=around - bar.high,
            close=around - bar.close,
        )
        for bar in bars
    )


def test_a_wide_busy_close_above_the_range_is_a_buy() -> None:
    bars = after_quiet(BREAK_UP)
    found = setup(bars)
    # ATR14 is 2 before the break, whose true range is 3: (13 x 2 + 3) / 14 = 2.071429.
    distance = 2.5 * 29 / 14
    assert (found.side, found.entry) == (Side.BUY, 102.5)
    assert found.stop == pytest.approx(102.5 - distance)
    assert list(found.targets) == [pytest.approx(102.5 + 2 * distance)]
    # Volume 1.8 x earns 0.15 x 0.4, a body of 2.0 in a range of 2.5 earns 0.15 x 0.8.
    assert found.confidence == pytest.approx(0.6 + 0.06 + 0.12)
    assert found.reasons == (
        "Close 102.50 above the 20-bar high 101.00",
        "Range 1.2 x its 20-bar mean",
        "Volume 1.8 x its 20-bar mean",
        "Body 80% of the bar",
    )
    assert found.key == "range_break|BTCUSD|M1|20260303T003100Z|buy"


def test_the_same_market_upside_down_is_a_sell() -> None:
    found = setup(mirrored(after_quiet(BREAK_UP), 200.0))
    assert (found.side, found.entry) == (Side.SELL, 97.5)
    assert found.stop == pytest.approx(97.5 + 2.5 * 29 / 14)
    assert found.reasons[0] == "Close 97.50 below the 20-bar low 99.00"


def test_the_stop_is_two_and_a_half_of_the_atr_that_the_analysis_shows() -> None:
    bars = after_quiet(BREAK_UP)
    reading = read_indicators(bars)
    assert reading is not None
    assert reading.atr is not None
    found = setup(bars)
    assert found.entry - found.stop == pytest.approx(2.5 * reading.atr)


def test_inside_the_range_says_which_closes_would_do() -> None:
    assert refusal(after_quiet((100.0, 103.0, 100.0, 101.0, 30.0))) == NoSetup(
        reason="inside_range",
        detail="BTCUSD must close above 101.00 or below 99.00 on M1; it closed at 101.00.",
    )


@pytest.mark.parametrize(
    ("row", "code", "detail"),
    [
        (
            (101.0, 102.0, 100.1, 101.5, 30.0),
            "small_range",
            "The close left the 20-bar range, but the bar's range is 0.95 x its mean; "
            "it must be at least 1 x.",
        ),
        (
            (100.5, 103.0, 100.5, 102.5, 9.5),
            "low_volume",
            "The close left the 20-bar range, but the bar's volume is 0.95 x its mean; "
            "it must be at least 1 x.",
        ),
    ],
)
def test_a_quiet_break_says_what_it_lacks(
    row: tuple[float, float, float, float, float], code: str, detail: str
) -> None:
    assert refusal(after_quiet(row)) == NoSetup(reason=code, detail=detail)


def test_a_bar_exactly_as_wide_and_busy_as_the_mean_is_enough() -> None:
    assert isinstance(opinion(after_quiet((101.0, 102.0, 100.0, 101.5, 10.0))), Setup)


def test_the_breaking_bar_is_not_part_of_its_own_range() -> None:
    grown = setup(after_quiet(BREAK_UP))
    assert "20-bar high 101.00" in grown.reasons[0]
    again = refusal(after_quiet(BREAK_UP, (102.5, 104.0, 101.0, 102.9, 30.0)))
    assert again.reason == "inside_range"
    assert "above 103.00" in again.detail


def test_short_history_says_how_many_bars_are_missing() -> None:
    assert refusal(random_walk(1, 15)) == NoSetup(
        reason="history", detail="BTCUSD needs 6 more closed bars."
    )
    assert refusal(()).reason == "history"
    assert opinion(random_walk(1, 21)) != refusal(random_walk(1, 20))


def test_a_hole_inside_what_is_read_is_refused_and_an_older_one_is_not() -> None:
    bars = after_quiet(QUIET, BREAK_UP)
    assert refusal((*bars[:-5], *bars[-4:])) == NoSetup(
        reason="hole", detail="BTCUSD lacks bars from 2026-03-03 00:27 to 2026-03-03 00:28 UTC."
    )
    assert isinstance(opinion((*bars[:3], *bars[4:])), Setup)


def test_a_weekend_is_no_hole_for_fx() -> None:
    friday_last = timedelta(days=3, hours=21, minutes=29)
    bars = after_quiet(BREAK_UP)
    moved = [replace(bar, open_time=bar.open_time + friday_last) for bar in bars[:-1]]
    after = replace(bars[-1], open_time=moved[-1].close_time + timedelta(hours=48))
    euro = an_instrument("EURUSD", asset_class=AssetClass.FX)
    assert isinstance(RULE.evaluate(euro, Timeframe.M1, (*moved, after)), Setup)
    assert refusal((*moved, after)).reason == "hole"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([(100.0, 100.0, 100.0, 100.0, 10.0)] * 30, "flat"),
        ([(100.0, 101.0, 99.0, 100.0, 0.0)] * 30, "no_volume"),
        ([QUIET] * 29 + [(100.0, float("nan"), 99.0, 100.0, 1.0)], "flat"),
        ([QUIET] * 29 + [(100.0, 101.0, 99.0, 100.0, float("nan"))] + [BREAK_UP], "no_volume"),
        ([(4.0, 6.0, 2.0, 4.0, 10.0)] * 30 + [(4.0, 9.0, 4.0, 8.0, 30.0)], "levels"),
    ],
)
def test_data_that_carries_no_plan_is_refused(
    rows: list[tuple[float, float, float, float, float]], code: str
) -> None:
    assert refusal(bars_of(rows)).reason == code


def test_an_open_bar_is_refused() -> None:
    bars = after_quiet(BREAK_UP)
    assert refusal((*bars[:-1], replace(bars[-1], closed=False))).reason == "open_bar"


def test_parameters_move_the_levels() -> None:
    tight = RangeBreak(RangeBreakParameters(stop_atr=1.0, reward_risk=3.0))
    found = tight.evaluate(BTC, Timeframe.M1, after_quiet(BREAK_UP))
    assert isinstance(found, Setup)
    assert found.entry - found.stop == pytest.approx(29 / 14)
    assert found.targets[0] - found.entry == pytest.approx(3 * 29 / 14)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_both_sides_are_treated_alike(seed: int) -> None:
    bars = random_walk(seed, 60)
    straight, turned = opinion(bars), opinion(mirrored(bars, 200_000.0))
    if isinstance(straight, NoSetup):
        assert isinstance(turned, NoSetup)
        assert turned.reason == straight.reason
        return
    assert isinstance(turned, Setup)
    assert turned.side is straight.side.opposite
    assert turned.stop == pytest.approx(200_000 - straight.stop)
    assert turned.targets[0] == pytest.approx(200_000 - straight.targets[0])
    assert turned.confidence == straight.confidence


@given(seed=st.integers(0, 10**6), count=st.integers(21, 200))
@settings(max_examples=60, deadline=None)
def test_every_setup_is_sane(seed: int, count: int) -> None:
    bars = random_walk(seed, count)
    found = opinion(bars)
    if isinstance(found, NoSetup):
        assert found.detail.startswith(("BTCUSD ", "The close left "))
        return
    sign = found.side.sign
    assert (found.entry - found.stop) * sign > 0
    assert (found.targets[0] - found.entry) * sign == pytest.approx(
        2 * (found.entry - found.stop) * sign
    )
    assert 0.6 <= found.confidence <= 0.9
    assert found.bar_close == bars[-1].close_time


def test_on_a_random_walk_it_speaks_once_per_fifteen_to_twenty_five_bars() -> None:
    bars = random_walk(11, 4000)
    spoken = [
        end
        for end in range(100, len(bars) + 1)
        if isinstance(opinion(bars[end - 100 : end]), Setup)
    ]
    assert 15 <= 3900 / len(spoken) <= 25
    waits = [after - before for before, after in pairwise(spoken)]
    assert sorted(waits)[len(waits) // 2] <= 20


def test_longer_history_changes_neither_the_opinion_nor_its_levels() -> None:
    bars = random_walk(12, 1200)
    for end in range(700, 1200, 10):
        long, short = opinion(bars[:end]), opinion(bars[end - 600 : end])
        assert long == short
