"""The simulated market: a pure function of (seed, symbol, time) with zero edge unless asked."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from core.clock import to_millis
from core.errors import InvalidValueError
from infra.sandbox.market.bars import BarHistory, join_rows
from infra.sandbox.market.book import EATEN_FOR_MS, SLOT_MS, BookMaker, Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import EPOCH, LISTINGS, Listing
from infra.sandbox.market.path import OwnPath, PricePath
from infra.sandbox.market.rows import MINUTE_MS, Trades, join_trades
from infra.sandbox.market.tape import BLOCK_MS, Tape


class SimulatedMarket:
    """Quotes, books, trades and bars of every listed symbol at any moment.

    Any speed, any restart and any order of questions show the same market. `start` (at or after
    EPOCH) only says from where bars are made of trades: 26 hours before it.
    `listings` replace the usual ones, e.g. with another anchor price.
    `demo_flow_leads` lets aggressors know a little of the next minute: for demonstrations only.
    """

    def __init__(
        self,
        seed: int,
        start: datetime = EPOCH,
        *,
        listings: Sequence[Listing] = LISTINGS,
        demo_flow_leads: bool = False,
    ) -> None:
        if start < EPOCH:
            raise InvalidValueError(f"the market starts at {EPOCH} or later, was {start}")
        self._listings = {listing.symbol: listing for listing in listings}
        own = {s: OwnPath(seed, item) for s, item in self._listings.items() if not item.legs}
        paths = {
            s: PricePath(tuple(own[leg] for leg in item.legs or (s,)))
            for s, item in self._listings.items()
        }
        self._tapes = {
            s: Tape(seed, item, paths[s], demo_flow_leads) for s, item in self._listings.items()
        }
        self._history = {
            s: BarHistory(seed, item, paths[s], self._tapes[s], to_millis(start))
            for s, item in self._listings.items()
        }
        self._books = {s: BookMaker(seed, item) for s, item in self._listings.items()}

    def symbols(self) -> tuple[str, ...]:
        """All listed symbols, lower case."""
        return tuple(self._listings)

    def listing(self, symbol: str) -> Listing:
        """Facts of a listed symbol; KeyError for others."""
        return self._listings[symbol]

    def is_open(self, symbol: str, moment_ms: int) -> bool:
        """Whether the symbol trades at `moment_ms`."""
        return self._listings[symbol].is_open(moment_ms)

    def tape_from(self, symbol: str) -> int:
        """The moment (ms) from which trades and quotes can be asked for."""
        return self._history[symbol].tape_from_ms

    def quote(self, symbol: str, moment_ms: int) -> tuple[int, int]:
        """Best bid and ask in ticks; while closed, the last ones."""
        return self._tapes[symbol].block(moment_ms // BLOCK_MS).quote(moment_ms)

    def depth(self, symbol: str, moment_ms: int) -> Depth:
        """The book of the 100 ms slot that holds `moment_ms`."""
        slot_ms = moment_ms // SLOT_MS * SLOT_MS
        bid, ask = self.quote(symbol, slot_ms)
        recent = self.trades_between(symbol, slot_ms - EATEN_FOR_MS, slot_ms)
        return self._books[symbol].depth(bid, ask, slot_ms, recent)

    def trades_between(self, symbol: str, start_ms: int, end_ms: int) -> Trades:
        """Trades with start <= time < end (none before the tape begins)."""
        start_ms = max(start_ms, self.tape_from(symbol))
        first, last = start_ms // BLOCK_MS, max(end_ms - 1, start_ms) // BLOCK_MS
        tape = self._tapes[symbol]
        parts = [tape.block(number).trades for number in range(first, last + 1)]
        return join_trades([part.between(start_ms, end_ms) for part in parts])

    def first_trade_at(self, symbol: str, moment_ms: int) -> int:
        """Id of the first trade at or after a moment (or the moment the tape begins)."""
        moment_ms = max(moment_ms, self.tape_from(symbol))
        trades = self._tapes[symbol].block(moment_ms // BLOCK_MS).trades
        return trades.first_id + int(np.searchsorted(trades.times, moment_ms))

    def trades_from_id(self, symbol: str, trade_id: int, limit: int, now_ms: int) -> Trades:
        """Up to `limit` trades from an id on, all before `now_ms`."""
        tape = self._tapes[symbol]
        trade_id = min(trade_id, self.first_trade_at(symbol, now_ms))
        number = max(tape.block_of_id(trade_id), self._first_block(symbol))
        parts = [tape.block(number).trades]
        skip = max(trade_id - parts[0].first_id, 0)
        while sum(map(len, parts)) - skip < limit and (number + 1) * BLOCK_MS < now_ms:
            number += 1
            parts.append(tape.block(number).trades)
        joined = join_trades(parts)
        past = int(np.searchsorted(joined.times, now_ms))
        return joined.part(skip, max(min(skip + limit, past), skip))

    def bar_opens(self, symbol: str, length_ms: int, first_ms: int, last_ms: int) -> Ints:
        """Opening times in [first, last] of bars that hold trading time, oldest first."""
        oldest = self._history[symbol].first_open(length_ms)
        first_ms = max(-(-first_ms // length_ms) * length_ms, oldest)
        opens = np.arange(first_ms, last_ms + 1, length_ms)
        return opens[self._listings[symbol].open_mask(opens, length_ms)]

    def bar_pieces(
        self, symbol: str, length_ms: int, first_ms: int, end_ms: int, now_ms: int
    ) -> Iterator[Ints]:
        """The work of `bars` in steps of a few milliseconds, for `join_rows`."""
        return self._history[symbol].pieces(length_ms, first_ms, end_ms, now_ms)

    def bars(self, symbol: str, length_ms: int, first_ms: int, end_ms: int, now_ms: int) -> Ints:
        """Bars (rows.py) that open in [first, end), made of what happened before `now_ms`.

        `first_ms` is a multiple of `length_ms`; the last row may still be forming.
        """
        pieces = list(self.bar_pieces(symbol, length_ms, first_ms, end_ms, now_ms))
        return join_rows(pieces, length_ms)

    def _first_block(self, symbol: str) -> int:
        return self.tape_from(symbol) // BLOCK_MS


LENGTHS_MS = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
}
"""Bar lengths the venue serves, by Binance's names."""
