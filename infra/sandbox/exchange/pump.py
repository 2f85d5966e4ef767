"""Moves the market forward and sends what happened since the last time."""

import asyncio
from dataclasses import dataclass

from core.clock import Clocks, to_millis
from infra.sandbox.exchange.connection import Listeners
from infra.sandbox.exchange.messages import (
    depth_event,
    kline_event,
    ticker_event,
    touch,
    trade_events,
)
from infra.sandbox.exchange.streams import Stream, StreamKind
from infra.sandbox.market.bars import join_rows
from infra.sandbox.market.book import Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.rows import MINUTE_MS
from infra.sandbox.market.source import MarketSource
from infra.sandbox.market.tape import BLOCK_MS

PUMP_SECONDS = 0.1
BAR_PUSH_MS = 2_000
BAR_PUSH_SECONDS = 0.25
_STEP_MS = 30_000


@dataclass(slots=True)
class _LastPush:
    """When an open bar was last sent, in market and wall time."""

    market_ms: int = 0
    wall: float = float("-inf")


class Pump:
    """Sends trades, books, quotes and bars to those who listen."""

    def __init__(self, market: MarketSource, listeners: Listeners, clocks: Clocks) -> None:
        self._market = market
        self._listeners = listeners
        self._clocks = clocks
        self._reached = self.now_ms()
        self._bar_pushes: dict[Stream, _LastPush] = {}
        self._tickers: dict[Stream, tuple[str, ...]] = {}
        self._prepared: dict[str, int] = {}

    def now_ms(self) -> int:
        """The market's time."""
        return to_millis(self._clocks.market.utc_now())

    async def run(self) -> None:
        """Advance ten times a wall second until cancelled."""
        while True:
            await self.advance(self.now_ms())
            await self._clocks.wall.sleep(PUMP_SECONDS)

    async def advance(self, now_ms: int) -> None:
        """Send everything that happened in [last time, now)."""
        await self._prepare(now_ms)
        while self._reached < now_ms:
            streams = self._listeners.streams()
            if not streams:
                self._reached = now_ms
                break
            start = self._reached
            minute_end = (start // MINUTE_MS + 1) * MINUTE_MS
            self._reached = min(now_ms, minute_end, start + _STEP_MS)
            await self._step(streams, start, self._reached)
            if self._reached < now_ms:
                await asyncio.sleep(0)
        self._forget_unheard()
        await self._show_present(now_ms)

    async def _prepare(self, now_ms: int) -> None:
        """Build the market's next block of each symbol heard, one per turn of the loop."""
        block = now_ms // BLOCK_MS
        for symbol in {stream.symbol for stream in self._listeners.streams()}:
            if self._prepared.get(symbol) != block:
                self._prepared[symbol] = block
                self._market.quote(symbol, now_ms)
                await asyncio.sleep(0)

    async def _step(self, streams: tuple[Stream, ...], start_ms: int, end_ms: int) -> None:
        for stream in streams:
            if stream.kind is StreamKind.TRADES:
                self._send_trades(stream, start_ms, end_ms)
        for stream in streams:
            if stream.kind is StreamKind.BARS and end_ms % stream.length_ms == 0:
                await self._send_bar(stream, end_ms - stream.length_ms, end_ms, closed=True)

    async def _show_present(self, now_ms: int) -> None:
        depths: dict[str, Depth | None] = {}
        for stream in self._listeners.streams():
            if stream.kind is StreamKind.BARS:
                await self._send_open_bar(stream, now_ms)
            elif stream.kind is StreamKind.DEPTH:
                self._send_depth(stream, self._depth(depths, stream.symbol, now_ms), now_ms)
            elif stream.kind is StreamKind.TICKER and self._market.is_open(stream.symbol, now_ms):
                self._send_ticker(stream, depths, now_ms)

    def _send_trades(self, stream: Stream, start_ms: int, end_ms: int) -> None:
        trades = self._market.trades_between(stream.symbol, start_ms, end_ms)
        for event in trade_events(self._market.listing(stream.symbol), trades):
            self._listeners.publish(stream, event)

    def _send_depth(self, stream: Stream, depth: Depth | None, now_ms: int) -> None:
        if depth is not None:
            listing = self._market.listing(stream.symbol)
            self._listeners.publish(stream, depth_event(listing, depth, now_ms))

    def _send_ticker(self, stream: Stream, depths: dict[str, Depth | None], now_ms: int) -> None:
        listing = self._market.listing(stream.symbol)
        depth = self._depth(depths, stream.symbol, now_ms) if listing.has_flow else None
        if depth is None and listing.has_flow:
            return
        quote = self._market.quote(stream.symbol, now_ms)
        if depth is not None:
            quote = int(depth.bids[0, 0]), int(depth.asks[0, 0])
        best = touch(listing, quote, depth)
        if self._tickers.get(stream) != best:
            self._tickers[stream] = best
            update_id = depth.update_id if depth is not None else now_ms // 100
            self._listeners.publish(stream, ticker_event(listing, best, update_id, now_ms))

    async def _send_open_bar(self, stream: Stream, now_ms: int) -> None:
        last = self._bar_pushes.setdefault(stream, _LastPush())
        wall = self._clocks.wall.monotonic()
        if now_ms - last.market_ms < BAR_PUSH_MS or wall - last.wall < BAR_PUSH_SECONDS:
            return
        last.market_ms, last.wall = now_ms, wall
        opened = now_ms // stream.length_ms * stream.length_ms
        await self._send_bar(stream, opened, now_ms, closed=False)

    async def _send_bar(self, stream: Stream, open_ms: int, now_ms: int, *, closed: bool) -> None:
        length = stream.length_ms
        rows = await bar_rows(
            self._market, stream.symbol, length, open_ms, open_ms + length, now_ms
        )
        if len(rows) == 0:
            return
        listing = self._market.listing(stream.symbol)
        event = kline_event(listing, stream.interval, length, rows[0], now_ms, closed=closed)
        self._listeners.publish(stream, event)

    def _depth(self, depths: dict[str, Depth | None], symbol: str, now_ms: int) -> Depth | None:
        if symbol not in depths:
            depths[symbol] = self._market.depth(symbol, now_ms)
        return depths[symbol]

    def _forget_unheard(self) -> None:
        heard = set(self._listeners.streams())
        for stream in self._bar_pushes.keys() - heard:
            del self._bar_pushes[stream]
        for stream in self._tickers.keys() - heard:
            del self._tickers[stream]


async def bar_rows(
    market: MarketSource, symbol: str, length_ms: int, first_ms: int, end_ms: int, now_ms: int
) -> Ints:
    """Bars that open in [first, end); the loop gets a turn after every piece but the last."""
    pieces: list[Ints] = []
    for piece in market.bar_pieces(symbol, length_ms, first_ms, end_ms, now_ms):
        if pieces:
            await asyncio.sleep(0)
        pieces.append(piece)
    return join_rows(pieces, length_ms)
