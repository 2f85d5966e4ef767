"""Joins the live stream with the venue's history, so that bars and tape have no silent holes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, Protocol

from core.clock import Clock
from core.errors import FeedError
from core.market.bar_sequence import KEPT_BARS, BarHole
from core.market.price_cache import PriceCache
from core.model.instrument import Instrument
from core.model.market import Timeframe, TradeTick
from core.ports.market import MarketHistory, MarketStream

log = logging.getLogger(__name__)

HISTORY_BARS = 1_500
REQUESTS_AT_ONCE = 2
FIRST_WANTED = (
    Timeframe.M15,
    Timeframe.M1,
    Timeframe.H1,
    Timeframe.M5,
    Timeframe.H4,
    Timeframe.M30,
    Timeframe.D1,
)
MOST_TRADES_REPAIRED = 1_000
TRIES = 3
"""How often an incomplete answer is asked for again before it counts as the venue's truth."""
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0


def _urgency(series: tuple[str, Timeframe]) -> tuple[int, str]:
    """Of every instrument first what cards and practice need, then the rest."""
    symbol, timeframe = series
    return FIRST_WANTED.index(timeframe), symbol


class TradeHistory(Protocol):
    """Past trades by id."""

    async def trades(
        self, instrument: Instrument, *, first_id: int, last_id: int
    ) -> tuple[TradeTick, ...]:
        """The trades with ids in this closed range; raises FeedError."""
        ...


class MultiSourceBridge:
    """Runs the stream into the cache and repairs what it missed."""

    def __init__(
        self,
        *,
        instruments: Sequence[Instrument],
        stream: MarketStream,
        history: MarketHistory,
        trades: TradeHistory,
        cache: PriceCache,
        wall: Clock,
    ) -> None:
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._stream = stream
        self._history = history
        self._trades = trades
        self._cache = cache
        self._wall = wall
        self._requests = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._bars_needed = asyncio.Event()
        self._trades_needed = asyncio.Event()
        self._unloaded = {(symbol, tf) for symbol in self._instruments for tf in Timeframe}
        self._refused: set[str] = set()
        self._tries: dict[object, int] = {}
        self._noted: set[tuple[str, str]] = set()
        cache.listen_needs(self._bars_needed.set)
        cache.listen_needs(self._trades_needed.set)

    @property
    def loaded(self) -> bool:
        """Whether every history that can be had is in the cache."""
        return not self._unloaded

    async def prefill(self) -> None:
        """Load every timeframe of every instrument once; what failed is retried by `run`."""
        async with asyncio.TaskGroup() as tasks:
            for symbol, timeframe in sorted(self._unloaded, key=_urgency):
                tasks.create_task(self._load(self._instruments[symbol], timeframe))

    async def run(self) -> None:
        """Stream and repair until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stream.run(tuple(self._instruments.values()), self._cache))
            # Trades apart from bars: a fresh tape must not wait for years of history.
            tasks.create_task(self._keep_whole(self._trades_needed, self._mend_trades))
            tasks.create_task(self._keep_whole(self._bars_needed, self._mend_bars))

    async def _keep_whole(
        self, needed: asyncio.Event, mend: Callable[[], Awaitable[bool]]
    ) -> NoReturn:
        """Mend whatever is missing; after a failure, again with growing pauses."""
        wait = FIRST_RETRY_SECONDS
        while True:
            needed.clear()
            if await mend():
                wait = FIRST_RETRY_SECONDS
                await needed.wait()
            else:
                await self._wall.sleep(wait)
                wait = min(wait * 2, LONGEST_RETRY_SECONDS)

    async def _mend_trades(self) -> bool:
        """Whether every tape is whole now."""
        whole = True
        for instrument in self._instruments.values():
            whole = await self._fill_trades(instrument) and whole
        return whole

    async def _mend_bars(self) -> bool:
        """Whether all bars are whole now."""
        if self._unloaded:
            await self.prefill()
        whole = not self._unloaded
        for instrument in self._instruments.values():
            for hole in self._cache.bar_holes(instrument.symbol):
                whole = await self._fill_bars(instrument, hole) and whole
        return whole

    async def _load(self, instrument: Instrument, timeframe: Timeframe) -> None:
        try:
            async with self._requests:
                bars = await self._history.bars(instrument, timeframe, limit=HISTORY_BARS, end=None)
        except FeedError as e:
            level = logging.WARNING if e.retryable else logging.INFO
            self._note(instrument, f"{timeframe} history: {e}", level)
            if not e.retryable:
                self._unloaded.discard((instrument.symbol, timeframe))
                self._refused.add(instrument.symbol)
            return
        if not bars:
            # A listed instrument has a past: an empty answer is trouble, not truth.
            self._note(instrument, f"{timeframe} history: the venue sent no bars")
            return
        self._cache.load_bars(instrument.symbol, timeframe, bars)
        self._unloaded.discard((instrument.symbol, timeframe))
        self._clear_problem(instrument.symbol)
        await asyncio.sleep(0)

    async def _fill_bars(self, instrument: Instrument, hole: BarHole) -> bool:
        count = min(hole.count, KEPT_BARS)
        try:
            async with self._requests:
                bars = await self._history.bars(
                    instrument, hole.timeframe, limit=count + 1, end=hole.end
                )
        except FeedError as e:
            self._note(instrument, f"{hole.timeframe} bars since {hole.start:%H:%M}: {e}")
            return False
        missing = [bar for bar in bars if bar.open_time >= hole.start]
        # Only an answer that reaches back to known bars proves that some do not exist.
        proven = len(bars) > len(missing)
        key = (hole.instrument, hole.timeframe, hole.start)
        if len(missing) < count and not (proven and not self._try_again(key)):
            self._note(instrument, f"{hole.timeframe} bars since {hole.start:%H:%M}: not sent yet")
            return False
        self._tries.pop(key, None)
        self._cache.fill_bars(hole, missing)
        self._clear_problem(instrument.symbol)
        fields = {"instrument": hole.instrument, "timeframe": hole.timeframe.value}
        log.info("bars back-filled", extra={**fields, "bars": len(missing)})
        return not self._cache.bar_holes(instrument.symbol)

    async def _fill_trades(self, instrument: Instrument) -> bool:
        tape = self._cache.tape(instrument.symbol)
        if tape is None:
            return True
        earlier = tape.earlier()
        for first_id, last_id in (*tape.gaps(), *((earlier,) if earlier else ())):
            key = (instrument.symbol, first_id)
            if last_id - first_id >= MOST_TRADES_REPAIRED or self._given_up(key):
                continue
            if not await self._fill_gap(instrument, first_id, last_id) and self._try_again(key):
                return False
        return True

    async def _fill_gap(self, instrument: Instrument, first_id: int, last_id: int) -> bool:
        try:
            # Not in the queue behind the bars: few, small, and wanted now.
            trades = await self._trades.trades(instrument, first_id=first_id, last_id=last_id)
        except FeedError as e:
            fields = {"instrument": instrument.symbol, "why": str(e)}
            log.info("trade gap not repaired", extra=fields)
            return False
        return self._cache.fill_trades(instrument.symbol, first_id, trades)

    def _clear_problem(self, symbol: str) -> None:
        unloaded = {name for name, _ in self._unloaded}
        if symbol not in unloaded | self._refused:
            self._cache.note_history(symbol, None)
            self._noted = {news for news in self._noted if news[0] != symbol}

    def _try_again(self, key: object) -> bool:
        """Count a failed try; False when that was the last."""
        self._tries[key] = self._tries.get(key, 0) + 1
        return not self._given_up(key)

    def _given_up(self, key: object) -> bool:
        return self._tries.get(key, 0) >= TRIES

    def _note(self, instrument: Instrument, problem: str, level: int = logging.WARNING) -> None:
        """Remember the problem; only news goes to the log, a retry that fails alike is none."""
        self._cache.note_history(instrument.symbol, problem)
        news = (instrument.symbol, problem.partition(": ")[2])
        if news in self._noted:
            return
        self._noted.add(news)
        fields = {"instrument": instrument.symbol, "why": problem}
        log.log(level, "history incomplete", extra=fields)
