"""Tells missing bars from a market that was shut."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from core.model.instrument import AssetClass
from core.model.market import Bar

LONGEST_WEEKEND = timedelta(hours=54)
LONGEST_PAUSE = timedelta(hours=1)
PAUSE_HOURS = range(20, 23)
"""UTC hours in which the daily pause of metals (17:00-18:00 New York) can begin."""

FRIDAY, SATURDAY, SUNDAY, MONDAY = 4, 5, 6, 0


def first_hole(bars: Sequence[Bar], asset_class: AssetClass) -> tuple[datetime, datetime] | None:
    """The first stretch (from, to) that no bar covers though the market was open, or None."""
    for before, after in pairwise(bars):
        shut, opened = before.close_time, after.open_time
        if opened != shut and not _market_shut(asset_class, shut, opened):
            return shut, opened
    return None


def _market_shut(asset_class: AssetClass, shut: datetime, opened: datetime) -> bool:
    length = opened - shut
    if asset_class is AssetClass.CRYPTO or length < timedelta(0):
        return False
    if shut.weekday() in (FRIDAY, SATURDAY) and opened.weekday() in (SUNDAY, MONDAY):
        return length <= LONGEST_WEEKEND
    pause = shut.hour in PAUSE_HOURS and length <= LONGEST_PAUSE
    return asset_class is AssetClass.METAL and pause
