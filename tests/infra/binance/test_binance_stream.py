"""The stream client against a real WebSocket server."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from itertools import groupby
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from core.model.events import FeedStatus
from core.model.instrument import Instrument, Venue
from infra.binance.binance_stream import FRAMES_PER_TURN, BinanceStream
from infra.binance.stream_plan import StreamEndpoints
from infra.registry_file import load_registry
from tests.support.market_data import START_MS, RecordingSink
from tests.support.real_clock import RealClock

Handler = Callable[[ServerConnection], Awaitable[None]]


class EagerRandom(random.Random):
    """Waits a hundredth of what it could."""

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) / 100


def trade(trade_id: int, price: str = "60000.1") -> str:
    data = {
        "e": "aggTrade", "E": START_MS, "s": "BTCUSDT", "a": trade_id, "p": price, "q": "0.5",
        "f": 1, "l": 1, "T": START_MS + trade_id, "m": False, "M": True,
    }  # fmt: skip
    return _combined("btcusdt@aggTrade", data)


def depth(bid: str = "60000.0", ask: str = "60000.1", update_id: int = 7) -> str:
    data = {"lastUpdateId": update_id, "bids": [[bid, "1"]], "asks": [[ask, "2"]]}
    return _combined("btcusdt@depth20@100ms", data)


def minute(pushed: int = 0, *, closed: bool = False) -> str:
    bar = {"t": START_MS, "T": START_MS + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2,
           "o": "1", "c": "2", "h": "3", "l": "1", "v": "5", "n": 4, "x": closed, "q": "1",
           "V": "2", "Q": "1", "B": "0"}  # fmt: skip
    event = {"e": "kline", "E": START_MS + 60_000 + pushed, "s": "BTCUSDT", "k": bar}
    return _combined("btcusdt@kline_1m", event)


def _combined(stream: str, data: dict[str, Any]) -> str:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


async def send_life(socket: ServerConnection, first_id: int = 1) -> None:
    """One frame of every stream."""
    for text in (trade(first_id), depth(update_id=first_id + 6), minute(first_id)):
        await socket.send(text)


@asynccontextmanager
async def running(
    handler: Handler,
    *,
    limit: float = 3.0,
    process_request: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AsyncIterator[tuple[RecordingSink, Counter[str], Server]]:
    """A server with `handler` and a stream of BTCUSD connected to it."""
    sink, rejects = RecordingSink(), Counter[str]()
    clock = RealClock()
    async with serve(handler, "127.0.0.1", 0, process_request=process_request) as server:
        base = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stream = BinanceStream(
            StreamEndpoints(spot_ws=base, futures_market_ws=base, futures_public_ws=base),
            Venue.SANDBOX,
            clock,
            clock,
            EagerRandom(),
            count_reject=lambda _, reason: rejects.update([reason]),
        )
        task = asyncio.create_task(stream.run([bitcoin(limit)], sink))
        try:
            yield sink, rejects, server
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def bitcoin(limit: float) -> Instrument:
    return replace(load_registry().get("BTCUSD"), silence_limit_seconds=limit)


async def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is awaited has no event
            await asyncio.sleep(0.01)


def statuses(sink: RecordingSink) -> list[FeedStatus]:
    """Without the changes of only the reason."""
    return [status for status, _ in groupby(status for _, status, _ in sink.statuses)]


async def test_every_kind_of_frame_reaches_the_sink() -> None:
    async def handler(socket: ServerConnection) -> None:
        await send_life(socket)
        await socket.wait_closed()

    async with running(handler) as (sink, _, _):
        await eventually(lambda: FeedStatus.LIVE in statuses(sink))
    assert [tick.trade_id for tick in sink.trades] == [1]
    assert [(quote.bid, quote.ask) for quote in sink.quotes] == [(60_000.0, 60_000.1)]
    assert [book.update_id for book in sink.books] == [7]
    assert [bar.closed for bar in sink.bars] == [False]
    assert statuses(sink) == [FeedStatus.STARTING, FeedStatus.LIVE]


async def test_duplicates_are_dropped_and_gaps_announced_across_connections() -> None:
    connections = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        ids = (1, 2, 2) if connections == 1 else (2, 6)
        for trade_id in ids:
            await socket.send(trade(trade_id))
        if connections > 1:
            await socket.wait_closed()

    async with running(handler) as (sink, rejects, _):
        await eventually(lambda: len(sink.trades) == 3)
    assert [tick.trade_id for tick in sink.trades] == [1, 2, 6]
    assert sink.gaps == [("BTCUSD", 3, 5)]
    assert rejects["duplicate_trade"] == 2


async def test_rubbish_is_counted_and_the_stream_goes_on() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("{not json")
        await socket.send(trade(1, price="NaN"))
        await socket.send(depth(bid="60001"))
        await socket.send(b"\x00\xff")
        await socket.send('{"result":null,"id":1}')
        await socket.send(trade(2))
        await socket.wait_closed()

    async with running(handler) as (sink, rejects, _):
        await eventually(lambda: len(sink.trades) == 1)
    assert rejects == {"malformed": 2, "wrong_shape": 1, "crossed": 1}
    assert not sink.quotes


async def test_a_feed_that_falls_silent_goes_stale_reconnects_and_recovers() -> None:
    connections = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await send_life(socket, first_id=connections)
        while connections > 1:
            connections += 1
            await send_life(socket, first_id=connections)
            await asyncio.sleep(0.05)
        await socket.wait_closed()

    async with running(handler, limit=1.2) as (sink, _, _):
        await eventually(lambda: statuses(sink).count(FeedStatus.LIVE) == 2, 8)
    assert statuses(sink) == [
        FeedStatus.STARTING,
        FeedStatus.LIVE,
        FeedStatus.STALE,
        FeedStatus.LIVE,
    ]
    stale = next(text for _, status, text in sink.statuses if status is FeedStatus.STALE)
    assert stale == "no trades for 1 s, reconnecting"


async def test_one_dead_stream_of_many_is_noticed_though_the_others_go_on() -> None:
    async def handler(socket: ServerConnection) -> None:
        await send_life(socket)
        number = 1
        while True:
            number += 1
            await socket.send(trade(number))
            await asyncio.sleep(0.05)

    async with running(handler, limit=1.2) as (sink, _, _):
        await eventually(lambda: FeedStatus.STALE in statuses(sink))
    detail = next(text for _, status, text in sink.statuses if status is FeedStatus.STALE)
    assert detail == "no order book for 1 s, reconnecting"


async def test_shutdown_notice_makes_it_connect_anew_at_once() -> None:
    connections = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await send_life(socket, connections)
        if connections == 1:
            await socket.send('{"e":"serverShutdown","E":1772542800000}')
        await socket.wait_closed()

    async with running(handler) as (sink, _, _):
        await eventually(lambda: len(sink.trades) == 2, 2)
    assert connections == 2


async def test_refused_upgrades_are_explained_and_tried_again() -> None:
    refused = 0

    def refuse(socket: ServerConnection, request: Request) -> Response | None:
        nonlocal refused
        refused += 1
        if refused <= 3:
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "<html>busy</html>")
        return None

    async def handler(socket: ServerConnection) -> None:
        await send_life(socket)
        await socket.wait_closed()

    async with running(handler, process_request=refuse) as (sink, _, _):
        await eventually(lambda: FeedStatus.LIVE in statuses(sink))
    assert refused == 4


async def test_a_ban_is_respected() -> None:
    attempts = 0

    def ban(socket: ServerConnection, request: Request) -> Response | None:
        nonlocal attempts
        attempts += 1
        answer = socket.respond(HTTPStatus.IM_A_TEAPOT, "banned")
        answer.headers["Retry-After"] = "120"
        return answer

    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with running(handler, process_request=ban) as (sink, _, _):
        await asyncio.sleep(1.0)
    assert attempts == 1
    assert not sink.trades


async def test_a_connection_cut_without_a_goodbye_is_replaced() -> None:
    connections = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await send_life(socket, connections)
        if connections < 3:
            socket.transport.abort()
        await socket.wait_closed()

    async with running(handler) as (sink, _, _):
        await eventually(lambda: connections == 3 and len(sink.trades) == 3)
    assert sink.gaps == []


async def test_an_instrument_without_a_feed_is_down_with_the_reason() -> None:
    sink, clock = RecordingSink(), RealClock()
    ends = StreamEndpoints(spot_ws="ws://x", futures_market_ws="ws://x", futures_public_ws="ws://x")
    stream = BinanceStream(ends, Venue.BINANCE, clock, clock, random.Random(1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stream.run([load_registry().get("GBPUSD")], sink)
    assert sink.statuses == [("GBPUSD", FeedStatus.DOWN, "GBPUSD has no feed at binance")]


async def test_a_burst_does_not_hold_the_loop() -> None:
    frames = [depth(bid=f"{50_000 + n}.5", ask="60000.1", update_id=n) for n in range(3_000)]

    async def handler(socket: ServerConnection) -> None:
        for text in frames:
            await socket.send(text)
        await socket.wait_closed()

    most = 0
    async with running(handler) as (sink, _, _):
        while len(sink.books) < len(frames):
            before = len(sink.books)
            await asyncio.sleep(0)
            most = max(most, len(sink.books) - before)
    assert 1 < most <= FRAMES_PER_TURN
