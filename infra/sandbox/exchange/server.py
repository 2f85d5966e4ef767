"""The sandbox exchange: Binance's WebSocket and REST formats over a simulated market."""

import asyncio
import logging

import msgspec
from aiohttp import WSMsgType, web

from core.clock import Clocks
from core.model.instrument import MarketClass
from infra.sandbox.exchange.connection import Connection, Listeners
from infra.sandbox.exchange.faults import ExchangeFaults
from infra.sandbox.exchange.frame_faults import FrameFaults
from infra.sandbox.exchange.messages import Json, encode
from infra.sandbox.exchange.pump import Pump
from infra.sandbox.exchange.rest import Meter, RestApi
from infra.sandbox.exchange.socket_faults import SocketFaults
from infra.sandbox.exchange.streams import Endpoint, find_stream
from infra.sandbox.market.source import MarketSource

log = logging.getLogger(__name__)

PING_SECONDS = 20.0
_STOP_SECONDS = 0.2
_LARGEST_REQUEST = 64 * 1024


class Request(msgspec.Struct):
    """What a client may ask over its WebSocket."""

    method: str
    id: int | str | None = None
    params: list[str] = []


class SandboxExchange:
    """`start` opens the port, `run` moves the market until cancelled, `stop` closes everything."""

    def __init__(
        self, market: MarketSource, clocks: Clocks, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._market = market
        self._host = host
        self._port = port
        frame_faults = FrameFaults(self._has_stream)
        self._listeners = Listeners(frame_faults)
        self._pump = Pump(market, self._listeners, clocks)
        self.faults = ExchangeFaults(frame_faults, self._listeners, clocks.wall, self._pump.now_ms)
        self._runner = web.AppRunner(
            self._application(clocks), access_log=None, shutdown_timeout=_STOP_SECONDS
        )

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = int(self._runner.addresses[0][1])
        log.info("sandbox exchange listens", extra={"host": self._host, "port": self._port})

    async def run(self) -> None:
        """Move the market and feed the listeners until cancelled; the Supervisor keeps this."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pump.run())
            tasks.create_task(self.faults.run())

    async def stop(self) -> None:
        """Close every connection and the port."""
        self.faults.clear()
        goodbyes = [connection.close() for connection in self._listeners.connections]
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.gather(*goodbyes)
        except TimeoutError:
            log.info("clients left without a goodbye", extra={"clients": len(goodbyes)})
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._port

    @property
    def rest_base(self) -> str:
        """Base of `/api/v3/…` (spot) and `/fapi/v1/…` (futures)."""
        return f"http://{self._host}:{self._port}"

    @property
    def spot_ws_base(self) -> str:
        """Base of `/ws/<stream>` and `/stream?streams=` for spot."""
        return f"ws://{self._host}:{self._port}"

    @property
    def futures_market_ws_base(self) -> str:
        """The same for futures aggTrade and kline."""
        return self.spot_ws_base + Endpoint.FUTURES_MARKET

    @property
    def futures_public_ws_base(self) -> str:
        """The same for futures depth and bookTicker."""
        return self.spot_ws_base + Endpoint.FUTURES_PUBLIC

    def _has_stream(self, name: str) -> bool:
        return any(find_stream(self._market, endpoint, name) for endpoint in Endpoint)

    def _application(self, clocks: Clocks) -> web.Application:
        application = web.Application(middlewares=[self.faults.http.answer])
        meter = Meter(clocks)
        for market_class in MarketClass:
            api = RestApi(self._market, clocks, market_class, meter)
            application.add_routes(api.routes())
        for endpoint in Endpoint:
            room = StreamRoom(self._market, self._listeners, endpoint, self.faults.sockets)
            application.add_routes(
                [
                    web.get(f"{endpoint}/ws", room.raw),
                    web.get(f"{endpoint}/ws/{{names:.+}}", room.raw),
                    web.get(f"{endpoint}/stream", room.combined),
                ]
            )
        return application


class StreamRoom:
    """The WebSocket side of one endpoint."""

    def __init__(
        self,
        market: MarketSource,
        listeners: Listeners,
        endpoint: Endpoint,
        faults: SocketFaults,
    ) -> None:
        self._market = market
        self._listeners = listeners
        self._endpoint = endpoint
        self._faults = faults

    async def raw(self, request: web.Request) -> web.WebSocketResponse:
        """`/ws/<stream>[/<stream>…]`: payloads as they are."""
        return await self._serve(request, request.match_info.get("names", ""), combined=False)

    async def combined(self, request: web.Request) -> web.WebSocketResponse:
        """`/stream?streams=a/b`: payloads wrapped with their stream's name."""
        return await self._serve(request, request.query.get("streams", ""), combined=True)

    async def _serve(
        self, request: web.Request, names: str, *, combined: bool
    ) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            heartbeat=PING_SECONDS, compress=False, max_msg_size=_LARGEST_REQUEST
        )
        await self._faults.door()
        await socket.prepare(request)
        connection = Connection(socket, request.transport, combined=combined)
        self._listeners.join(connection)
        for name in filter(None, names.split("/")):
            self._subscribe(connection, name)
        self._faults.welcome(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.write())
                await self._read(socket, connection)
                connection.finish()
        finally:
            self._listeners.leave(connection)
        return socket

    async def _read(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                connection.offer(encode(self._answer(connection, message.data)))

    def _answer(self, connection: Connection, text: str) -> Json:
        try:
            asked = msgspec.json.decode(text, type=Request)
        except msgspec.ValidationError as e:
            return {"code": 2, "msg": f"Invalid request: {e}"}
        except msgspec.DecodeError as e:
            return {"code": 3, "msg": f"Invalid JSON: {e}"}
        if asked.method == "LIST_SUBSCRIPTIONS":
            return {"result": list(connection.names), "id": asked.id}
        if asked.method == "SUBSCRIBE":
            for name in asked.params:
                self._subscribe(connection, name)
        elif asked.method == "UNSUBSCRIBE":
            for name in asked.params:
                self._listeners.unsubscribe(connection, name)
        else:
            return {"code": 2, "msg": f"Invalid request: unknown variant `{asked.method}`"}
        return {"result": None, "id": asked.id}

    def _subscribe(self, connection: Connection, name: str) -> None:
        stream = find_stream(self._market, self._endpoint, name)
        self._listeners.subscribe(connection, name, stream)
