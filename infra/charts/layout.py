"""Where things stand: panels, the price scale, the bars' columns, round ticks, tags kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.model.chart import ChartLevel, LevelKind
from infra.charts.columns import BarColumns
from infra.charts.shapes import Floats

WIDTH = 1080
HEIGHT = 1200
LEFT = 16
RIGHT = WIDTH - 12
TOP_OF_PLOT = 132
BOTTOM_OF_PLOT = 1136
WIDEST_SLOT = 36.0
WIDE_BODY = 12
"""Bodies from this width on have thicker wicks."""
TICK_GAP_PIXELS = 150.0
FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
TIME_STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080, 20160, 40320)
)
REACH = 0.8
"""How far beyond the bars' own range a trade level may stretch the scale, in ranges."""
HINT_REACH = 0.25
"""The same for support and resistance, which are dropped beyond it."""
HINTS = frozenset({LevelKind.SUPPORT, LevelKind.RESISTANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A horizontal strip of the picture."""

    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """Half-way down."""
        return (self.top + self.bottom) / 2


PRICE_PANEL = Panel(top=TOP_OF_PLOT, bottom=884.0)
VOLUME_PANEL = Panel(top=912.0, bottom=1046.0)
TALL_VOLUME_PANEL = Panel(top=912.0, bottom=BOTTOM_OF_PLOT)
"""The volume panel of a chart without the delta strip."""
DELTA_PANEL = Panel(top=1062.0, bottom=BOTTOM_OF_PLOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Prices to pixels of the price panel."""

    low: float
    high: float

    def y(self, price: float) -> float:
        """Pixel row of a price; outside the panel when the price is outside the scale."""
        return float(self.rows(np.array(price)))

    def rows(self, prices: Floats) -> Floats:
        """Pixel rows of many prices."""
        share = (self.high - prices) / (self.high - self.low)
        rows: Floats = PRICE_PANEL.top + share * (PRICE_PANEL.bottom - PRICE_PANEL.top)
        return rows

    def shows(self, price: float) -> bool:
        """Whether a price lies inside the panel."""
        return self.low <= price <= self.high


def price_scale(columns: BarColumns, levels: Sequence[ChartLevel], digits: int) -> Scale:
    """A scale that shows all bars and every level that is near enough to be worth the room."""
    low, high = float(columns.low.min()), float(columns.high.max())
    least = max(abs(high) * 1e-4, 20 * 10.0**-digits)
    if high - low < least:
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    span = high - low
    wanted = [low, high]
    for level in levels:
        reach = span * (HINT_REACH if level.kind in HINTS else REACH)
        if low - reach <= level.price <= high + reach:
            wanted.append(level.price)
    for _, line in columns.lines:
        values = line[np.isfinite(line)]
        wanted.extend(np.clip(values, low - span * HINT_REACH, high + span * HINT_REACH))
    low, high = min(wanted), max(wanted)
    room = (high - low) * 0.06
    return Scale(low=low - room, high=high + room)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The bars' columns: centres from left to right and the even width of a body."""

    centres: Floats
    pitch: float
    body: int
    wick: int


def bar_slots(count: int, left: float, right: float) -> Slots:
    """`count` equal columns that end at `right`."""
    pitch = min((right - left) / count, WIDEST_SLOT)
    centres = np.rint(right - pitch * (count - 0.5 - np.arange(count)))
    body = max(2, 2 * round(pitch * 0.38))
    return Slots(centres=centres, pitch=pitch, body=body, wick=2 if body < WIDE_BODY else 4)


def price_ticks(scale: Scale, digits: int) -> Floats:
    """About six round prices inside the scale, none finer than the instrument's digits."""
    rough = max((scale.high - scale.low) / 6, 10.0**-digits)
    magnitude = 10.0 ** np.floor(np.log10(rough))
    step = next(m * magnitude for m in (1.0, 2.0, 5.0, 10.0) if m * magnitude >= rough * 0.999)
    first, last = np.ceil(scale.low / step), np.floor(scale.high / step)
    ticks: Floats = np.arange(first, last + 1) * step
    return ticks


def time_ticks(columns: BarColumns, slots: Slots) -> list[tuple[int, str, bool]]:
    """(bar index, label, starts a new day) for round moments, far enough apart to be read."""
    bar_length = timedelta(seconds=columns.timeframe.seconds)
    bars_apart = TICK_GAP_PIXELS / slots.pitch
    step = next((s for s in TIME_STEPS if s >= bar_length * bars_apart), TIME_STEPS[-1])
    ticks: list[tuple[int, str, bool]] = []
    day, last_x = columns.times[0].date(), -TICK_GAP_PIXELS
    for index, moment in _round_moments(columns, bar_length, step):
        x = slots.centres[index]
        if x - last_x < TICK_GAP_PIXELS * 0.8:
            continue
        dated = step >= timedelta(days=1) or moment.date() != day
        text = f"{moment.day} {moment:%b}" if dated else f"{moment:%H:%M}"
        ticks.append((index, text, dated and step < timedelta(days=1)))
        day, last_x = moment.date(), x
    return ticks


def _round_moments(
    columns: BarColumns, bar_length: timedelta, step: timedelta
) -> list[tuple[int, datetime]]:
    """The bars with which a `step` since a Monday begins; the last bar when there is none."""
    times = columns.times
    buckets = [(moment - FIRST_MONDAY) // step for moment in (times[0] - bar_length, *times)]
    begins = [index for index, (a, b) in enumerate(pairwise(buckets)) if a != b]
    return [(index, times[index]) for index in begins or [len(times) - 1]]


def spread(wanted: Sequence[float], gap: float, top: float, bottom: float) -> NDArray[np.float64]:
    """Rows as near to `wanted` as can be with `gap` between them, inside [top, bottom].

    Neighbours that collide share the shift evenly; when there is no room, the gap shrinks.
    """
    count = len(wanted)
    if not count:
        return np.empty(0)
    gap = min(gap, (bottom - top) / max(1, count - 1))
    order = np.argsort(wanted, kind="stable")
    offsets = np.arange(count) * gap
    pools: list[list[float]] = []
    for target in np.asarray(wanted, dtype=np.float64)[order] - offsets:
        pools.append([target])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])
    rows = np.empty(count)
    rows[order] = np.clip(level, top, bottom - offsets[-1]) + offsets
    return rows
