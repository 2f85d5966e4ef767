"""The desk's market side over TCP: the real exchange, stream, history, cache and bridge."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import aiohttp

from core.clock import Clocks, to_millis
from core.engine.desk_services import feed_health
from core.event_bus import EventBus
from core.market.feed_validator import FeedValidator
from core.market.multi_source_bridge import MultiSourceBridge
from core.market.price_cache import PriceCache
from core.model.events import FeedStatus
from core.model.instrument import InstrumentRegistry, Venue
from core.model.market import Quote, Timeframe
from core.model.report import FeedHealth
from infra.binance.binance_rest import BinanceHistory, RestEndpoints
from infra.binance.binance_stream import BinanceStream
from infra.binance.stream_plan import StreamEndpoints
from infra.live_clock import ScaledClock
from infra.registry_file import load_registry
from infra.sandbox.exchange.server import SandboxExchange
from infra.sandbox.market.listing import EPOCH
from infra.sandbox.market.simulated import SimulatedMarket
from tests.support.real_clock import RealClock

BITCOIN = load_registry().get("BTCUSD")


class EagerRandom(random.Random):
    """Waits a tenth of what it could, so that tests are short; growth stays visible."""

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) / 10


class DoorLog(logging.Handler):
    """Why connections ended, by the client's own log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take note."""
        if record.getMessage() == "stream connection ended":
            self.reasons.append(str(record.__dict__["why"]))


class ExchangeDesk:
    """Both clocks run `speed` times as fast as real time; it is `second` s past the minute."""

    def __init__(self, market: SimulatedMarket, speed: float, second: float) -> None:
        self.truth = market
        self.clock = RealClock(speed)
        self.market = ScaledClock(self.clock, EPOCH + timedelta(seconds=second), 1.0)
        self.exchange = SandboxExchange(market, Clocks(market=self.market, wall=self.clock))
        self.bus = EventBus()
        self.registry = InstrumentRegistry([BITCOIN])
        self.cache = PriceCache(self.registry, self.market, self.clock, self.bus)
        self.validator = FeedValidator(self.cache)
        self.quotes: list[Quote] = []
        self.cache.listen_quotes(self.quotes.append)
        self.doors = DoorLog()
        self.history: BinanceHistory

    def misbehave(self, name: str, **parameters: object) -> None:
        """Switch a fault on."""
        self.exchange.faults.set({"name": name, **parameters})

    def fired(self, name: str) -> int:
        """How often a fault did something."""
        return self.exchange.faults.fired(name)

    def health(self) -> FeedHealth:
        """What `/health` is told of BTCUSD."""
        return feed_health(self.cache, self.registry)[0]

    def refusal(self) -> str | None:
        """Why an entry is not allowed now; None when it is."""
        refused = self.validator.check_entry(BITCOIN)
        return None if refused is None else refused.text

    def rejects(self) -> Mapping[str, int]:
        """Refused frames by reason, duplicates not included."""
        return dict(self.cache.feed("BTCUSD").rejects)

    async def eventually(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Wait; the clock seconds it took. Fails with what the feed says."""
        began = self.clock.monotonic()
        while not condition():
            took = self.clock.monotonic() - began
            assert took < seconds, f"no {what} within {seconds} s: {self.health()}"
            await asyncio.sleep(0.005)
        return self.clock.monotonic() - began

    async def turns(self, status: FeedStatus, seconds: float) -> str:
        """Wait until the feed has this status; what it says then."""
        await self.eventually(lambda: self.health().status is status, seconds, status.value)
        return self.health().detail

    async def live(self, seconds: float = 5.0) -> None:
        """Wait until the feed is live and an entry is allowed."""
        await self.turns(FeedStatus.LIVE, seconds)
        await self.eventually(lambda: self.refusal() is None, seconds, "leave to enter")

    async def near_minute_end(self) -> float:
        """Wait for the last ten seconds of a minute; how many of them are left."""
        await self.eventually(lambda: self.market.utc_now().second >= 50, 70, "end of a minute")
        return 60.0 - self.market.utc_now().second

    async def recovers(self, seconds: float = 5.0) -> None:
        """Faults off: live in time, the minutes whole and the venue's own, the tape whole."""
        self.exchange.faults.clear()
        await self.live(seconds)
        minute = Timeframe.M1.open_time(self.market.utc_now() - timedelta(seconds=3))
        await self.eventually(
            lambda: self.cache.bars("BTCUSD", Timeframe.M1, 1)[0].close_time >= minute, 5, "bar"
        )
        minutes = self.cache.bars("BTCUSD", Timeframe.M1)
        end = minutes[-1].close_time
        assert minutes == await self.history.bars(
            BITCOIN, Timeframe.M1, limit=len(minutes), end=end
        )
        await self.eventually(lambda: not self.cache.feed("BTCUSD").missing_trades, 8, "trades")

    def tape_is_true(self, seconds: int) -> bool:
        """Whether count and volume of the last trades are the venue's (call it after a pause)."""
        tape, last = self.cache.tape("BTCUSD"), self.cache.last_trade("BTCUSD")
        assert tape is not None
        assert last is not None
        seen = tape.window(seconds, last.event_ms)
        start = last.event_ms - seconds * 1000 + 1
        trades = self.truth.trades_between("btcusdt", start, last.event_ms + 1)
        volume = float(trades.sizes.sum()) / self.truth.listing("btcusdt").steps_per_unit
        return seen.trades == len(trades) and abs(seen.buy + seen.sell - volume) < 1e-9

    def check_prices(self) -> None:
        """Everything the desk believes is near what the venue's market really did."""
        low, high = 0.99 * self.quotes[0].bid, 1.01 * self.quotes[0].ask
        book, trade = self.cache.book("BTCUSD"), self.cache.last_trade("BTCUSD")
        assert book is not None
        assert trade is not None
        believed = [price for quote in self.quotes for price in (quote.bid, quote.ask)]
        believed += [price for price, _ in (*book.bids, *book.asks)]
        bars = [
            *self.cache.bars("BTCUSD", Timeframe.M1, 3),
            self.cache.forming("BTCUSD", Timeframe.M1),
        ]
        believed += [price for bar in bars if bar for price in (bar.low, bar.high)]
        assert all(low < price < high for price in (*believed, trade.price))
        now_ms = to_millis(self.market.utc_now())
        assert abs(trade.event_ms - now_ms) < 60_000


@asynccontextmanager
async def exchange_desk(
    market: SimulatedMarket,
    *,
    speed: float = 8.0,
    second: float = 50.0,
    before: tuple[str, ...] = (),
) -> AsyncIterator[ExchangeDesk]:
    """A running desk, live unless faults are on from `before` it starts."""
    desk = ExchangeDesk(market, speed, second)
    exchange = desk.exchange
    await exchange.start()
    for name in before:
        exchange.faults.set(name)
    logger = logging.getLogger("infra.binance.binance_stream")
    logger.addHandler(desk.doors)
    level = logger.level
    logger.setLevel(logging.INFO)
    async with aiohttp.ClientSession() as session:
        stream = BinanceStream(
            StreamEndpoints(
                spot_ws=exchange.spot_ws_base,
                futures_market_ws=exchange.futures_market_ws_base,
                futures_public_ws=exchange.futures_public_ws_base,
            ),
            Venue.SANDBOX, desk.market, desk.clock, EagerRandom(), desk.cache.count_reject,
        )  # fmt: skip
        rest = RestEndpoints(spot=exchange.rest_base, futures=exchange.rest_base)
        desk.history = BinanceHistory(session, rest, Venue.SANDBOX, desk.market, desk.clock)
        bridge = MultiSourceBridge(
            instruments=(BITCOIN,), stream=stream, history=desk.history, trades=desk.history,
            cache=desk.cache, wall=desk.clock,
        )  # fmt: skip
        tasks = [asyncio.create_task(exchange.run()), asyncio.create_task(bridge.run())]
        try:
            if not before:
                await desk.live(10)
                await desk.eventually(lambda: bridge.loaded, 10, "history")
            yield desk
            for task in tasks:
                assert not task.done(), task.exception()
            assert desk.bus.failures == 0
        finally:
            logger.removeHandler(desk.doors)
            logger.setLevel(level)
            for task in reversed(tasks):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await exchange.stop()
