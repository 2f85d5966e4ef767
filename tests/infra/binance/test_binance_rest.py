"""History over REST against a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.clock import to_millis
from core.errors import FeedError
from core.model.instrument import Venue
from core.model.market import Timeframe
from infra.binance import binance_rest
from infra.binance.binance_rest import BinanceHistory, RestEndpoints
from infra.binance.history_place import (
    HistoryBlockedError,
    HistoryBusyError,
    HistoryRefusedError,
    HistoryUnavailableError,
)
from infra.registry_file import load_registry
from tests.support.clock import START, ManualClock

MINUTE = 60_000
NOW = START + timedelta(seconds=30)
REGISTRY = load_registry()
BITCOIN = REGISTRY.get("BTCUSD")


def row(open_ms: int, length: int = MINUTE, **changes: Any) -> list[Any]:
    """A kline row; `changes` by position (`p3='-1'`)."""
    values = [
        open_ms,
        "10",
        "12",
        "9",
        "11",
        "5.5",
        open_ms + length - 1,
        "60",
        7,
        "2.5",
        "30",
        "0",
    ]
    for name, value in changes.items():
        values[int(name[1:])] = value
    return values


@dataclass
class Exchange:
    """Serves minute bars for ever back, or one prepared answer."""

    requests: list[web.Request] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    oldest: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.body is not None or self.status != 200:
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        last = min(int(request.query["endTime"]), to_millis(NOW)) // MINUTE * MINUTE
        count = int(request.query["limit"])
        opens = [last - MINUTE * back for back in reversed(range(count))]
        rows = [row(open_ms) for open_ms in opens if open_ms >= self.oldest]
        return web.json_response(rows)


@asynccontextmanager
async def serving(exchange: Exchange) -> AsyncIterator[tuple[BinanceHistory, ManualClock]]:
    app = web.Application()
    app.router.add_get("/{tail:.*}", exchange.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    wall = ManualClock()
    async with aiohttp.ClientSession() as session:
        ends = RestEndpoints(spot=base, futures=base + "/")
        yield BinanceHistory(session, ends, Venue.SANDBOX, ManualClock(NOW), wall), wall
    await runner.cleanup()


async def test_pages_backwards_until_there_are_enough_bars() -> None:
    exchange = Exchange()
    async with serving(exchange) as (history, _):
        bars = await history.bars(BITCOIN, Timeframe.M1, limit=1_500, end=None)
    assert len(bars) == 1_500
    assert [int(request.query["limit"]) for request in exchange.requests] == [1_000, 500]
    steps = {later.open_time - bar.open_time for bar, later in pairwise(bars)}
    assert steps == {timedelta(minutes=1)}
    assert exchange.requests[0].path == "/api/v3/klines"
    assert exchange.requests[0].query["symbol"] == "BTCUSDT"


async def test_the_bar_still_forming_is_left_out() -> None:
    async with serving(Exchange()) as (history, _):
        bars = await history.bars(BITCOIN, Timeframe.M1, limit=3, end=None)
    assert bars[-1].close_time == START
    assert (bars[-1].volume, bars[-1].buy_volume, bars[-1].trades) == (5.5, 2.5, 7)


async def test_a_server_that_sends_the_forming_bar_anyway_does_no_harm() -> None:
    rows = [row(to_millis(START) - MINUTE), row(to_millis(START))]
    async with serving(Exchange(body=json.dumps(rows).encode())) as (history, _):
        bars = await history.bars(BITCOIN, Timeframe.M1, limit=2, end=None)
    assert [bar.close_time for bar in bars] == [START]


async def test_end_bounds_the_newest_bar() -> None:
    end = START - timedelta(minutes=10)
    async with serving(Exchange()) as (history, _):
        bars = await history.bars(BITCOIN, Timeframe.M1, limit=5, end=end)
    assert bars[-1].close_time == end
    assert len(bars) == 5


async def test_a_young_market_gives_what_it_has() -> None:
    exchange = Exchange(oldest=to_millis(START) - 30 * MINUTE)
    async with serving(exchange) as (history, _):
        bars = await history.bars(BITCOIN, Timeframe.M1, limit=1_500, end=None)
    assert len(bars) == 30


async def test_gold_is_asked_for_at_the_futures_address() -> None:
    exchange = Exchange()
    async with serving(exchange) as (history, _):
        await history.bars(REGISTRY.get("XAUUSD"), Timeframe.M1, limit=1, end=None)
    assert exchange.requests[0].path == "/fapi/v1/klines"


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (200, b"<html>captive portal</html>", HistoryUnavailableError, "unusable"),
        (200, b'{"code":-1121,"msg":"Invalid symbol."}', HistoryRefusedError, "Invalid symbol"),
        (400, b'{"code":-1121,"msg":"Invalid symbol."}', HistoryRefusedError, "Invalid symbol"),
        (502, b"<html>502</html>", HistoryUnavailableError, "HTTP 502"),
        (451, b"restricted", HistoryBlockedError, "HTTP 451"),
        (403, b"<html>WAF</html>", HistoryBlockedError, "HTTP 403"),
        (429, b'{"code":-1003,"msg":"Too many."}', HistoryBusyError, "too many requests"),
        (418, b"", HistoryBusyError, "too many requests"),
    ],
)
async def test_every_refusal_is_a_feed_error_in_plain_words(
    status: int, body: bytes, error: type[FeedError], words: str
) -> None:
    async with serving(Exchange(status=status, body=body)) as (history, _):
        with pytest.raises(error, match=words):
            await history.bars(BITCOIN, Timeframe.M1, limit=1, end=None)


@pytest.mark.parametrize(
    "changes",
    [{"p3": "-1"}, {"p2": "8"}, {"p9": "6"}, {"p4": "NaN"}, {"p6": 5}, {"p1": None}],
)
async def test_one_impossible_row_refuses_the_whole_answer(changes: dict[str, Any]) -> None:
    rows = [row(to_millis(START) - 2 * MINUTE), row(to_millis(START) - MINUTE, **changes)]
    async with serving(Exchange(body=json.dumps(rows).encode())) as (history, _):
        with pytest.raises(HistoryUnavailableError):
            await history.bars(BITCOIN, Timeframe.M1, limit=2, end=None)


async def test_nothing_is_sent_while_the_venue_asked_for_quiet() -> None:
    exchange = Exchange(status=429, body=b"", headers={"Retry-After": "9"})
    async with serving(exchange) as (history, wall):
        for _ in range(2):
            with pytest.raises(HistoryBusyError):
                await history.bars(BITCOIN, Timeframe.M1, limit=1, end=None)
        assert len(exchange.requests) == 1
        wall.tick(9.5)
        exchange.status = 200
        exchange.body = None
        assert len(await history.bars(BITCOIN, Timeframe.M1, limit=1, end=None)) == 1


async def test_a_hanging_venue_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binance_rest, "DEADLINE_SECONDS", 0.1)

    class Hanging(Exchange):
        async def answer(self, request: web.Request) -> web.Response:
            await asyncio.sleep(1)
            return web.Response()

    async with serving(Hanging()) as (history, _):
        with pytest.raises(HistoryUnavailableError, match="in time"):
            await history.bars(BITCOIN, Timeframe.M1, limit=1, end=None)


async def test_no_server_at_all_is_unavailable() -> None:
    async with aiohttp.ClientSession() as session:
        ends = RestEndpoints(spot="http://127.0.0.1:9", futures="http://127.0.0.1:9")
        clock = ManualClock()
        history = BinanceHistory(session, ends, Venue.SANDBOX, clock, clock)
        with pytest.raises(HistoryUnavailableError, match="no answer"):
            await history.bars(BITCOIN, Timeframe.M1, limit=1, end=None)


async def test_an_unlisted_instrument_is_refused_without_asking() -> None:
    async with aiohttp.ClientSession() as session:
        ends = RestEndpoints(spot="http://127.0.0.1:9", futures="http://127.0.0.1:9")
        clock = ManualClock()
        history = BinanceHistory(session, ends, Venue.BINANCE, clock, clock)
        with pytest.raises(HistoryRefusedError, match="GBPUSD is not listed"):
            await history.bars(REGISTRY.get("GBPUSD"), Timeframe.M1, limit=1, end=None)


async def test_past_trades_come_by_id_and_nothing_beyond_the_range() -> None:
    rows = [
        {"a": number, "p": "60000.5", "q": "0.1", "f": 1, "l": 1, "T": 1_772_542_800_000, "m": True}
        for number in (5, 6, 7, 8)
    ]
    exchange = Exchange(body=json.dumps(rows).encode())
    async with serving(exchange) as (history, _):
        ticks = await history.trades(BITCOIN, first_id=5, last_id=7)
    assert [tick.trade_id for tick in ticks] == [5, 6, 7]
    assert ticks[0].buyer_maker
    assert exchange.requests[0].path == "/api/v3/aggTrades"
    assert exchange.requests[0].query["fromId"] == "5"
