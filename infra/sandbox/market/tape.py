"""The fine market: quotes every 250 ms and trades, in blocks of 15 minutes."""

from dataclasses import dataclass

import numpy as np

from core.clock import to_millis
from infra.sandbox.market.draws import Draws, Floats, Ints
from infra.sandbox.market.listing import EPOCH, HOUR_MS, Listing, log_anchor, weekly_variance
from infra.sandbox.market.path import STEP_MS, STEPS_PER_MINUTE, PricePath, Stretch
from infra.sandbox.market.recent import Recent
from infra.sandbox.market.rows import MINUTE_MS, Trades

BLOCK_MINUTES = 15
BLOCK_MS = BLOCK_MINUTES * MINUTE_MS
BLOCK_STEPS = BLOCK_MINUTES * STEPS_PER_MINUTE
TAPE_HOURS = 26
"""Trades exist from this long before a start; 1,500 one-minute bars are 25 hours."""
FIRST_BLOCK = (to_millis(EPOCH) - TAPE_HOURS * HOUR_MS) // BLOCK_MS
FIRST_TRADE_ID = 3_000_000_000
_COUNT_CHUNK = 1024
_RECENT_STEPS = 20
_WHALE_EVERY = 1_800
"""Trades between two whale prints, on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """15 minutes of one symbol."""

    first_ms: int
    bids: Ints
    """Best bid in ticks, for each 250 ms."""
    asks: Ints
    trades: Trades

    def quote(self, moment_ms: int) -> tuple[int, int]:
        """Best bid and ask in ticks at a moment inside the block."""
        step = (moment_ms - self.first_ms) // STEP_MS
        return int(self.bids[step]), int(self.asks[step])


class Tape:
    """Quotes and trades of one symbol; every block is a pure function of its number."""

    def __init__(self, seed: int, listing: Listing, path: PricePath, leads: bool) -> None:
        self.listing = listing
        self._path = path
        self._leads = leads
        self._usual_hour = float(weekly_variance(listing).mean())
        self._log_anchor = log_anchor(listing)
        names = ("count", "spread", "when", "side", "mood", "size", "whale", "whale size")
        self._draws = {name: Draws(seed, listing.symbol, name) for name in names}
        self._counts: list[Ints] = []
        self._blocks: Recent[int, Block] = Recent(12)

    def block(self, number: int) -> Block:
        """The block that starts `number` x 15 minutes after 1970."""
        return self._blocks.get(number, lambda: self._build(number))

    def first_id(self, number: int) -> int:
        """Id of the first trade at or after the start of a block."""
        chunk, offset = divmod(number - FIRST_BLOCK, _COUNT_CHUNK)
        return int(self._id_chunk(chunk)[offset])

    def block_of_id(self, trade_id: int) -> int:
        """Number of the block that holds `trade_id` (never before the first block)."""
        chunk = 0
        while self._id_chunk(chunk)[-1] <= trade_id:
            chunk += 1
        offset = int(np.searchsorted(self._id_chunk(chunk), trade_id, side="right")) - 1
        return FIRST_BLOCK + chunk * _COUNT_CHUNK + max(offset, 0)

    def _id_chunk(self, chunk: int) -> Ints:
        while len(self._counts) <= chunk:
            made = len(self._counts)
            start = self._counts[-1][-1] if made else FIRST_TRADE_ID
            counts = self._block_counts(FIRST_BLOCK + made * _COUNT_CHUNK)
            self._counts.append(np.concatenate([[start], start + np.cumsum(counts)]))
        return self._counts[chunk]

    def _block_counts(self, first: int) -> Ints:
        blocks = np.arange(first, first + _COUNT_CHUNK)
        hours = blocks * BLOCK_MS // HOUR_MS
        low = int(hours[0])
        variances = self._path.hours(low, int(hours[-1]) - low + 1).variances[hours - low]
        draws = self._draws["count"]
        mean = (variances / self._usual_hour) ** 0.4 * np.exp(0.25 * draws.noise(blocks / 3.0))
        mean *= self.listing.trades_per_second * BLOCK_MS / 1000
        mean *= self.listing.open_mask(blocks * BLOCK_MS, BLOCK_MS)
        counts = mean + np.sqrt(mean) * draws.normal(blocks)
        return np.maximum(np.rint(counts), 0).astype(np.int64)

    def _build(self, number: int) -> Block:
        steps = self._path.steps(number * BLOCK_MINUTES, BLOCK_MINUTES)
        bids, asks = self._quotes(number, steps)
        return Block(
            first_ms=number * BLOCK_MS,
            bids=bids,
            asks=asks,
            trades=self._trades(number, steps, bids, asks),
        )

    def _quotes(self, number: int, steps: Stretch) -> tuple[Ints, Ints]:
        minute = steps.variances.reshape(BLOCK_MINUTES, -1).sum(axis=1)
        storm = np.sqrt(minute * 60 / self._usual_hour)
        width = np.exp(0.22 * self._draws["spread"].noise(self._seconds(number) / 5))
        width *= np.repeat(0.6 + 0.4 * storm, 60)
        width *= self.listing.spread * self.listing.ticks_per_unit
        ticks = np.repeat(np.maximum(np.rint(width), 1.0), 1000 // STEP_MS)
        middle = np.exp(steps.ends + self._log_anchor)
        bids = np.rint(middle - ticks / 2).astype(np.int64)
        return bids, bids + ticks.astype(np.int64)

    @staticmethod
    def _seconds(number: int) -> Floats:
        """Every second of a block, counted from 1970."""
        first = number * BLOCK_MS // 1000
        return np.arange(first, first + BLOCK_MS // 1000, dtype=np.float64)

    def _trades(self, number: int, steps: Stretch, bids: Ints, asks: Ints) -> Trades:
        first_id = self.first_id(number)
        ids = np.arange(first_id, self.first_id(number + 1))
        times = self._times(ids, steps)
        step = times // STEP_MS
        if self.listing.has_flow:
            sold = self._draws["side"].uniform(ids) > self._buy_chance(number, times, step, steps)
            sizes = self._sizes(ids)
        else:
            sold = np.ones(len(ids), dtype=np.bool_)
            sizes = np.full(len(ids), self.listing.steps_per_unit)
        return Trades(
            first_id=first_id,
            times=times + number * BLOCK_MS,
            prices=np.where(sold, bids[step], asks[step]),
            sizes=sizes,
            buyer_maker=sold,
        )

    def _times(self, ids: Ints, steps: Stretch) -> Ints:
        """Milliseconds into the block: more trades where the price moves more, either way."""
        haste = np.sqrt(steps.variances) + 1e-12
        edges = np.concatenate([[0.0], np.cumsum(haste)])
        rank = np.sort(self._draws["when"].uniform(ids)) * edges[-1]
        when = np.interp(rank, edges, np.arange(BLOCK_STEPS + 1) * float(STEP_MS))
        return np.asarray(np.minimum(when.astype(np.int64), BLOCK_MS - 1))

    def _buy_chance(self, number: int, times: Ints, step: Ints, steps: Stretch) -> Floats:
        """Chance of an aggressive buy: follows the last 5 s and a mood of its own, never leads."""
        levels = np.concatenate([steps.starts[:1], steps.ends])
        here = step + 1
        moved = levels[here] - levels[np.maximum(here - _RECENT_STEPS, 0)]
        usual = np.sqrt(steps.variances.mean() * _RECENT_STEPS) + 1e-12
        mood = self._draws["mood"].noise(self._seconds(number) / 25)
        chance = 0.5 + 0.17 * np.tanh(moved / usual) + 0.15 * mood[times // 1000]
        if self._leads:
            chance += 0.06 * self._coming_move(number)[times // MINUTE_MS]
        return np.asarray(np.clip(chance, 0.08, 0.92))

    def _coming_move(self, number: int) -> Floats:
        """For each minute of the block, where the next one goes (-1 to 1): the demo's gift."""
        hour, offset = divmod(number * BLOCK_MINUTES, 60)
        ahead = self._path.minutes(hour, 2).part(offset + 1, BLOCK_MINUTES)
        return np.tanh((ahead.ends - ahead.starts) / (np.sqrt(ahead.variances) + 1e-12))

    def _sizes(self, ids: Ints) -> Ints:
        sizes = self.listing.size * np.exp(1.1 * self._draws["size"].normal(ids))
        whale = self._draws["whale"].uniform(ids) < 1 / _WHALE_EVERY
        pareto = self._draws["whale size"].uniform(ids[whale]) ** (-1 / 1.7)
        sizes[whale] = self.listing.whale_from * np.minimum(pareto, 12.0)
        return np.maximum(np.rint(sizes * self.listing.steps_per_unit), 1).astype(np.int64)


def mean_size(listing: Listing) -> float:
    """Mean trade in steps: the lognormal body plus the whales' share."""
    if not listing.has_flow:
        return float(listing.steps_per_unit)
    body = listing.size * float(np.exp(1.1**2 / 2))
    whales = listing.whale_from * 2.2 / _WHALE_EVERY
    return (body + whales) * listing.steps_per_unit
