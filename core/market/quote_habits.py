"""What is usual for an instrument's quotes: the time between them and their spread."""

import math
from collections import deque
from statistics import median

SPREAD_SAMPLE_SECONDS = 5.0
SPREAD_SAMPLES = 720
"""One hour."""
LEAST_SPREAD_SAMPLES = 12
LEAST_GAPS = 20

_BUCKETS = 96
_PER_DOUBLING = 6
_FINEST_SECONDS = 0.001
_LONGEST_SECONDS = 60.0
_HALVE_AT = 20_000


class QuoteHabits:
    """Rolling estimates at O(1) per quote; the gap's error is at most one bucket (12 %)."""

    __slots__ = ("_counts", "_last", "_sampled", "_spreads", "_total")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._total = 0
        self._last: float | None = None
        self._sampled = -math.inf
        self._spreads: deque[float] = deque(maxlen=SPREAD_SAMPLES)

    def note(self, spread: float, now: float) -> None:
        """A quote arrived at `now` (market-clock monotonic seconds)."""
        if self._last is not None and now - self._last < _LONGEST_SECONDS:
            self._count(now - self._last)
        self._last = now
        if now - self._sampled >= SPREAD_SAMPLE_SECONDS:
            self._sampled = now
            self._spreads.append(spread)

    def usual_longest_gap(self) -> float | None:
        """99 % of the waits between quotes are not longer (seconds); None with too few."""
        if self._total < LEAST_GAPS:
            return None
        left = self._total * 0.99
        for bucket, count in enumerate(self._counts):
            left -= count
            if left <= 0:
                return float(_FINEST_SECONDS * 2 ** ((bucket + 1) / _PER_DOUBLING))
        return _LONGEST_SECONDS

    def usual_spread(self) -> float | None:
        """Median of the last hour, one sample each 5 s; None during the first minute."""
        return median(self._spreads) if len(self._spreads) >= LEAST_SPREAD_SAMPLES else None

    def _count(self, gap: float) -> None:
        octaves = math.log2(max(gap, _FINEST_SECONDS) / _FINEST_SECONDS)
        self._counts[min(int(octaves * _PER_DOUBLING), _BUCKETS - 1)] += 1
        self._total += 1
        if self._total >= _HALVE_AT:
            self._counts = [count // 2 for count in self._counts]
            self._total = sum(self._counts)
