"""The price path, drawn from coarse to fine: hours, minutes inside them, 250 ms steps inside those.

Variance is drawn first and independently of direction; given it, log price is Gaussian with drift
-variance/2, so price is a martingale: nothing seen before tells where it goes. Fat tails and
clustering come from the variance alone. Finer levels are Brownian bridges between coarser ones.
"""

from dataclasses import dataclass

import numpy as np

from core.clock import to_millis
from infra.sandbox.market.draws import Draws, Floats
from infra.sandbox.market.listing import EPOCH, HOUR_MS, Listing, hour_of_week, weekly_variance
from infra.sandbox.market.recent import Recent

STEP_MS = 250
STEPS_PER_MINUTE = 240
CHUNK_HOURS = 2048
_EPOCH_HOUR = to_millis(EPOCH) // HOUR_MS
_MEAN_REGIME = 1.31
"""Mean of the regime factor below, measured; dividing by it keeps the annual volatility."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive increments of log price: where each begins and ends, and its variance."""

    starts: Floats
    ends: Floats
    variances: Floats

    def __add__(self, other: "Stretch") -> "Stretch":
        return Stretch(
            starts=self.starts + other.starts,
            ends=self.ends + other.ends,
            variances=self.variances + other.variances,
        )

    def part(self, first: int, count: int) -> "Stretch":
        """`count` increments from `first`."""
        chosen = slice(first, first + count)
        return Stretch(
            starts=self.starts[chosen], ends=self.ends[chosen], variances=self.variances[chosen]
        )


def bridge(outer: Stretch, weights: Floats, draws: Floats) -> Stretch:
    """Split each of the n increments of `outer` into k: `weights` and `draws` are (n, k)."""
    share = weights / weights.sum(axis=1, keepdims=True)
    variances = share * outer.variances[:, None]
    moves = np.sqrt(variances) * draws
    moves += share * (outer.ends - outer.starts - moves.sum(axis=1))[:, None]
    ends = np.cumsum(moves, axis=1)
    ends += outer.starts[:, None]
    starts = np.empty_like(ends)
    starts[:, 0] = outer.starts
    starts[:, 1:] = ends[:, :-1]
    return Stretch(starts=starts.ravel(), ends=ends.ravel(), variances=variances.ravel())


class OwnPath:
    """Log price relative to its anchor at EPOCH, for a symbol with a path of its own."""

    def __init__(self, seed: int, listing: Listing) -> None:
        self._week = weekly_variance(listing)
        self._hour, self._minute, self._step = (
            Draws(seed, listing.symbol, level) for level in ("hour", "minute", "step")
        )
        self._regime, self._day, self._burst, self._gust, self._wait = (
            Draws(seed, listing.symbol, name) for name in ("regime", "day", "burst", "gust", "wait")
        )
        self._chunks: dict[int, Stretch] = {}
        self._hours_seen: Recent[int, Stretch] = Recent(8)

    def hours(self, first: int, count: int) -> Stretch:
        """`count` hours from hour `first` (counted from 1970)."""
        last = first + count
        low, high = ((h - _EPOCH_HOUR) // CHUNK_HOURS for h in (first, last - 1))
        parts = [self._chunk(index) for index in range(low, high + 1)]
        joined = Stretch(
            starts=np.concatenate([p.starts for p in parts]),
            ends=np.concatenate([p.ends for p in parts]),
            variances=np.concatenate([p.variances for p in parts]),
        )
        return joined.part(first - _EPOCH_HOUR - low * CHUNK_HOURS, count)

    def minutes(self, first_hour: int, hours: int) -> Stretch:
        """The minutes of `hours` whole hours."""
        index = np.arange(first_hour * 60, (first_hour + hours) * 60)
        position = index.astype(np.float64)
        loudness = 0.32 * self._burst.noise(position / 9)
        loudness += 0.28 * self._gust.noise(position / 33)
        loudness += 0.22 * self._burst.normal(index)
        weights = np.exp(2 * loudness).reshape(hours, 60)
        draws = self._minute.normal(index).reshape(hours, 60)
        return bridge(self.hours(first_hour, hours), weights, draws)

    def steps(self, first_minute: int, minutes: int) -> Stretch:
        """The 250 ms steps of `minutes` minutes that lie in one hour."""
        hour, offset = divmod(first_minute, 60)
        whole = self._hours_seen.get(hour, lambda: self.minutes(hour, 1))
        shape = (minutes, STEPS_PER_MINUTE)
        index = np.arange(minutes * STEPS_PER_MINUTE) + first_minute * STEPS_PER_MINUTE
        weights = -np.log(self._wait.uniform(index)).reshape(shape)
        draws = self._step.normal(index).reshape(shape)
        return bridge(whole.part(offset, minutes), weights, draws)

    def _chunk(self, index: int) -> Stretch:
        known = self._chunks.get(index)
        if known is not None:
            return known
        first = _EPOCH_HOUR + index * CHUNK_HOURS
        variances = self._hour_variances(first)
        draws = self._hour.normal(np.arange(first, first + CHUNK_HOURS))
        moves = np.sqrt(variances) * draws - variances / 2
        levels = np.concatenate([[0.0], np.cumsum(moves)])
        if index > 0:
            levels += self._chunk(index - 1).ends[-1]
        elif index < 0:
            levels += self._chunk(index + 1).starts[0] - levels[-1]
        made = Stretch(starts=levels[:-1], ends=levels[1:], variances=variances)
        self._chunks[index] = made
        return made

    def _hour_variances(self, first: int) -> Floats:
        hours = np.arange(first, first + CHUNK_HOURS)
        position = hours.astype(np.float64)
        mood = self._regime.noise(position / 40)
        loudness = np.interp(mood, [-1.2, -0.8, 0.9, 1.3], [-0.4, 0.0, 0.0, 0.55])
        loudness += 0.2 * self._day.noise(position / 13)
        loudness += 0.15 * self._regime.normal(hours + (1 << 40))
        return self._week[hour_of_week(hours)] * np.exp(2 * loudness) / _MEAN_REGIME


class PricePath:
    """Log price relative to the anchor of any symbol: the sum of its legs' paths."""

    def __init__(self, legs: tuple[OwnPath, ...]) -> None:
        self._legs = legs

    def hours(self, first: int, count: int) -> Stretch:
        """`count` hours from hour `first` (counted from 1970)."""
        return self._sum([leg.hours(first, count) for leg in self._legs])

    def minutes(self, first_hour: int, hours: int) -> Stretch:
        """The minutes of `hours` whole hours."""
        return self._sum([leg.minutes(first_hour, hours) for leg in self._legs])

    def steps(self, first_minute: int, minutes: int) -> Stretch:
        """The 250 ms steps of `minutes` minutes that lie in one hour."""
        return self._sum([leg.steps(first_minute, minutes) for leg in self._legs])

    @staticmethod
    def _sum(stretches: list[Stretch]) -> Stretch:
        total = stretches[0]
        for stretch in stretches[1:]:
            total += stretch
        return total
