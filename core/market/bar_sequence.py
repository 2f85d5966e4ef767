"""Closed bars of one instrument and timeframe, in order, never with a hole."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from core.model.market import Bar, Timeframe

KEPT_BARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BarHole:
    """Bars that are missing: opens from `start` (inclusive) to `end` (exclusive)."""

    instrument: str
    timeframe: Timeframe
    start: datetime
    end: datetime

    @property
    def count(self) -> int:
        """How many bars that is."""
        return (self.end - self.start) // timedelta(seconds=self.timeframe.seconds)


class BarSequence:
    """Bars that come after a hole wait outside until the hole is filled."""

    def __init__(self, instrument: str, timeframe: Timeframe) -> None:
        self._instrument = instrument
        self.timeframe = timeframe
        self._bars: deque[Bar] = deque(maxlen=KEPT_BARS)
        self._waiting: dict[datetime, Bar] = {}
        self._due: datetime | None = None

    @property
    def last(self) -> Bar | None:
        """The newest bar in the sequence."""
        return self._bars[-1] if self._bars else None

    def latest(self, count: int | None) -> tuple[Bar, ...]:
        """The last `count` bars (None: all), oldest first."""
        if count is None or count >= len(self._bars):
            return tuple(self._bars)
        return tuple(islice(self._bars, len(self._bars) - max(count, 0), None))

    def offer(self, bar: Bar) -> list[Bar]:
        """Take a closed bar; returns what joined the sequence (empty: known already, or waits)."""
        last = self.last
        if last is not None and bar.open_time <= last.open_time:
            return []
        if last is not None and bar.open_time > last.close_time:
            self._waiting.setdefault(bar.open_time, bar)
            return []
        self._bars.append(bar)
        return [bar, *self._join_waiting()]

    def expect(self, open_time: datetime) -> None:
        """The bar that opens then is closed by now; if it is not here, it is missing."""
        if self._due is None or open_time > self._due:
            self._due = open_time

    def hole(self) -> BarHole | None:
        """The first hole, or None. A sequence that holds nothing has no holes."""
        last = self.last
        if last is None:
            return None
        ends = [*self._waiting]
        if self._due is not None:
            ends.append(self._due + timedelta(seconds=self.timeframe.seconds))
        end = min((end for end in ends if end > last.close_time), default=None)
        if end is None:
            return None
        return BarHole(
            instrument=self._instrument, timeframe=self.timeframe, start=last.close_time, end=end
        )

    def fill(self, hole: BarHole, bars: Sequence[Bar]) -> list[Bar]:
        """Close `hole` with the venue's bars; minutes it does not have do not exist."""
        joined = []
        for bar in bars:
            last = self.last
            if hole.start <= bar.open_time < hole.end and (
                last is None or bar.open_time > last.open_time
            ):
                self._bars.append(bar)
                joined.append(bar)
        if self._due is not None and self._due < hole.end:
            self._due = None
        following = self._waiting.pop(hole.end, None)
        if following is not None:
            self._bars.append(following)
            joined.append(following)
        return joined + self._join_waiting()

    def load(self, bars: Sequence[Bar]) -> None:
        """Take `bars` as the past; what is newer stays, or waits for the hole between."""
        if not bars:
            return
        newer = [*self._bars, *self._waiting.values()]
        self._bars = deque(bars, maxlen=KEPT_BARS)
        self._waiting = {}
        for bar in sorted(newer, key=lambda bar: bar.open_time):
            self.offer(bar)

    def _join_waiting(self) -> list[Bar]:
        joined = []
        while self._bars and (bar := self._waiting.pop(self._bars[-1].close_time, None)):
            self._bars.append(bar)
            joined.append(bar)
        if self._bars:
            newest = self._bars[-1].open_time
            self._waiting = {key: bar for key, bar in self._waiting.items() if key > newest}
        return joined
