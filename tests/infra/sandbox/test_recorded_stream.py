"""A recording played over TCP through the real client: what arrives is what was recorded."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from core.clock import Clocks, from_millis, to_millis
from core.event_bus import EventBus
from core.market.multi_source_bridge import MultiSourceBridge
from core.market.price_cache import PriceCache
from core.model.events import FeedStatus
from core.model.instrument import Venue
from core.model.market import Book, Quote, Timeframe, TradeTick
from infra.binance.binance_rest import BinanceHistory, RestEndpoints
from infra.binance.binance_stream import BinanceStream
from infra.binance.stream_plan import StreamEndpoints
from infra.live_clock import ScaledClock, WallClock
from infra.registry_file import load_registry
from infra.sandbox.exchange.server import SandboxExchange
from infra.sandbox.recorded.listed import only_listed
from infra.sandbox.recorded.market import RecordedMarket
from infra.sandbox.recorded.tape import RecordedTape, load_tape
from tests.support.recordings import make_recording, real_recording

SPEED = 50.0
WINDOW_SECONDS = 30


class WatchedCache(PriceCache):
    """Keeps everything that arrived."""

    seen: "Seen"

    def on_trade(self, tick: TradeTick) -> None:
        self.seen.trades.append(tick)
        super().on_trade(tick)

    def on_book(self, book: Book) -> None:
        self.seen.books.append(book)
        super().on_book(book)

    def on_quote(self, quote: Quote) -> None:
        self.seen.quotes.append(quote)
        super().on_quote(quote)


@dataclass
class Seen:
    trades: list[TradeTick] = field(default_factory=list)
    books: list[Book] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)


@asynccontextmanager
async def playing(market: RecordedMarket) -> AsyncIterator[tuple[WatchedCache, ScaledClock]]:
    """The exchange, the client and the cache, as the desk has them."""
    wall = WallClock()
    clock = ScaledClock(wall, from_millis(market.tape.start_ms), SPEED)
    exchange = SandboxExchange(market, Clocks(market=clock, wall=wall))
    await exchange.start()
    registry = only_listed(load_registry(), market.symbols())
    cache = WatchedCache(registry, clock, wall, EventBus())
    cache.seen = Seen()
    streams = StreamEndpoints(
        spot_ws=exchange.spot_ws_base,
        futures_market_ws=exchange.futures_market_ws_base,
        futures_public_ws=exchange.futures_public_ws_base,
    )
    stream = BinanceStream(
        streams, Venue.SANDBOX, clock, wall, random.Random(1), cache.count_reject
    )
    async with aiohttp.ClientSession() as session:
        rest = RestEndpoints(spot=exchange.rest_base, futures=exchange.rest_base)
        history = BinanceHistory(session, rest, Venue.SANDBOX, clock, wall)
        bridge = MultiSourceBridge(
            instruments=tuple(registry), stream=stream, history=history, trades=history,
            cache=cache, wall=wall,
        )  # fmt: skip
        tasks = [asyncio.create_task(work()) for work in (exchange.run, bridge.run)]
        try:
            yield cache, clock
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await exchange.stop()


def check_quotes(tape: RecordedTape, seen: Seen) -> int:
    """Every book and quote from the tape is exactly the recorded one; how many there were."""
    known = {int(update): number for number, update in enumerate(tape.books.update_ids)}
    unit, step = tape.listing.ticks_per_unit, tape.listing.steps_per_unit
    checked = 0
    for book, quote in zip(seen.books, seen.quotes, strict=True):
        if book.update_id not in known:
            continue
        bids, asks = tape.books.tables[known[book.update_id]].tolist()
        assert book.bids == tuple((price / unit, size / step) for price, size in bids)
        assert book.asks == tuple((price / unit, size / step) for price, size in asks)
        assert (quote.bid, quote.ask) == (bids[0][0] / unit, asks[0][0] / unit)
        checked += 1
    return checked


def check_trades(tape: RecordedTape, seen: Seen) -> None:
    """Ids without a hole, and every trade of the tape exactly as aggregated."""
    ids = [tick.trade_id for tick in seen.trades]
    assert ids == list(range(ids[0], ids[-1] + 1))
    for tick in seen.trades:
        place = tick.trade_id - tape.trades.first_id
        if place < len(tape.trades):
            assert tick.event_ms == tape.trades.times[place]
            assert tick.price == tape.trades.prices[place] / tape.listing.ticks_per_unit
            assert tick.size == tape.trades.sizes[place] / tape.listing.steps_per_unit
            assert tick.buyer_maker == tape.trades.buyer_maker[place]


def check_windows(tape: RecordedTape, cache: PriceCache, first_ms: int, last_ms: int) -> None:
    """The order flow at 200 random instants equals a count over the tape, trade by trade."""
    source, kept = random.Random(7), cache.tape("BTCUSD")
    assert kept is not None
    scale = tape.listing.steps_per_unit
    rows = list(
        zip(
            tape.trades.times.tolist(),
            tape.trades.sizes.tolist(),
            tape.trades.buyer_maker.tolist(),
            strict=True,
        )
    )
    for _ in range(200):
        now = source.randint(first_ms + WINDOW_SECONDS * 1000, last_ms)
        inside = [row for row in rows if now - WINDOW_SECONDS * 1000 < row[0] <= now]
        window = kept.window(WINDOW_SECONDS, now)
        assert window.trades == len(inside)
        assert window.buy == sum(size for _, size, sold in inside if not sold) / scale
        assert window.sell == sum(size for _, size, sold in inside if sold) / scale
        assert not window.gap


def check_bars(market: RecordedMarket, cache: PriceCache, now_ms: int) -> None:
    """At least 1,000 closed bars of each length; the newest minutes are the tape's own."""
    for timeframe in Timeframe:
        assert len(cache.bars("BTCUSD", timeframe)) >= 1_000
    unit, step = market.tape.listing.ticks_per_unit, market.tape.listing.steps_per_unit
    minutes = cache.bars("BTCUSD", Timeframe.M1)
    newest = [bar for bar in minutes if to_millis(bar.close_time) > market.tape.start_ms]
    assert newest
    assert now_ms - to_millis(newest[-1].close_time) < 90_000
    for bar in newest:
        opened = to_millis(bar.open_time)
        trades = market.trades_between("btcusdt", opened, opened + 60_000)
        assert bar.open == trades.prices[0] / unit
        assert (bar.high, bar.low) == (trades.prices.max() / unit, trades.prices.min() / unit)
        assert bar.close == trades.prices[-1] / unit
        assert bar.volume == pytest.approx(trades.sizes.sum() / step, rel=1e-12)
        ids = trades.ids_within()
        assert bar.trades == ids[-1, 1] - ids[0, 0] + 1


async def play_and_check(tape: RecordedTape, seconds: float) -> WatchedCache:
    """Play that much wall time, then check everything that came."""
    market = RecordedMarket(3, tape)
    async with playing(market) as (cache, clock):
        await asyncio.sleep(seconds)
        feed = cache.feed("BTCUSD")
        now_ms = to_millis(clock.utc_now())
    seen = cache.seen
    assert (feed.status, feed.rejects, feed.gaps) == (FeedStatus.LIVE, (), 0)
    check_trades(tape, seen)
    assert check_quotes(tape, seen) >= 8
    last_ms = min(seen.trades[-1].event_ms, tape.end_ms - 1)
    check_windows(tape, cache, seen.trades[0].event_ms, last_ms)
    check_bars(market, cache, now_ms)
    return cache


async def test_the_real_recording_arrives_exactly() -> None:
    tape = load_tape(real_recording("hftbacktest_spot_btcusdt_20240808.gz"))
    cache = await play_and_check(tape, 3.0)
    assert len(cache.seen.trades) > 500


async def test_a_tape_that_ends_while_playing_goes_on_with_simulated_prices(
    tmp_path: Path,
) -> None:
    tape = load_tape(make_recording(60).write(tmp_path / "tape.gz"))
    cache = await play_and_check(tape, 2.2)
    assert cache.seen.trades[-1].event_ms > tape.end_ms
    assert cache.seen.books[-1].update_id > tape.books.update_ids[-1]
    middle = sum(tape.quote(tape.end_ms)) / 2 / tape.listing.ticks_per_unit
    assert cache.seen.quotes[-1].mid == pytest.approx(middle, rel=0.01)


async def test_instruments_that_are_not_recorded_say_so_at_once(tmp_path: Path) -> None:
    market = RecordedMarket(3, load_tape(make_recording(30).write(tmp_path / "tape.gz")))
    async with playing(market) as (cache, _):
        await asyncio.sleep(0.3)
        for symbol in ("XAUUSD", "EURUSD", "GBPUSD"):
            feed = cache.feed(symbol)
            assert feed.status is FeedStatus.DOWN
            assert feed.detail == f"{symbol} has no feed at sandbox"
            assert cache.quote(symbol) is None
            assert cache.bars(symbol, Timeframe.M15) == ()


async def test_the_exchange_lists_only_what_was_recorded(tmp_path: Path) -> None:
    tape = load_tape(make_recording(30).write(tmp_path / "tape.gz"))
    clock = ScaledClock(WallClock(), from_millis(tape.start_ms + 5_000), 1.0)
    exchange = SandboxExchange(RecordedMarket(3, tape), Clocks(market=clock, wall=WallClock()))
    await exchange.start()
    try:
        async with aiohttp.ClientSession(exchange.rest_base) as session:
            async with session.get("/api/v3/exchangeInfo") as answer:
                facts = await answer.json()
            async with session.get("/api/v3/klines?symbol=EURUSDT&interval=1m") as refused:
                assert (refused.status, (await refused.json())["code"]) == (400, -1121)
            query = f"/api/v3/aggTrades?symbol=BTCUSDT&fromId={tape.trades.first_id}&limit=50"
            async with session.get(query) as answer:
                rows = await answer.json()
    finally:
        await exchange.stop()
    assert [item["symbol"] for item in facts["symbols"]] == ["BTCUSDT"]
    assert [[row["f"], row["l"]] for row in rows] == tape.trades.ids_within()[:50].tolist()
    assert [row["T"] for row in rows] == tape.trades.times[:50].tolist()
