"""Bars of any length and age: from the trades where they exist, from coarser draws before that.

Three tiers, oldest first: hours, minutes (48 days before the start), trades (26 h before it).
Closes lie on the same path in all of them; only highs, lows and volumes of the older two are drawn.
"""

from collections.abc import Iterator

import numpy as np

from core.clock import to_millis
from infra.sandbox.market.draws import Draws, Floats, Ints
from infra.sandbox.market.listing import (
    DAY_MS,
    EPOCH,
    HOUR_MS,
    Listing,
    log_anchor,
    weekly_variance,
)
from infra.sandbox.market.path import CHUNK_HOURS, PricePath, Stretch
from infra.sandbox.market.recent import Recent
from infra.sandbox.market.rows import (
    BUY_TURNOVER,
    BUY_VOLUME,
    CLOSE,
    COLUMNS,
    HIGH,
    LOW,
    MINUTE_MS,
    OPEN,
    OPEN_MS,
    TRADES,
    TURNOVER,
    VOLUME,
    aggregate,
    minute_rows,
    no_rows,
)
from infra.sandbox.market.tape import (
    BLOCK_MINUTES,
    BLOCK_MS,
    FIRST_BLOCK,
    TAPE_HOURS,
    Tape,
    mean_size,
)

MINUTE_DAYS = 48
"""1,500 half hours of fx, weekends included."""
LISTED_MS = to_millis(EPOCH) // DAY_MS * DAY_MS - 1_700 * DAY_MS
"""No bars are older."""
_HOURS_PER_PIECE = 1024


class BarHistory:
    """All bars of one symbol, made in pieces of a few milliseconds."""

    def __init__(
        self, seed: int, listing: Listing, path: PricePath, tape: Tape, start_ms: int
    ) -> None:
        self._listing = listing
        self._path = path
        self._tape = tape
        self._log_anchor = log_anchor(listing)
        self._usual_hour = float(weekly_variance(listing).mean())
        self._mean_size = mean_size(listing)
        names = ("high", "low", "count", "volume", "buys")
        self._draws = {name: Draws(seed, listing.symbol, "bar", name) for name in names}
        self.tape_from_ms = (start_ms // BLOCK_MS) * BLOCK_MS - TAPE_HOURS * HOUR_MS
        self._minutes_from_ms = (start_ms // DAY_MS - MINUTE_DAYS) * DAY_MS
        self._day_minutes: Recent[int, Ints] = Recent(3)
        self._day_quarters: Recent[int, Ints] = Recent(MINUTE_DAYS + 10)
        self._block_minutes: Recent[int, Ints] = Recent(8 * TAPE_HOURS)
        self._block_quarter: Recent[int, Ints] = Recent(5_000)

    def first_open(self, length_ms: int) -> int:
        """Opening time of the oldest bar of this length."""
        oldest = LISTED_MS if length_ms >= HOUR_MS else self._minutes_from_ms
        return -(-oldest // length_ms) * length_ms

    def pieces(self, length_ms: int, first_ms: int, end_ms: int, now_ms: int) -> Iterator[Ints]:
        """Rows shorter than or as long as `length_ms`, to be joined and aggregated by the caller.

        Covers bars that open in [first_ms, end_ms), both multiples of `length_ms`, with what had
        happened before `now_ms`. Each step of the iteration is a few milliseconds of work.
        """
        moment = max(first_ms, self.first_open(length_ms))
        end_ms = min(end_ms, now_ms)
        for hour in range(self._minutes_from_ms // HOUR_MS, moment // HOUR_MS, -CHUNK_HOURS):
            self._path.hours(hour, 1)
            yield no_rows()
        while moment < end_ms:
            piece, until = self._piece(length_ms, moment, end_ms)
            opens = piece[:, OPEN_MS]
            chosen = piece[(opens >= moment) & (opens < end_ms)]
            base = MINUTE_MS if length_ms < BLOCK_MS else BLOCK_MS
            yield chosen[self._listing.open_mask(chosen[:, OPEN_MS], base)]
            moment = until

    def _piece(self, length_ms: int, moment: int, end_ms: int) -> tuple[Ints, int]:
        if moment < self._minutes_from_ms:
            return self._hours(moment, min(end_ms, self._minutes_from_ms))
        if moment < self.tape_from_ms:
            day = moment // DAY_MS
            rows = self._minutes_of(day) if length_ms < BLOCK_MS else self._quarters_of(day)
            until = min((day + 1) * DAY_MS, self.tape_from_ms)
            return rows[rows[:, OPEN_MS] < until], until
        number = moment // BLOCK_MS
        until = (number + 1) * BLOCK_MS
        return self._of_block(number, length_ms, end_ms), until

    def _of_block(self, number: int, length_ms: int, now_ms: int) -> Ints:
        if (number + 1) * BLOCK_MS > now_ms:
            begun = self._from_trades(number, now_ms)
            return begun if length_ms < BLOCK_MS else aggregate(begun, BLOCK_MS)
        if length_ms < BLOCK_MS:
            return self._minutes_of_block(number)
        return self._block_quarter.get(
            number, lambda: aggregate(self._minutes_of_block(number), BLOCK_MS)
        )

    def _minutes_of_block(self, number: int) -> Ints:
        return self._block_minutes.get(number, lambda: self._from_trades(number, None))

    def _from_trades(self, number: int, now_ms: int | None) -> Ints:
        block = self._tape.block(number)
        first = block.first_ms
        trades, minutes = block.trades, BLOCK_MINUTES
        if now_ms is not None:
            trades = trades.between(first, now_ms)
            minutes = -(-(now_ms - first) // MINUTE_MS)
        silent = len(trades) == 0 or trades.times[0] >= first + MINUTE_MS
        rows = minute_rows(trades, first, minutes, self._last_price(number) if silent else 0)
        return rows if self._listing.has_flow else _without_side(rows)

    def _last_price(self, number: int) -> int:
        """Price of the last trade before a block (the block's first bid where there is none)."""
        if number > FIRST_BLOCK:
            before = self._tape.block(number - 1).trades
            if len(before):
                return int(before.prices[-1])
        return int(self._tape.block(number).bids[0])

    def _quarters_of(self, day: int) -> Ints:
        return self._day_quarters.get(day, lambda: aggregate(self._minutes_of(day), BLOCK_MS))

    def _minutes_of(self, day: int) -> Ints:
        return self._day_minutes.get(day, lambda: self._drawn_minutes(day))

    def _drawn_minutes(self, day: int) -> Ints:
        stretch = self._path.minutes(day * 24, 24)
        opens = np.arange(day * 1440, (day + 1) * 1440) * MINUTE_MS
        rows = self._drawn(opens, MINUTE_MS, stretch)
        return rows[self._listing.open_mask(rows[:, OPEN_MS], MINUTE_MS)]

    def _hours(self, start_ms: int, end_ms: int) -> tuple[Ints, int]:
        hour = start_ms // HOUR_MS
        count = min(-(-end_ms // HOUR_MS) - hour, _HOURS_PER_PIECE)
        opens = np.arange(hour, hour + count) * HOUR_MS
        rows = self._drawn(opens, HOUR_MS, self._path.hours(hour, count))
        return rows, (hour + count) * HOUR_MS

    def _drawn(self, opens: Ints, length_ms: int, stretch: Stretch) -> Ints:
        """Bars that were never traded: extremes by a Brownian bridge's law, volume by chance."""
        index = opens // MINUTE_MS + (length_ms << 32)
        move = stretch.ends - stretch.starts
        rows = np.empty((len(opens), COLUMNS), dtype=np.int64)
        rows[:, OPEN_MS] = opens
        rows[:, OPEN] = self._ticks(stretch.starts)
        rows[:, CLOSE] = self._ticks(stretch.ends)
        reach = self._reach(move, stretch.variances, self._draws["high"].uniform(index))
        rows[:, HIGH] = self._ticks(stretch.starts + (move + reach) / 2)
        reach = self._reach(move, stretch.variances, self._draws["low"].uniform(index))
        rows[:, LOW] = self._ticks(stretch.starts + (move - reach) / 2)
        self._draw_volume(rows, index, length_ms, stretch)
        return rows

    @staticmethod
    def _reach(move: Floats, variances: Floats, chance: Floats) -> Floats:
        return np.sqrt(move * move - 2 * variances * np.log(chance))

    def _draw_volume(self, rows: Ints, index: Ints, length_ms: int, stretch: Stretch) -> None:
        hours = length_ms / HOUR_MS
        storm = (stretch.variances / (self._usual_hour * hours)) ** 0.4
        count = storm * np.exp(0.25 * self._draws["count"].normal(index))
        count *= self._listing.trades_per_second * length_ms / 1000
        size = self._mean_size * np.exp(0.25 * self._draws["volume"].normal(index))
        usual = np.sqrt(stretch.variances) + 1e-12
        share = 0.5 + 0.05 * np.tanh((stretch.ends - stretch.starts) / usual)
        share += 0.06 * self._draws["buys"].normal(index)
        middle = (rows[:, HIGH] + rows[:, LOW]) // 2
        rows[:, TRADES] = np.rint(count)
        rows[:, VOLUME] = rows[:, TRADES] * size
        rows[:, BUY_VOLUME] = rows[:, VOLUME] * np.clip(share, 0.2, 0.8)
        rows[:, TURNOVER] = rows[:, VOLUME] * middle
        rows[:, BUY_TURNOVER] = rows[:, BUY_VOLUME] * middle
        rows[:, -1] = 0
        if not self._listing.has_flow:
            _without_side(rows)

    def _ticks(self, levels: Floats) -> Ints:
        return np.rint(np.exp(levels + self._log_anchor)).astype(np.int64)


def _without_side(rows: Ints) -> Ints:
    """Tick volume has no aggressor: half of it counts as bought, so the delta is zero."""
    rows[:, BUY_VOLUME] = rows[:, VOLUME] // 2
    rows[:, BUY_TURNOVER] = rows[:, TURNOVER] // 2
    return rows


def join_rows(pieces: list[Ints], length_ms: int) -> Ints:
    """Bars of `length_ms` from the pieces of `BarHistory.pieces`."""
    return aggregate(np.concatenate([no_rows(), *pieces]), length_ms)
