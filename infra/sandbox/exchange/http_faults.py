"""Faults of HTTP: refusals, slowness and wrong answers, of REST and of the way to a WebSocket."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from infra.sandbox.fault_switch import FaultOrder

TRICKLE_SECONDS = 0.25
"""Between two bytes of a slow answer."""
LONGEST_WAIT_SECONDS = 3 * 86_400.0
_WALL = b"<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>"
_TROUBLE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_TOO_MANY = b'{"code":-1003,"msg":"Too many requests; please use the websocket for live updates."}'
_BANNED = b'{"code":-1003,"msg":"Way too many requests; IP banned. Please use the websocket."}'
_ELSEWHERE = b'{"code":0,"msg":"Service unavailable from a restricted location."}'

Answer = Callable[[], web.Response]


class HttpFaults:
    """An aiohttp middleware and its faults; sockets already open are not touched."""

    known: Mapping[str, Sequence[str]] = {
        "http_429": ("retry_after",),
        "http_418": ("retry_after",),
        "http_451": (),
        "http_403_html": (),
        "http_5xx": ("status",),
        "slow_http": (),
        "wrong_schema": (),
        "empty_lists": (),
    }

    def __init__(self) -> None:
        self._refusals: dict[str, Answer] = {}
        self._falsehoods: dict[str, bytes] = {}
        self._brisk = asyncio.Event()
        self._brisk.set()
        self.fired: Counter[str] = Counter()

    def start(self, order: FaultOrder) -> None:
        """Answer wrongly from now on; raises InvalidValueError."""
        if order.name == "slow_http":
            self._brisk.clear()
        elif order.name in _FALSEHOODS:
            self._falsehoods[order.name] = _FALSEHOODS[order.name]
        else:
            self._refusals[order.name] = _refusal(order)

    def stop(self, name: str) -> None:
        """Answer properly again; a slow answer on its way is finished at once."""
        if name == "slow_http":
            self._brisk.set()
        self._falsehoods.pop(name, None)
        self._refusals.pop(name, None)

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every request passes here."""
        for name, refuse in self._refusals.items():
            self.fired[name] += 1
            return refuse()
        self.fired["slow_http"] += not self._brisk.is_set()
        if "Sec-WebSocket-Key" in request.headers:
            await self._brisk.wait()
            return await handler(request)
        for name, body in self._falsehoods.items():
            self.fired[name] += 1
            return web.Response(body=body, content_type="application/json")
        given = await handler(request)
        return given if self._brisk.is_set() else await self._trickle(request, given)

    async def _trickle(self, request: web.Request, given: web.StreamResponse) -> web.StreamResponse:
        body = given.body if isinstance(given, web.Response) else None
        left = body if isinstance(body, bytes) else b""
        slow = web.StreamResponse(status=given.status, headers={"Content-Type": "application/json"})
        await slow.prepare(request)
        while left and not self._brisk.is_set():
            await slow.write(left[:1])
            left = left[1:]
            try:
                async with asyncio.timeout(TRICKLE_SECONDS):
                    await self._brisk.wait()
            except TimeoutError:
                continue
        if left:
            await slow.write(left)
        return slow


_FALSEHOODS = {
    "wrong_schema": b'{"result":{"rows":[{"unexpected":true}]},"version":9}',
    "empty_lists": b"[]",
}


def _refusal(order: FaultOrder) -> Answer:
    status, body, kind = _REFUSALS[order.name]
    headers = {}
    if order.name in _WAITS:
        wait = order.number("retry_after", _WAITS[order.name], 0, LONGEST_WAIT_SECONDS)
        headers["Retry-After"] = f"{wait:.0f}"
    if order.name == "http_5xx":
        status = int(order.number("status", status, 500, 599))
    return lambda: web.Response(status=status, body=body, headers=headers, content_type=kind)


_WAITS = {"http_429": 5.0, "http_418": 120.0}
_REFUSALS = {
    "http_429": (429, _TOO_MANY, "application/json"),
    "http_418": (418, _BANNED, "application/json"),
    "http_451": (451, _ELSEWHERE, "application/json"),
    "http_403_html": (403, _WALL, "text/html"),
    "http_5xx": (502, _TROUBLE, "text/html"),
}
