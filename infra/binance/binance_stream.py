"""Live Binance market data: sockets, reconnection, watchdog. Parsing and judging live elsewhere."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from core.clock import Clock
from core.model.events import FeedStatus
from core.model.instrument import Instrument, Venue
from core.model.market import Bar, Book, Quote, TradeTick
from core.ports.market import MarketSink
from infra.binance.binance_parse import (
    Control,
    ControlKind,
    Frame,
    Rejected,
    parse_other,
    parse_routed,
    quote_of,
    route_of,
)
from infra.binance.reconnect import HEALTHY_AFTER_SECONDS, Backoff, Failure, classify
from infra.binance.stream_plan import ShardPlan, StreamEndpoints, StreamPlan, plan_streams
from infra.binance.stream_watch import Health, StreamWatch, should_reopen, worst
from infra.binance.trade_sequence import Missing, TradeSequence

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
FRAMES_PER_TURN = 200
"""A burst is read in turns of this many frames, so that it cannot hold the loop for long."""

CountReject = Callable[[str | None, str], None]
"""Told (instrument or None, reason) of every frame that was not believed."""


def ignore_rejects(instrument: str | None, reason: str) -> None:
    """For callers that do not count."""


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
        reader = _Reader(self._market, sink, watches, self._sequences, self._count_reject)
        return _Connection(shard.url, reader, self._wall, Backoff(self._source))

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
                if should_reopen(connection.watches, own, wall_now):
                    connection.reopen()
            await self._wall.sleep(WATCH_SECONDS)


class _FeedStatuses:
    """Tells the sink when an instrument's status or its reason changes."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        watches: Sequence[StreamWatch],
        venue: Venue,
        sink: MarketSink,
    ) -> None:
        self._watches = watches
        self._sink = sink
        self._told: dict[str, FeedStatus] = {}
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
            if self._told.get(instrument) is not health.status:
                self._told[instrument] = health.status
                self._sink.on_status(instrument, health.status, health.detail)
        return states


class _Reader:
    """From raw frames to the sink: the hot path."""

    def __init__(
        self,
        market: Clock,
        sink: MarketSink,
        watches: Sequence[StreamWatch],
        sequences: dict[str, TradeSequence],
        count_reject: CountReject,
    ) -> None:
        self.watches = watches
        self._by_number = {watch.route.number: watch for watch in watches}
        self._now = market.monotonic
        self._sink = sink
        self._sequences = sequences
        self._count_reject = count_reject
        self._routes = {watch.route.stream.encode(): watch.route for watch in watches}

    def take(self, raw: bytes) -> bool:
        """Deliver one frame; False when the venue asks us to connect anew."""
        received = self._now()
        route = route_of(raw, self._routes)
        if route is None:
            return self._take_other(parse_other(raw, routes=self._routes, received=received))
        frame = parse_routed(raw, route, received)
        if self._deliver(frame):
            self._by_number[route.number].heard(received)
        return True

    def _take_other(self, frame: Frame) -> bool:
        if not isinstance(frame, Control):
            self._deliver(frame)
            return True
        log.info("stream control frame", extra={"kind": frame.kind.value, "detail": frame.detail})
        return frame.kind is not ControlKind.SHUTDOWN

    def _deliver(self, frame: Frame) -> bool:
        """Whether the frame was good."""
        match frame:
            case TradeTick():
                self._trade(frame)
            case Book():
                self._sink.on_book(frame)
                self._sink.on_quote(quote_of(frame))
            case Quote():
                self._sink.on_quote(frame)
            case Bar():
                self._sink.on_bar(frame)
            case Rejected():
                self._count_reject(frame.instrument, frame.reason.value)
                return False
        return True

    def _trade(self, tick: TradeTick) -> None:
        sequence = self._sequences.get(tick.instrument)
        if sequence is None:
            sequence = self._sequences[tick.instrument] = TradeSequence()
        verdict = sequence.accept(tick)
        if verdict is False:
            self._count_reject(tick.instrument, "duplicate_trade")
            return
        if isinstance(verdict, Missing):
            self._sink.on_gap(tick.instrument, verdict.first, verdict.last)
        self._sink.on_trade(tick)


class _Connection:
    """One combined-stream connection, made again for ever."""

    def __init__(self, url: str, reader: _Reader, wall: Clock, backoff: Backoff) -> None:
        self.watches = reader.watches
        self._url = url
        self._reader = reader
        self._wall = wall
        self._backoff = backoff
        self._scope: asyncio.Timeout | None = None

    def reopen(self) -> None:
        """End the present connection; `keep` makes the next one."""
        if self._scope is not None:
            self._scope.reschedule(0.0)
            self._scope = None

    async def keep(self) -> NoReturn:
        """Connect, read, wait, again."""
        while True:
            failure, healthy = await self._once()
            if healthy:
                self._backoff.reset()
            wait = self._backoff.next_wait(failure.least_wait)
            fields = {"why": failure.detail, "wait_seconds": round(wait, 2)}
            log.info("stream connection ended", extra=fields)
            await self._wall.sleep(wait)

    async def _once(self) -> tuple[Failure, bool]:
        """One connection from start to end: why it ended, and whether it had been healthy."""
        opened: float | None = None
        try:
            async with _connect(self._url) as socket:
                opened = self._wall.monotonic()
                for watch in self.watches:
                    watch.opened(opened)
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
            watch.closed(now, failure.detail)
        return failure, healthy

    async def _read(self, socket: ClientConnection) -> Failure:
        take = self._reader.take
        receive = socket.recv
        try:
            async with asyncio.timeout(None) as self._scope:
                while True:
                    for _ in range(FRAMES_PER_TURN):
                        if not take(await receive(decode=False)):
                            return Failure(detail="the venue announced a restart")
                    await asyncio.sleep(0)
        except TimeoutError:
            return Failure(detail="a stream fell silent, connecting anew")
        finally:
            self._scope = None


def _connect(url: str) -> connect:
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
