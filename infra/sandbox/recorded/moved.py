"""The simulated market on both sides of a tape: moved to its date, its price and its ids."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.clock import from_millis, to_millis
from infra.sandbox.market.book import SLOT_MS, Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import EPOCH, WEEK_MS, Listing
from infra.sandbox.market.rows import FIRST_ID, OPEN_MS, Trades
from infra.sandbox.market.simulated import SimulatedMarket
from infra.sandbox.recorded.tape import RecordedTape

NEVER_MS = 1 << 60
NO_END_ID = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedMarket:
    """One simulated symbol in [from_ms, until_ms), in the recording's time and numbering."""

    market: SimulatedMarket
    symbol: str
    from_ms: int
    until_ms: int
    first_id: int
    end_id: int
    """Id of the first trade after it."""
    later_ms: int
    """How much later the simulation's own clock is; whole weeks, so that weekdays agree."""
    id_shift: int
    raw_shift: int
    """Of the ids of single trades."""
    update_shift: int = 0

    def quote(self, moment_ms: int) -> tuple[int, int]:
        """Best bid and ask in ticks."""
        return self.market.quote(self.symbol, moment_ms + self.later_ms)

    def depth(self, moment_ms: int) -> Depth:
        """The book."""
        depth = self.market.depth(self.symbol, moment_ms + self.later_ms)
        return replace(depth, update_id=depth.update_id + self.update_shift)

    def trades_between(self, start_ms: int, end_ms: int) -> Trades:
        """Trades with start <= time < end."""
        later = self.later_ms
        return self._moved(
            self.market.trades_between(self.symbol, start_ms + later, end_ms + later)
        )

    def first_trade_at(self, moment_ms: int) -> int:
        """Id of the first trade at or after a moment."""
        return self.market.first_trade_at(self.symbol, moment_ms + self.later_ms) + self.id_shift

    def trades_from_id(self, trade_id: int, limit: int, now_ms: int) -> Trades:
        """Up to `limit` trades from an id on, all before `now_ms`."""
        first, now = trade_id - self.id_shift, now_ms + self.later_ms
        return self._moved(self.market.trades_from_id(self.symbol, first, limit, now))

    def bar_opens(self, length_ms: int, first_ms: int, last_ms: int) -> Ints:
        """Opening times in [first, last] of bars, oldest first."""
        first, last = first_ms + self.later_ms, last_ms + self.later_ms
        return self.market.bar_opens(self.symbol, length_ms, first, last) - self.later_ms

    def bar_pieces(self, length_ms: int, first_ms: int, end_ms: int, now_ms: int) -> Iterator[Ints]:
        """Rows of bars that open in [first, end), made of what happened before `now_ms`."""
        moments = (moment + self.later_ms for moment in (first_ms, end_ms, now_ms))
        for piece in self.market.bar_pieces(self.symbol, length_ms, *moments):
            rows = piece.copy()
            rows[:, OPEN_MS] -= self.later_ms
            rows[rows[:, FIRST_ID] > 0, FIRST_ID] += self.raw_shift
            yield rows

    def _moved(self, trades: Trades) -> Trades:
        return Trades(
            first_id=trades.first_id + self.id_shift,
            times=trades.times - self.later_ms,
            prices=trades.prices,
            sizes=trades.sizes,
            buyer_maker=trades.buyer_maker,
            raw_ids=trades.ids_within() + self.raw_shift,
        )


def before_tape(seed: int, tape: RecordedTape) -> MovedMarket:
    """The simulated past that ends in the tape's first price and id."""
    market, later, join = _joined(seed, tape, tape.start_ms)
    first_raw = int(tape.trades.ids_within()[0, 0])
    return MovedMarket(
        market=market,
        symbol=tape.listing.symbol,
        from_ms=0,
        until_ms=tape.start_ms,
        first_id=0,
        end_id=tape.trades.first_id,
        later_ms=later,
        id_shift=tape.trades.first_id - join,
        raw_shift=first_raw - join,
    )


def after_tape(seed: int, tape: RecordedTape) -> MovedMarket:
    """The simulated future that begins at the tape's last price, after its last id."""
    market, later, join = _joined(seed, tape, tape.end_ms)
    next_id = tape.trades.first_id + len(tape.trades)
    next_raw = int(tape.trades.ids_within()[-1, 1]) + 1
    return MovedMarket(
        market=market,
        symbol=tape.listing.symbol,
        from_ms=tape.end_ms,
        until_ms=NEVER_MS,
        first_id=next_id,
        end_id=NO_END_ID,
        later_ms=later,
        id_shift=next_id - join,
        raw_shift=next_raw - join,
        update_shift=int(tape.books.update_ids[-1]) + 1 - (tape.end_ms + later) // SLOT_MS,
    )


def _joined(seed: int, tape: RecordedTape, moment_ms: int) -> tuple[SimulatedMarket, int, int]:
    """A market that has the tape's price at a moment, how much later it lives, its next id."""
    weeks = max(0, -(-(to_millis(EPOCH) - moment_ms) // WEEK_MS))
    later = weeks * WEEK_MS
    start = from_millis(moment_ms + later)
    plain = _with_tape_spread(tape)
    there = sum(
        SimulatedMarket(seed, start, listings=[plain]).quote(plain.symbol, moment_ms + later)
    )
    here = sum(tape.quote(moment_ms))
    fitted = replace(plain, anchor=plain.anchor * here / there)
    market = SimulatedMarket(seed, start, listings=[fitted])
    return market, later, market.first_trade_at(fitted.symbol, moment_ms + later)


def _with_tape_spread(tape: RecordedTape) -> Listing:
    """A wider spread than the recorded one would look like trouble where the two meet."""
    best = tape.books.tables[tape.books.known][:, :, 0, 0]
    ticks = float(np.median(best[:, 1] - best[:, 0]))
    return replace(tape.listing, spread=ticks / tape.listing.ticks_per_unit)
