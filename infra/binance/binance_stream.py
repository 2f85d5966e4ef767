"""Live Binance market data: sockets, reconnection, watchdog. Parsing and judging live elsewhere."""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from core.clock import Clock
from core.model.events import FeedStatus
from core.model.instrument import Instrument, Venue
from core.ports.market import MarketSink
from infra.binance.addresses import Addresses
from infra.binance.reconnect import HEALTHY_AFTER_SECONDS, Backoff, Failure, classify
from infra.binance.stream_plan import ShardPlan, StreamEndpoints, StreamPlan, plan_streams
from infra.binance.stream_reader import CountReject, StreamReader, ignore_rejects
from infra.binance.stream_watch import Health, StreamWatch, reason_to_reopen, worst
from infra.binance.trade_sequence import TradeSequence

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
FRAMES_PER_TURN = 200
"""A burst is read in turns of this many frames, so that it cannot hold the loop for long."""


class BinanceStream:
    """Satisfies `core.ports.market.MarketStream` for Binance and everything that speaks alike."""

    def __init__(
        self,
        endpoints: StreamEndpoints,
        venue: Venue,
        market: Clock,
        wall: Clock,
        source: random.Random,
        count_reject: CountReject = ignore_rejects,
    ) -> None:
        self._endpoints = endpoints
        self._venue = venue
        self._market = market
        self._wall = wall
        self._source = source
        self._count_reject = count_reject
        self._sequences: dict[str, TradeSequence] = {}

    async def run(self, instruments: Sequence[Instrument], sink: MarketSink) -> None:
        """Deliver to `sink` until cancelled; connection troubles become statuses, not errors."""
        plan = plan_streams(instruments, self._venue, self._endpoints)
        watches = self._watches(plan, instruments)
        statuses = _FeedStatuses(instruments, watches, self._venue, sink)
        connections = [self._connection(shard, watches, sink) for shard in plan.shards]
        async with asyncio.TaskGroup() as tasks:
            for connection in connections:
                tasks.create_task(connection.keep())
            tasks.create_task(self._watch(connections, statuses))

    def _connection(
        self, shard: ShardPlan, all_watches: Sequence[StreamWatch], sink: MarketSink
    ) -> "_Connection":
        watches = tuple(all_watches[route.number] for route in shard.routes)
        reader = StreamReader(self._market, sink, watches, self._sequences, self._count_reject)
        return _Connection(Addresses(shard.urls), reader, self._wall, Backoff(self._source))

    def _watches(
        self, plan: StreamPlan, instruments: Sequence[Instrument]
    ) -> tuple[StreamWatch, ...]:
        by_symbol = {instrument.symbol: instrument for instrument in instruments}
        now = self._wall.monotonic()
        return tuple(StreamWatch(route, by_symbol[route.instrument], now) for route in plan.routes)

    async def _watch(
        self, connections: Sequence["_Connection"], statuses: "_FeedStatuses"
    ) -> NoReturn:
        while True:
            wall_now, market_now = self._wall.monotonic(), self._market.monotonic()
            states = statuses.update(wall_now, market_now)
            for connection in connections:
                own = [states[watch.route.number] for watch in connection.watches]
                why = reason_to_reopen(connection.watches, own, wall_now)
                if why is not None:
                    connection.reopen(why)
            await self._wall.sleep(WATCH_SECONDS)


class _FeedStatuses:
    """Tells the sink when an instrument's status or the reason for it changes."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        watches: Sequence[StreamWatch],
        venue: Venue,
        sink: MarketSink,
    ) -> None:
        self._watches = watches
        self._sink = sink
        self._told: dict[str, Health] = {}
        self._numbers: dict[str, list[int]] = {}
        for watch in watches:
            self._numbers.setdefault(watch.route.instrument, []).append(watch.route.number)
        for instrument in instruments:
            if instrument.symbol not in self._numbers:
                text = f"{instrument.symbol} has no feed at {venue.value}"
                sink.on_status(instrument.symbol, FeedStatus.DOWN, text)

    def update(self, wall_now: float, market_now: float) -> list[Health]:
        """Judge all streams; the result is in the order of the route numbers."""
        states = [watch.judge(wall_now, market_now) for watch in self._watches]
        for instrument, numbers in self._numbers.items():
            health = worst(states[number] for number in numbers)
            if self._told.get(instrument) != health:
                self._told[instrument] = health
                self._sink.on_status(instrument, health.status, health.detail)
        return states


class _Connection:
    """One combined-stream connection, made again for ever."""

    def __init__(
        self, addresses: Addresses, reader: StreamReader, wall: Clock, backoff: Backoff
    ) -> None:
        self.watches = reader.watches
        self._addresses = addresses
        self._reader = reader
        self._wall = wall
        self._backoff = backoff
        self._scope: asyncio.Timeout | None = None
        self._ended_because = ""

    def reopen(self, why: str) -> None:
        """End the present connection; `keep` makes the next one."""
        self._ended_because = why
        if self._scope is not None:
            self._scope.reschedule(0.0)
            self._scope = None

    async def keep(self) -> NoReturn:
        """Connect, read, wait, again."""
        while True:
            address = self._addresses.current
            failure, healthy = await self._once(address)
            if healthy:
                self._backoff.reset()
            elsewhere = failure.blocked and self._addresses.blocked(address)
            wait = self._backoff.next_wait(0.0 if elsewhere else failure.least_wait)
            fields = {"why": failure.detail, "wait_seconds": round(wait, 2)}
            log.info("stream connection ended", extra={**fields, "elsewhere": elsewhere})
            await self._wall.sleep(wait)

    async def _once(self, address: str) -> tuple[Failure, bool]:
        """One connection from start to end: why it ended, and whether it had been healthy."""
        opened: float | None = None
        try:
            async with open_socket(address) as socket:
                opened = self._wall.monotonic()
                self._reader.connection_opened(opened)
                failure = await self._read(socket)
        except (OSError, WebSocketException) as e:
            failure = classify(e)
        now = self._wall.monotonic()
        healthy = (
            opened is not None
            and now - opened >= HEALTHY_AFTER_SECONDS
            and any(watch.last is not None for watch in self.watches)
        )
        for watch in self.watches:
            watch.closed(failure.detail)
        return failure, healthy

    async def _read(self, socket: ClientConnection) -> Failure:
        take = self._reader.take
        receive = socket.recv
        try:
            async with asyncio.timeout(None) as self._scope:
                while True:
                    for _ in range(FRAMES_PER_TURN):
                        if not take(await receive(decode=False)):
                            return Failure(detail="the venue announced a restart, reconnecting")
                    await asyncio.sleep(0)
        except TimeoutError:
            return Failure(detail=self._ended_because)
        finally:
            self._scope = None


def open_socket(url: str) -> connect:
    """A connection to be, with the limits that market streams need."""
    host = urlsplit(url).hostname
    return connect(
        url,
        # Proxies of the environment must not swallow connections to this machine.
        proxy=None if host in ("127.0.0.1", "localhost", "::1") else True,
        compression=None,
        max_queue=4096,
        max_size=2**20,
        open_timeout=10,
        ping_interval=20,
        ping_timeout=20,
        close_timeout=1,
    )
