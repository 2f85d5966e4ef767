"""A venue that blocks the region (HTTP 451): the mirror where there is one, else a plain reason."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from core.model.events import FeedStatus
from core.model.instrument import Instrument, Venue
from core.model.market import Timeframe
from infra.binance import stream_watch
from infra.binance.addresses import Addresses
from infra.binance.binance_rest import BinanceHistory, RestEndpoints
from infra.binance.binance_stream import BinanceStream
from infra.binance.history_place import HistoryBlockedError
from infra.binance.stream_plan import StreamEndpoints
from infra.registry_file import load_registry
from tests.support.clock import START, ManualClock
from tests.support.market_data import RecordingSink
from tests.support.real_clock import RealClock

BITCOIN = load_registry().get("BTCUSD")
GOLD = load_registry().get("XAUUSD")
DEPTH = (
    '{"stream":"btcusdt@depth20@100ms","data":'
    '{"lastUpdateId":7,"bids":[["60000.0","1"]],"asks":[["60000.1","2"]]}}'
)


class NoWait(random.Random):
    """Waits not at all where waiting is our own choice."""

    def uniform(self, a: float, b: float) -> float:
        return a


@dataclass
class Place:
    """A WebSocket server that refuses with `status`, or serves a book."""

    status: HTTPStatus | None = None
    asked: list[str] = field(default_factory=list)

    def decide(self, socket: ServerConnection, request: Request) -> Response | None:
        self.asked.append(request.path)
        return None if self.status is None else socket.respond(self.status, "no")

    async def serve(self, socket: ServerConnection) -> None:
        await socket.send(DEPTH)
        await socket.wait_closed()


@asynccontextmanager
async def served(place: Place) -> AsyncIterator[str]:
    async with serve(place.serve, "127.0.0.1", 0, process_request=place.decide) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def streaming(
    first: Place, mirror: Place, instruments: Sequence[Instrument]
) -> AsyncIterator[RecordingSink]:
    sink, clock = RecordingSink(), RealClock()
    async with served(first) as blocked, served(mirror) as open_one:
        ends = StreamEndpoints(
            spot_ws=blocked, spot_ws_fallback=open_one,
            futures_market_ws=f"{blocked}/market", futures_public_ws=f"{blocked}/public",
        )  # fmt: skip
        stream = BinanceStream(ends, Venue.BINANCE, clock, clock, NoWait())
        task = asyncio.create_task(stream.run(instruments, sink))
        try:
            yield sink
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.mark.parametrize("status", [HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS, HTTPStatus.FORBIDDEN])
async def test_blocked_spot_stream_comes_from_the_mirror_at_once(status: HTTPStatus) -> None:
    first, mirror = Place(status), Place()
    async with streaming(first, mirror, [BITCOIN]) as sink, asyncio.timeout(3):
        while not sink.quotes:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    assert len(first.asked) == 1
    assert mirror.asked == first.asked


async def test_blocked_futures_are_down_with_a_plain_reason_while_spot_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_watch, "FIRST_MESSAGE_SECONDS", 0.4)
    first, mirror = Place(HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS), Place()
    gold_down = ("XAUUSD", FeedStatus.DOWN, "no feed: Binance blocks this region (HTTP 451)")
    async with streaming(first, mirror, [BITCOIN, GOLD]) as sink, asyncio.timeout(4):
        while gold_down not in sink.statuses or not sink.quotes:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    assert all("xauusdt" in path for path in first.asked[1:])
    assert len(first.asked) == 3
    assert len(mirror.asked) == 1


async def test_mirror_that_blocks_too_is_not_hammered() -> None:
    first = Place(HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)
    mirror = Place(HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)
    async with streaming(first, mirror, [BITCOIN]):
        await asyncio.sleep(0.5)
    assert (len(first.asked), len(mirror.asked)) == (1, 1)


@dataclass
class RestPlace:
    """An HTTP server that refuses with `status`, or gives an empty history."""

    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        await asyncio.sleep(0.02)
        return web.Response(status=self.status, text="[]", content_type="application/json")


@asynccontextmanager
async def history_of(
    first: RestPlace, mirror: RestPlace
) -> AsyncIterator[tuple[BinanceHistory, ManualClock]]:
    runners, bases = [], []
    for place in (first, mirror):
        app = web.Application()
        app.router.add_get("/{tail:.*}", place.answer)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        bases.append(f"http://127.0.0.1:{runners[-1].addresses[0][1]}")
    wall = ManualClock()
    async with aiohttp.ClientSession() as session:
        ends = RestEndpoints(spot=bases[0], futures=bases[0], spot_fallback=bases[1])
        yield BinanceHistory(session, ends, Venue.BINANCE, ManualClock(START), wall), wall
    for runner in runners:
        await runner.cleanup()


async def test_blocked_spot_history_comes_from_the_mirror_and_stays_there() -> None:
    first, mirror = RestPlace(451), RestPlace()
    async with history_of(first, mirror) as (history, _):
        for _ in range(3):
            assert await history.bars(BITCOIN, Timeframe.M1, limit=5, end=None) == ()
    assert len(first.asked) == 1
    assert mirror.asked == ["/api/v3/klines"] * 3


async def test_many_requests_that_meet_the_block_together_all_come_from_the_mirror() -> None:
    first, mirror = RestPlace(451), RestPlace()
    async with history_of(first, mirror) as (history, _):
        frames = (Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.H1)
        await asyncio.gather(
            *(history.bars(BITCOIN, timeframe, limit=5, end=None) for timeframe in frames)
        )
    assert (len(first.asked), len(mirror.asked)) == (4, 4)


async def test_blocked_futures_history_says_so_and_leaves_spot_alone() -> None:
    first, mirror = RestPlace(451), RestPlace()
    async with history_of(first, mirror) as (history, wall):
        for _ in range(2):
            with pytest.raises(HistoryBlockedError, match="Binance blocks this region"):
                await history.bars(GOLD, Timeframe.M1, limit=5, end=None)
        assert first.asked == ["/fapi/v1/klines"]
        assert await history.bars(BITCOIN, Timeframe.M1, limit=5, end=None) == ()

        wall.tick(301)
        first.status = 200
        assert await history.bars(GOLD, Timeframe.M1, limit=5, end=None) == ()


def test_addresses_move_on_once_and_start_over_after_the_last() -> None:
    addresses = Addresses(["a", "b", "a"])
    assert addresses.blocked("a")
    assert addresses.blocked("a")
    assert addresses.current == "b"
    assert not addresses.blocked("b")
    assert addresses.current == "a"
    only = Addresses(["a", "a"])
    assert not only.blocked("a")
    assert only.current == "a"
