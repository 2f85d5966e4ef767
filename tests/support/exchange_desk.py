"""The desk's market side over TCP: the real exchange, stream, history, cache and bridge."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import aiohttp

from core.clock import Clocks
from core.engine.desk_services import feed_health
from core.event_bus import EventBus
from core.market.feed_validator import FeedValidator
from core.market.multi_source_bridge import MultiSourceBridge
from core.market.price_cache import PriceCache
from core.model.events import FeedStatus
from core.model.instrument import InstrumentRegistry, Venue
from core.model.market import Bar, Quote, Timeframe
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
    """Counts how connections ended, by the client's own log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take note."""
        if record.getMessage() == "stream connection ended":
            self.reasons.append(str(record.__dict__["why"]))


class ExchangeDesk:
    """Both clocks run `speed` times as fast as real time, unless a wall speed is given."""

    def __init__(self, market: SimulatedMarket, speed: float, wall_speed: float | None) -> None:
        self.wall = RealClock(wall_speed or speed)
        self.market = ScaledClock(self.wall, EPOCH, speed / (wall_speed or speed))
        clocks = Clocks(market=self.market, wall=self.wall)
        self.exchange = SandboxExchange(market, clocks)
        self.bus = EventBus()
        registry = InstrumentRegistry([BITCOIN])
        self.registry = registry
        self.cache = PriceCache(registry, self.market, self.wall, self.bus)
        self.history: BinanceHistory
        self.validator = FeedValidator(self.cache)
        self.rejects: Counter[str] = Counter()
        self.quotes: list[Quote] = []
        self.cache.listen_quotes(self.quotes.append)
        self.doors = DoorLog()
        self.requests = 0

    @property
    def faults(self) -> "object":
        """The switch."""
        return self.exchange.faults

    def misbehave(self, name: str, **parameters: object) -> None:
        """Switch a fault on."""
        self.exchange.faults.set({"name": name, **parameters})

    def health(self) -> FeedHealth:
        """What `/health` is told of BTCUSD."""
        return feed_health(self.cache, self.registry)[0]

    def status(self) -> FeedStatus:
        """The feed's status."""
        return self.cache.feed("BTCUSD").status

    def refusal(self) -> str | None:
        """Why an entry is not allowed now; None when it is."""
        refused = self.validator.check_entry(BITCOIN)
        return None if refused is None else refused.text

    async def eventually(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Wait; the clock seconds it took. Fails with what the feed says."""
        began = self.wall.monotonic()
        while not condition():
            took = self.wall.monotonic() - began
            assert took < seconds, f"no {what} within {seconds} s: {self.health()}"
            await asyncio.sleep(0.005)
        return self.wall.monotonic() - began

    async def live(self, seconds: float = 5.0) -> float:
        """Wait until the feed is live and an entry is allowed."""
        return await self.eventually(
            lambda: self.status() is FeedStatus.LIVE and self.refusal() is None, seconds, "life"
        )

    def check_minutes(self) -> None:
        """Minutes are without holes and equal to the venue's own."""
        minutes = self.cache.bars("BTCUSD", Timeframe.M1)
        assert minutes
        for earlier, later in pairwise(minutes):
            assert earlier.close_time == later.open_time, (earlier, later)

    async def compare_bars(self) -> tuple[Bar, ...]:
        """The cache's last minutes equal what the venue's history says; they are returned."""
        self.check_minutes()
        minutes = self.cache.bars("BTCUSD", Timeframe.M1, 5)
        truth = await self.history.bars(BITCOIN, Timeframe.M1, limit=5, end=minutes[-1].close_time)
        assert minutes == truth
        return minutes


@asynccontextmanager
async def exchange_desk(
    market: SimulatedMarket,
    *,
    speed: float = 5.0,
    wall_speed: float | None = None,
    before: tuple[str, ...] = (),
) -> AsyncIterator[ExchangeDesk]:
    """A running desk, live unless faults are on from `before` it starts."""
    desk = ExchangeDesk(market, speed, wall_speed)
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
            Venue.SANDBOX, desk.market, desk.wall, EagerRandom(), desk.cache.count_reject,
        )  # fmt: skip
        rest = RestEndpoints(spot=exchange.rest_base, futures=exchange.rest_base)
        desk.history = BinanceHistory(session, rest, Venue.SANDBOX, desk.market, desk.wall)
        bridge = MultiSourceBridge(
            instruments=(BITCOIN,), stream=stream, history=desk.history, trades=desk.history,
            cache=desk.cache, wall=desk.wall,
        )  # fmt: skip
        tasks = [asyncio.create_task(exchange.run()), asyncio.create_task(bridge.run())]
        try:
            if not before:
                await desk.live(10)
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
