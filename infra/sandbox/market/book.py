"""The order book: 20 levels a side that are eaten by trades, refill, and know nothing ahead."""

from dataclasses import dataclass

import numpy as np

from infra.sandbox.market.draws import Draws, Floats, Ints
from infra.sandbox.market.listing import Listing
from infra.sandbox.market.rows import Trades

LEVELS = 20
SLOT_MS = 100
EATEN_FOR_MS = 1_500
_REFRESH_MS = 1_800
_MOOD_MS = 180_000
_VOID_CHANCE = 0.05
_WALL_CHANCE = 0.985


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """A book snapshot: (price in ticks, size in steps) rows, best first; up to 20 a side."""

    update_id: int
    bids: Ints
    asks: Ints


class BookMaker:
    """Builds the book of one symbol at any moment."""

    def __init__(self, seed: int, listing: Listing) -> None:
        self._listing = listing
        self._place = Draws(seed, listing.symbol, "level place")
        self._size = Draws(seed, listing.symbol, "level size")
        self._mood = Draws(seed, listing.symbol, "level mood")
        places = np.arange(LEVELS) * 0.06
        self._shape = np.log(listing.level_size * listing.steps_per_unit) + np.tile(places, 2)

    def depth(self, bid: int, ask: int, moment_ms: int, recent: Trades) -> Depth:
        """The book around a quote; `recent` are the trades of the last EATEN_FOR_MS."""
        slot = moment_ms // SLOT_MS
        prices = np.concatenate([self._side(bid, -1), self._side(ask, 1)])
        sizes = self._sizes(prices, slot * SLOT_MS)
        self._eat(sizes, bid, ask, slot * SLOT_MS, recent)
        table = np.empty((2 * LEVELS, 2), dtype=np.int64)
        table[:, 0] = prices
        table[:, 1] = np.maximum(sizes, 1)
        return Depth(update_id=slot, bids=table[:LEVELS], asks=table[LEVELS:])

    def _side(self, best: int, direction: int) -> Ints:
        """`best` and the 19 places beyond it; places are fixed prices, so levels do not dance."""
        gap = self._listing.level_gap
        buckets = best // gap + direction * np.arange(LEVELS + 1)
        places = buckets * gap + (self._place.uniform(buckets) * gap).astype(np.int64)
        beyond = places[(places - best) * direction > 0][: LEVELS - 1]
        return np.concatenate([[best], beyond])

    def _sizes(self, prices: Ints, moment_ms: int) -> Floats:
        phase = (moment_ms + prices * 617 % _REFRESH_MS) / _REFRESH_MS
        cell = np.floor(phase).astype(np.int64)
        share = phase - cell
        index = prices * (1 << 34) + cell
        here, coming = self._size.normal(np.stack([index, index + 1]))
        sizes = np.exp(self._shape + 0.8 * (here * (1 - share) + coming * share))
        mood = self._mood.uniform(prices * (1 << 28) + moment_ms // _MOOD_MS)
        sizes[mood < _VOID_CHANCE] *= 0.05
        sizes[mood > _WALL_CHANCE] *= 8.0
        return np.asarray(sizes)

    @staticmethod
    def _eat(sizes: Floats, bid: int, ask: int, moment_ms: int, recent: Trades) -> None:
        if len(recent) == 0:
            return
        left = np.clip(1 - (moment_ms - recent.times) / EATEN_FOR_MS, 0.0, 1.0) * recent.sizes
        for position, price, sold in ((0, bid, True), (LEVELS, ask, False)):
            hit = left[(recent.prices == price) & (recent.buyer_maker == sold)].sum()
            sizes[position] = max(sizes[position] - hit, sizes[position] * 0.1)
