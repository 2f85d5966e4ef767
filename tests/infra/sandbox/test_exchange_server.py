"""The sandbox exchange over real sockets: a `websockets` client and real HTTP."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import websockets

from core.clock import Clocks, to_millis
from infra.sandbox.exchange.server import SandboxExchange
from infra.sandbox.market.listing import EPOCH
from infra.sandbox.market.simulated import LENGTHS_MS, SimulatedMarket
from tests.support.clock import ManualClock

EPOCH_MS = to_millis(EPOCH)
COMBINED = "/stream?streams="


@pytest.fixture
def market_clock() -> ManualClock:
    return ManualClock(EPOCH + timedelta(seconds=50))


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """Shared: the market is a pure function of time, so tests cannot disturb each other."""
    return SimulatedMarket(7)


@pytest.fixture
async def exchange(
    market: SimulatedMarket, market_clock: ManualClock
) -> AsyncIterator[SandboxExchange]:
    clocks = Clocks(market=market_clock, wall=ManualClock())
    made = SandboxExchange(market, clocks)
    await made.start()
    yield made
    await made.stop()


async def advance(exchange: SandboxExchange, clock: ManualClock, seconds: float) -> None:
    clock.tick(seconds)
    await exchange._pump.advance(exchange._pump.now_ms())


async def received(socket: websockets.ClientConnection) -> list[dict[str, Any]]:
    frames = []
    try:
        while True:
            frames.append(json.loads(await asyncio.wait_for(socket.recv(), 0.08)))
    except TimeoutError:
        return frames


def connect(url: str) -> websockets.connect:
    return websockets.connect(url, proxy=None, compression=None, max_queue=4096)


async def mute_client(exchange: SandboxExchange) -> asyncio.StreamWriter:
    """A WebSocket client that neither reads nor answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(
        b"GET /ws/btcusdt@aggTrade HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return writer


async def get(exchange: SandboxExchange, path: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(exchange.rest_base + path) as response,
    ):
        assert int(response.headers["X-MBX-USED-WEIGHT-1M"]) > 0
        return response.status, await response.json()


async def test_combined_stream_carries_every_kind(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    names = ["btcusdt@aggTrade", "btcusdt@depth20@100ms", "btcusdt@kline_1m", "btcusdt@bookTicker"]
    async with connect(exchange.spot_ws_base + COMBINED + "/".join(names)) as socket:
        await advance(exchange, market_clock, 5)
        frames = {f["stream"]: f["data"] for f in await received(socket)}
    assert sorted(frames) == sorted(names)
    assert list(frames[names[0]]) == ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"]
    assert set(frames[names[1]]) == {"lastUpdateId", "bids", "asks"}
    assert len(frames[names[1]]["bids"]) == len(frames[names[1]]["asks"]) == 20
    assert list(frames[names[3]]) == ["u", "s", "b", "B", "a", "A"]
    assert Decimal(frames[names[3]]["b"]) < Decimal(frames[names[3]]["a"])
    assert frames[names[2]]["k"]["x"] is False
    assert frames[names[0]]["p"][-9] == "."


async def test_streamed_trades_add_up_to_the_rest_kline_and_the_closed_bar(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    await advance(exchange, market_clock, 10)
    url = exchange.spot_ws_base + COMBINED + "btcusdt@aggTrade/btcusdt@kline_1m"
    async with connect(url) as socket:
        for _ in range(13):
            await advance(exchange, market_clock, 4.8)
        frames = [f["data"] for f in await received(socket)]
    _, rows = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=2")
    bar = rows[0]
    trades = [f for f in frames if f["e"] == "aggTrade" and bar[0] <= f["T"] <= bar[6]]
    sizes = [Decimal(t["q"]) for t in trades]
    bought = [Decimal(t["q"]) for t in trades if not t["m"]]
    assert (trades[0]["p"], trades[-1]["p"]) == (bar[1], bar[4])
    assert max(Decimal(t["p"]) for t in trades) == Decimal(bar[2])
    assert min(Decimal(t["p"]) for t in trades) == Decimal(bar[3])
    assert (sum(sizes), sum(bought), len(trades)) == (Decimal(bar[5]), Decimal(bar[9]), bar[8])
    turnover = sum(Decimal(t["p"]) * Decimal(t["q"]) for t in trades)
    assert turnover == Decimal(bar[7])
    closed = [f["k"] for f in frames if f["e"] == "kline" and f["k"]["x"]]
    assert [k["t"] for k in closed] == [bar[0]]
    assert (closed[0]["o"], closed[0]["h"], closed[0]["l"], closed[0]["c"]) == tuple(bar[1:5])
    assert (closed[0]["v"], closed[0]["V"], closed[0]["n"]) == (bar[5], bar[9], bar[8])
    assert (closed[0]["f"], closed[0]["L"]) == (trades[0]["a"], trades[-1]["a"])


async def test_every_bar_closes_once_at_high_speed_also_without_trades(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    url = exchange.spot_ws_base + COMBINED + "gbpusd@kline_1m/eurusdt@kline_1m/eurusdt@kline_5m"
    async with connect(url) as socket:
        for _ in range(20):
            await advance(exchange, market_clock, 60.0)
        frames = await received(socket)
    for name, length in (("gbpusd@kline_1m", 1), ("eurusdt@kline_1m", 1), ("eurusdt@kline_5m", 5)):
        bars = [f["data"]["k"] for f in frames if f["stream"] == name and f["data"]["k"]["x"]]
        opens = [bar["t"] for bar in bars]
        assert opens == list(range(EPOCH_MS, EPOCH_MS + 20 * 60_000, length * 60_000))


async def test_open_bars_wait_for_two_market_seconds_and_a_quarter_of_a_wall_second(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    async with connect(exchange.spot_ws_base + "/ws/btcusdt@kline_1m") as socket:
        for _ in range(9):
            await advance(exchange, market_clock, 1.0)
        frames = await received(socket)
    assert [f["k"]["x"] for f in frames] == [False], "the wall clock stood still"


async def test_futures_streams_are_routed_by_class(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    wanted = "xauusdt@aggTrade/xauusdt@kline_1m/xauusdt@depth20@100ms/xauusdt@bookTicker"
    async with (
        connect(exchange.futures_market_ws_base + COMBINED + wanted) as by_market,
        connect(exchange.futures_public_ws_base + COMBINED + wanted) as by_public,
        connect(exchange.spot_ws_base + COMBINED + wanted) as on_spot,
    ):
        await advance(exchange, market_clock, 5)
        market_frames = {f["stream"]: f["data"] for f in await received(by_market)}
        public_frames = {f["stream"]: f["data"] for f in await received(by_public)}
        assert await received(on_spot) == []
    assert sorted(market_frames) == ["xauusdt@aggTrade", "xauusdt@kline_1m"]
    assert sorted(public_frames) == ["xauusdt@bookTicker", "xauusdt@depth20@100ms"]
    assert public_frames["xauusdt@depth20@100ms"]["e"] == "depthUpdate"
    assert {"E", "T", "s", "U", "u", "pu", "b", "a"} < set(public_frames["xauusdt@depth20@100ms"])
    assert public_frames["xauusdt@bookTicker"]["T"] == EPOCH_MS + 55_000
    assert "M" not in market_frames["xauusdt@aggTrade"]


async def test_subscriptions_change_on_a_live_socket(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    async with connect(exchange.spot_ws_base + "/ws") as socket:

        async def ask(request: object) -> Any:
            await socket.send(request if isinstance(request, str) else json.dumps(request))
            return json.loads(await socket.recv())

        names = ["btcusdt@aggTrade", "nonsense@aggTrade", "gbpusd@aggTrade"]
        answer = await ask({"method": "SUBSCRIBE", "params": names, "id": 1})
        assert answer == {"result": None, "id": 1}
        listed = await ask({"method": "LIST_SUBSCRIPTIONS", "id": "x"})
        assert listed == {"result": names, "id": "x"}
        await advance(exchange, market_clock, 5)
        frames = await received(socket)
        assert {f["s"] for f in frames} == {"BTCUSDT"}
        await ask({"method": "UNSUBSCRIBE", "params": names, "id": None})
        await advance(exchange, market_clock, 5)
        assert await received(socket) == []
        assert (await ask({"method": "DANCE", "id": 3}))["code"] == 2
        assert (await ask("{nonsense"))["code"] == 3


@pytest.mark.parametrize("symbol", ["BTCUSDT", "GBPUSD"])
@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "1h", "4h", "1d"])
async def test_klines_give_a_thousand_bars(
    exchange: SandboxExchange, symbol: str, interval: str
) -> None:
    path = f"/api/v3/klines?symbol={symbol}&interval={interval}&limit=1000"
    status, rows = await get(exchange, path)
    assert (status, len(rows)) == (200, 1000)
    opens = [row[0] for row in rows]
    assert opens == sorted(set(opens))
    length = LENGTHS_MS[interval]
    assert opens[-1] == (EPOCH_MS + 50_000) // length * length, "the last bar is forming"
    assert all(len(row) == 12 and row[6] == row[0] + length - 1 for row in rows)
    assert all(float(r[3]) <= float(r[1]) <= float(r[2]) for r in rows)


async def test_futures_klines_give_fifteen_hundred_bars(exchange: SandboxExchange) -> None:
    _, rows = await get(exchange, "/fapi/v1/klines?symbol=XAUUSDT&interval=15m&limit=1500")
    assert len(rows) == 1500


async def test_klines_between_times_and_their_paging(exchange: SandboxExchange) -> None:
    base = "/api/v3/klines?symbol=BTCUSDT&interval=1h"
    start = EPOCH_MS - 10 * 3_600_000
    _, first = await get(exchange, f"{base}&startTime={start + 1}&limit=3")
    assert [r[0] for r in first] == [start + h * 3_600_000 for h in (1, 2, 3)]
    _, between = await get(exchange, f"{base}&startTime={start}&endTime={start + 3_600_000}")
    assert [r[0] for r in between] == [start, start + 3_600_000]
    _, until = await get(exchange, f"{base}&endTime={start}&limit=2")
    assert [r[0] for r in until] == [start - 3_600_000, start]
    _, future = await get(exchange, f"{base}&startTime={EPOCH_MS + 10**9}")
    assert future == []
    _, oldest = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=0&limit=2")
    assert len(oldest) == 2


async def test_trades_by_id_by_time_and_latest(exchange: SandboxExchange) -> None:
    base = "/api/v3/aggTrades?symbol=BTCUSDT"
    _, latest = await get(exchange, f"{base}&limit=20")
    assert len(latest) == 20
    assert latest[-1]["T"] < EPOCH_MS + 50_000
    _, again = await get(exchange, f"{base}&fromId={latest[5]['a']}&limit=10")
    assert again == latest[5:15]
    span = f"&startTime={latest[3]['T']}&endTime={latest[9]['T']}"
    _, between = await get(exchange, base + span)
    assert [t for t in between if latest[3]["a"] <= t["a"] <= latest[9]["a"]] == latest[3:10]
    assert await get(exchange, "/api/v3/aggTrades?symbol=GBPUSD") == (200, [])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v3/klines?symbol=NOPE&interval=1m", -1121),
        ("/api/v3/klines?symbol=XAUUSDT&interval=1m", -1121),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m", -1121),
        ("/api/v3/klines?symbol=btcusdt&interval=1m", -1100),
        ("/api/v3/klines?symbol=BTCUSDT&interval=7m", -1120),
        ("/api/v3/klines?symbol=BTCUSDT", -1102),
        ("/api/v3/klines?interval=1m", -1102),
        ("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=ten", -1100),
        ("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=0", -1130),
        ("/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=", -1105),
        ("/fapi/v1/klines?symbol=XAUUSDT&interval=1m&limit=1501", -1130),
        ("/api/v3/depth", -1102),
    ],
)
async def test_bad_requests_get_binance_errors(
    exchange: SandboxExchange, path: str, code: int
) -> None:
    status, body = await get(exchange, path)
    assert status == 400
    assert body["code"] == code
    assert set(body) == {"code", "msg"}


async def test_exchange_information_and_small_answers(exchange: SandboxExchange) -> None:
    _, spot = await get(exchange, "/api/v3/exchangeInfo")
    names = {s["symbol"]: s["status"] for s in spot["symbols"]}
    assert set(names) == {"BTCUSDT", "EURUSDT", "GBPUSD", "USDJPY", "GBPJPY", "EURJPY"}
    assert set(names.values()) == {"TRADING"}
    ticks = spot["symbols"][0]["filters"][0]["tickSize"]
    assert Decimal(ticks) == Decimal("0.01")
    _, futures = await get(exchange, "/fapi/v1/exchangeInfo")
    assert [s["symbol"] for s in futures["symbols"]] == ["XAUUSDT"]
    assert await get(exchange, "/api/v3/time") == (200, {"serverTime": EPOCH_MS + 50_000})
    assert await get(exchange, "/fapi/v1/ping") == (200, {})
    _, book = await get(exchange, "/api/v3/depth?symbol=BTCUSDT&limit=5")
    _, best = await get(exchange, "/api/v3/ticker/bookTicker?symbol=BTCUSDT")
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert len(book["asks"]) == 5
    _, everything = await get(exchange, "/api/v3/ticker/bookTicker")
    assert len(everything) == 6


async def test_weekend_shuts_fx_streams_and_says_break() -> None:
    saturday = EPOCH.replace(day=7)
    clock = ManualClock(saturday)
    made = SandboxExchange(SimulatedMarket(7, saturday), Clocks(market=clock, wall=ManualClock()))
    await made.start()
    try:
        url = made.spot_ws_base + COMBINED + "gbpusd@bookTicker/gbpusd@kline_1m/btcusdt@aggTrade"
        async with connect(url) as socket:
            await advance(made, clock, 65)
            assert {f["stream"] for f in await received(socket)} == {"btcusdt@aggTrade"}
        _, info = await get(made, "/api/v3/exchangeInfo?symbol=GBPUSD")
        assert info["symbols"][0]["status"] == "BREAK"
        _, rows = await get(made, "/api/v3/klines?symbol=GBPUSD&interval=1m&limit=3")
        assert rows[-1][0] == to_millis(EPOCH.replace(day=6, hour=21, minute=59))
    finally:
        await made.stop()


async def test_a_client_that_does_not_read_is_cut_off_and_others_go_on(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    writer = await mute_client(exchange)
    async with connect(exchange.spot_ws_base + "/ws/gbpusd@bookTicker") as other:
        for _ in range(40):
            await advance(exchange, market_clock, 900)
            await asyncio.sleep(0)
            if len(exchange._listeners.connections) == 1:
                break
        assert len(exchange._listeners.connections) == 1
        assert len(await received(other)) > 3
    writer.close()


async def test_stop_is_quick_and_says_goodbye(
    market: SimulatedMarket, market_clock: ManualClock
) -> None:
    made = SandboxExchange(market, Clocks(market=market_clock, wall=ManualClock()))
    await made.start()
    async with connect(made.spot_ws_base + "/ws/btcusdt@aggTrade") as socket:
        begun = time.monotonic()
        await made.stop()
        assert time.monotonic() - begun < 0.5
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


async def test_stop_does_not_wait_for_a_mute_client(
    market: SimulatedMarket, market_clock: ManualClock
) -> None:
    made = SandboxExchange(market, Clocks(market=market_clock, wall=ManualClock()))
    await made.start()
    writer = await mute_client(made)
    begun = time.monotonic()
    await made.stop()
    assert time.monotonic() - begun < 0.6
    writer.close()


async def test_the_pump_runs_on_the_clocks(
    exchange: SandboxExchange, market_clock: ManualClock
) -> None:
    running = asyncio.create_task(exchange.run())
    async with connect(exchange.spot_ws_base + "/ws/btcusdt@aggTrade") as socket:
        wall = exchange._pump._clocks.wall
        assert isinstance(wall, ManualClock)
        for _ in range(5):
            market_clock.tick(1.0)
            await wall.advance(0.1)
            await asyncio.sleep(0.01)
        frames = await received(socket)
    running.cancel()
    assert [f["a"] for f in frames] == list(range(frames[0]["a"], frames[0]["a"] + len(frames)))
    assert frames[-1]["T"] > EPOCH_MS + 50_000
