"""A shut market is not missing data, and missing data is not a shut market."""

from datetime import UTC, datetime

import pytest

from core.model.instrument import AssetClass
from core.model.market import Timeframe
from core.strategies.continuity import first_hole
from tests.support.bar_series import a_bar, random_walk


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 (the 6th is a Friday)."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def hole_between(last_open: datetime, next_open: datetime, asset: AssetClass) -> bool:
    bars = [
        a_bar(1, 1, 1, 1, opens_at=moment, timeframe=Timeframe.M15)
        for moment in (last_open, next_open)
    ]
    return first_hole(bars, asset) is not None


def test_consecutive_bars_have_no_hole() -> None:
    assert first_hole(random_walk(1, 50), AssetClass.CRYPTO) is None
    assert first_hole((), AssetClass.FX) is None


def test_a_missing_bar_is_named_by_its_times() -> None:
    bars = random_walk(1, 50)
    hole = first_hole((*bars[:30], *bars[31:]), AssetClass.CRYPTO)
    assert hole == (bars[30].open_time, bars[31].open_time)


def test_a_repeated_or_disordered_bar_is_a_hole() -> None:
    bars = random_walk(1, 5)
    for asset in AssetClass:
        assert first_hole((bars[0], bars[0]), asset) is not None
        assert first_hole((bars[3], bars[1]), asset) is not None


@pytest.mark.parametrize(
    ("last_open", "next_open", "crypto", "metal", "fx"),
    [
        pytest.param(utc(6, 21, 45), utc(8, 22), True, False, False, id="weekend"),
        pytest.param(utc(6, 20, 45), utc(9, 0), True, False, False, id="weekend to Monday"),
        pytest.param(utc(6, 9, 45), utc(9, 0), True, True, True, id="half of Friday too"),
        pytest.param(utc(6, 21, 45), utc(2, 0), True, True, True, id="back to Monday"),
        pytest.param(utc(4, 21, 45), utc(4, 23), True, False, True, id="pause of metals"),
        pytest.param(utc(4, 12, 45), utc(4, 14), True, True, True, id="an hour at noon"),
        pytest.param(utc(4, 21, 45), utc(5, 1), True, True, True, id="a pause of three hours"),
        pytest.param(utc(4, 21, 45), utc(6, 22), True, True, True, id="two days of the week"),
    ],
)
def test_which_gaps_are_holes(
    last_open: datetime, next_open: datetime, crypto: bool, metal: bool, fx: bool
) -> None:
    found = tuple(
        hole_between(last_open, next_open, asset)
        for asset in (AssetClass.CRYPTO, AssetClass.METAL, AssetClass.FX)
    )
    assert found == (crypto, metal, fx)
