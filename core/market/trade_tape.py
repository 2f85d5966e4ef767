"""The last 15 minutes of one instrument's trades as columns; any window is two look-ups."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.model.market import TradeTick

KEPT_SECONDS = 900
MOST_TRADES = 200_000
TRIM_EVERY = 1_024

_SIZE_SCALE = 1e8
"""Sizes are summed as whole numbers of 1e-8 (the venues' finest step), so sums are exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeWindow:
    """Trades later than `now - seconds` and not later than `now`. Sizes in base units."""

    trades: int
    buy: float
    """Volume of aggressive buys."""
    sell: float
    first_price: float | None
    last_price: float | None
    gap: bool
    """Trades are missing inside the window, or the tape is younger than the window."""


@dataclass(slots=True)
class _Hole:
    """Ids not seen, between two trades; `position` counts trades since the tape began."""

    first_id: int
    last_id: int
    position: int
    before_ms: int
    after_ms: int | None = None


class TradeTape:
    """Columns of time, price and running buy/sell volume; 32 bytes a trade."""

    __slots__ = ("_bought", "_buys", "_dropped", "_holes", "_prices", "_sells", "_sold", "_times")

    def __init__(self) -> None:
        self._times = array("q")
        self._prices = array("d")
        self._buys = array("d")
        """Volume bought up to and including each trade."""
        self._sells = array("d")
        self._bought = 0.0
        self._sold = 0.0
        self._dropped = 0
        self._holes: list[_Hole] = []

    def __len__(self) -> int:
        return len(self._times)

    def append(self, tick: TradeTick) -> None:
        """Add the next trade; a time behind the last one counts as the last one's."""
        times = self._times
        moment = tick.event_ms
        if times and moment < times[-1]:
            moment = times[-1]
        if self._holes and self._holes[-1].after_ms is None:
            self._holes[-1].after_ms = moment
        if tick.buyer_maker:
            self._sold += round(tick.size * _SIZE_SCALE)
        else:
            self._bought += round(tick.size * _SIZE_SCALE)
        times.append(moment)
        self._prices.append(tick.price)
        self._buys.append(self._bought)
        self._sells.append(self._sold)
        if not len(times) % TRIM_EVERY:
            self._trim(moment)

    def mark_gap(self, first_id: int, last_id: int) -> None:
        """Trades with these ids are missing between the last trade and the next one."""
        if self._times:
            position = self._dropped + len(self._times)
            self._holes.append(_Hole(first_id, last_id, position, self._times[-1]))

    def expect_earlier(self, first_id: int, last_id: int) -> None:
        """Trades with these ids came just before the first one and may still be fetched."""
        if first_id <= last_id and len(self._times) == 1 and not self._dropped:
            self._holes.append(_Hole(first_id, last_id, 0, 0, self._times[0]))

    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The closed id ranges that were missed while streaming."""
        return tuple((h.first_id, h.last_id) for h in self._holes if h.position)

    def earlier(self) -> tuple[int, int] | None:
        """The closed id range from before the first trade, while it can still be put in place."""
        ranges = ((h.first_id, h.last_id) for h in self._holes if not h.position)
        return None if self._dropped else next(ranges, None)

    def fill_gap(self, first_id: int, trades: Sequence[TradeTick]) -> bool:
        """Put the missing trades where they belong; False unless `trades` is the whole gap."""
        hole = next((hole for hole in self._holes if hole.first_id == first_id), None)
        if hole is None or hole.after_ms is None:
            return False
        expected = list(range(hole.first_id, hole.last_id + 1))
        if [tick.trade_id for tick in trades] != expected:
            return False
        self._holes.remove(hole)
        place = hole.position - self._dropped
        if place > 0 or (hole.position == 0 and not self._dropped):
            self._insert(place, trades, hole.before_ms, hole.after_ms)
        for later in self._holes:
            if later.position >= hole.position:
                later.position += len(trades)
        return True

    def window(self, seconds: int, now_ms: int) -> TapeWindow:
        """What happened in the `seconds` before `now_ms`."""
        start_ms = now_ms - seconds * 1000
        first = bisect_right(self._times, start_ms)
        end = bisect_right(self._times, now_ms, lo=first)
        buys_before, sells_before = self._sums_before(first)
        buys, sells = self._sums_before(end)
        return TapeWindow(
            trades=end - first,
            buy=(buys - buys_before) / _SIZE_SCALE,
            sell=(sells - sells_before) / _SIZE_SCALE,
            first_price=self._prices[first] if end > first else None,
            last_price=self._prices[end - 1] if end > first else None,
            gap=self._incomplete(start_ms, now_ms),
        )

    def _sums_before(self, index: int) -> tuple[float, float]:
        """Running volumes before the trade at `index`."""
        if index:
            return self._buys[index - 1], self._sells[index - 1]
        return 0.0, 0.0

    def _incomplete(self, start_ms: int, now_ms: int) -> bool:
        if not self._times or start_ms < self._times[0]:
            return True
        return any(
            hole.before_ms <= now_ms and (hole.after_ms is None or hole.after_ms > start_ms)
            for hole in self._holes
        )

    def _insert(
        self, place: int, trades: Sequence[TradeTick], before_ms: int, after_ms: int
    ) -> None:
        times = sorted(min(max(tick.event_ms, before_ms), after_ms) for tick in trades)
        buys, sells = self._sums_before(place)
        new_buys, new_sells = array("d"), array("d")
        for tick in trades:
            if tick.buyer_maker:
                sells += round(tick.size * _SIZE_SCALE)
            else:
                buys += round(tick.size * _SIZE_SCALE)
            new_buys.append(buys)
            new_sells.append(sells)
        buys_before, sells_before = self._sums_before(place)
        self._shift(place, buys - buys_before, sells - sells_before)
        self._times[place:place] = array("q", times)
        self._prices[place:place] = array("d", (tick.price for tick in trades))
        self._buys[place:place] = new_buys
        self._sells[place:place] = new_sells

    def _shift(self, place: int, buys: float, sells: float) -> None:
        """Raise the running volumes from `place` on."""
        if place < len(self._times):
            np.frombuffer(self._buys)[place:] += buys
            np.frombuffer(self._sells)[place:] += sells
        self._bought += buys
        self._sold += sells

    def _trim(self, newest_ms: int) -> None:
        """Forget what is too old, and start the running volumes at zero again."""
        too_old = bisect_left(self._times, newest_ms - KEPT_SECONDS * 1000)
        # One trade older than the window stays: it proves that the tape reaches back that far.
        count = max(too_old - 1, len(self._times) - MOST_TRADES, 0)
        if not count:
            return
        buys, sells = self._sums_before(count)
        for column in (self._times, self._prices, self._buys, self._sells):
            del column[:count]
        self._shift(0, -buys, -sells)
        self._dropped += count
        oldest = self._times[0]
        self._holes = [h for h in self._holes if h.after_ms is None or h.after_ms > oldest]
