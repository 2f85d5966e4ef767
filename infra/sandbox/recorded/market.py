"""The recorded market: a tape between a simulated past and a simulated future, without a seam."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from infra.sandbox.market.book import Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import Listing
from infra.sandbox.market.rows import MINUTE_MS, Trades, join_trades, minute_rows
from infra.sandbox.market.tape import BLOCK_MS
from infra.sandbox.recorded.moved import MovedMarket, after_tape, before_tape
from infra.sandbox.recorded.tape import RecordedTape


class _Section(Protocol):
    """Trades of one span of time."""

    @property
    def from_ms(self) -> int: ...
    @property
    def until_ms(self) -> int: ...
    @property
    def first_id(self) -> int: ...
    @property
    def end_id(self) -> int: ...
    def trades_between(self, start_ms: int, end_ms: int) -> Trades: ...
    def first_trade_at(self, moment_ms: int) -> int: ...
    def trades_from_id(self, trade_id: int, limit: int, now_ms: int) -> Trades: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _TapeSection:
    trades: Trades
    from_ms: int
    until_ms: int

    @property
    def first_id(self) -> int:
        return self.trades.first_id

    @property
    def end_id(self) -> int:
        return self.trades.first_id + len(self.trades)

    def trades_between(self, start_ms: int, end_ms: int) -> Trades:
        return self.trades.between(start_ms, end_ms)

    def first_trade_at(self, moment_ms: int) -> int:
        return self.first_id + int(np.searchsorted(self.trades.times, moment_ms))

    def trades_from_id(self, trade_id: int, limit: int, now_ms: int) -> Trades:
        low = trade_id - self.first_id
        past = int(np.searchsorted(self.trades.times, now_ms))
        return self.trades.part(low, max(min(low + limit, past), low))


class RecordedMarket:
    """Satisfies `MarketSource`: one listed symbol, a pure function of (tape, seed, time)."""

    def __init__(self, seed: int, tape: RecordedTape) -> None:
        self.tape = tape
        self._before = before_tape(seed, tape)
        self._after = after_tape(seed, tape)
        middle = _TapeSection(trades=tape.trades, from_ms=tape.start_ms, until_ms=tape.end_ms)
        self._sections: tuple[_Section, ...] = (self._before, middle, self._after)
        self._first_minute = tape.start_ms // MINUTE_MS * MINUTE_MS
        self._past_minute = -(-tape.end_ms // MINUTE_MS) * MINUTE_MS

    def symbols(self) -> tuple[str, ...]:
        """The recorded symbol."""
        return (self.tape.listing.symbol,)

    def listing(self, symbol: str) -> Listing:
        """Facts of the recorded symbol; KeyError for others."""
        return {self.tape.listing.symbol: self.tape.listing}[symbol]

    def is_open(self, symbol: str, moment_ms: int) -> bool:
        """Whether the symbol trades at `moment_ms`."""
        return self.listing(symbol).is_open(moment_ms)

    def quote(self, symbol: str, moment_ms: int) -> tuple[int, int]:
        """Best bid and ask in ticks; the last known ones in a hole of the recording."""
        return self._shown(moment_ms).quote(moment_ms)

    def depth(self, symbol: str, moment_ms: int) -> Depth | None:
        """The book of the 100 ms slot that holds `moment_ms`; None in a hole of the recording."""
        return self._shown(moment_ms).depth(moment_ms)

    def trades_between(self, symbol: str, start_ms: int, end_ms: int) -> Trades:
        """Trades with start <= time < end."""
        spans = ((s, max(start_ms, s.from_ms), min(end_ms, s.until_ms)) for s in self._sections)
        parts = [s.trades_between(low, high) for s, low, high in spans if low < high]
        if parts:
            return join_trades(parts)
        return self.tape.trades.part(0, 0)

    def first_trade_at(self, symbol: str, moment_ms: int) -> int:
        """Id of the first trade at or after a moment."""
        section = next(s for s in self._sections if moment_ms < s.until_ms)
        return section.first_trade_at(moment_ms)

    def trades_from_id(self, symbol: str, trade_id: int, limit: int, now_ms: int) -> Trades:
        """Up to `limit` trades from an id on, all before `now_ms`."""
        parts: list[Trades] = []
        for section in self._sections:
            left = limit - sum(map(len, parts))
            if left > 0 and trade_id < section.end_id and section.from_ms < now_ms:
                first, now = max(trade_id, section.first_id), min(now_ms, section.until_ms)
                parts.append(section.trades_from_id(first, left, now))
        return join_trades(parts) if parts else self.tape.trades.part(0, 0)

    def bar_opens(self, symbol: str, length_ms: int, first_ms: int, last_ms: int) -> Ints:
        """Opening times in [first, last] of bars that hold trading time, oldest first."""
        return self._before.bar_opens(length_ms, first_ms, last_ms)

    def bar_pieces(
        self, symbol: str, length_ms: int, first_ms: int, end_ms: int, now_ms: int
    ) -> Iterator[Ints]:
        """Rows for `join_rows`; the minutes the tape begins and ends in join both kinds of trades.

        The future's first quarter of an hour comes in minutes, because the tape ends inside it.
        """
        start, past = self._first_minute, self._past_minute
        until = min(end_ms, start)
        yield from self._before.bar_pieces(length_ms, first_ms, until, min(now_ms, until))
        yield from self._tape_minutes(max(first_ms, start), min(end_ms, past, now_ms))
        edge = -(-past // BLOCK_MS) * BLOCK_MS
        minutes = (MINUTE_MS, max(first_ms, past), min(end_ms, edge))
        for length, low, high in (minutes, (length_ms, max(first_ms, edge), end_ms)):
            if low < min(high, now_ms):
                yield from self._after.bar_pieces(length, low, high, now_ms)

    def _tape_minutes(self, first_ms: int, end_ms: int) -> Iterator[Ints]:
        for begin in range(first_ms, end_ms, BLOCK_MS):
            until = min(begin + BLOCK_MS, end_ms)
            trades = self.trades_between(self.tape.listing.symbol, begin, until)
            minutes = -(-(until - begin) // MINUTE_MS)
            yield minute_rows(trades, begin, minutes, self._last_price(begin))

    def _last_price(self, moment_ms: int) -> int:
        """Price of the last trade before a moment."""
        symbol = self.tape.listing.symbol
        last_id = self.first_trade_at(symbol, moment_ms) - 1
        return int(self.trades_from_id(symbol, last_id, 1, moment_ms).prices[0])

    def _shown(self, moment_ms: int) -> RecordedTape | MovedMarket:
        return self.tape if moment_ms < self.tape.end_ms else self._after
