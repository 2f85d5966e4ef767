"""Asks Binance: does it serve this computer, and does this computer's clock agree with it?"""

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import msgspec
from websockets.exceptions import WebSocketException

from core.clock import Clock, from_millis
from infra.binance.binance_stream import open_socket
from infra.binance.reconnect import Failure, classify
from infra.doctor.finding import Finding, failure, good, warning

CLOCK_SLACK = timedelta(seconds=1)
CLOCK_LIMIT = timedelta(seconds=30)
BLOCKED = (HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS, HTTPStatus.FORBIDDEN)


class _ServerTime(msgspec.Struct, frozen=True):
    serverTime: int  # noqa: N815 (the venue's own name)


_server_time = msgspec.json.Decoder(_ServerTime)


async def check_clock(
    session: aiohttp.ClientSession, bases: tuple[str, ...], wall: Clock
) -> Finding:
    """The spot history's address (or its fallback) answers, and its time is ours."""
    for base in bases:
        before = wall.utc_now()
        try:
            async with session.get(f"{base}/api/v3/time") as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, OSError):
            return failure("history", f"no answer from {_host(base)}; check the network")
        if status in BLOCKED:
            continue
        try:
            server = from_millis(_server_time.decode(body).serverTime)
        except (msgspec.DecodeError, UnicodeDecodeError, OverflowError):
            return failure("history", f"{_host(base)} has trouble (HTTP {status})")
        middle = before + (wall.utc_now() - before) / 2
        return _judge_clock(middle - server, _host(base))
    return failure("history", "Binance blocks this region; no BTCUSD and EURUSD history")


def _judge_clock(offset: timedelta, host: str) -> Finding:
    seconds = offset.total_seconds()
    ahead = "ahead of" if seconds > 0 else "behind"
    text = f"this computer is {abs(seconds):.1f} s {ahead} {host}"
    if abs(offset) <= CLOCK_SLACK:
        return good("clock", text)
    advice = "prices would look too old or too new: let the system set its clock by itself"
    worse = failure if abs(offset) > CLOCK_LIMIT else warning
    return worse("clock", f"{text}; {advice}")


async def check_spot_stream(bases: tuple[str, ...]) -> Finding:
    """The stream of BTCUSD, or its fallback."""
    first, *others = bases
    trouble = await _stream_trouble(first, "btcusdt@depth20@100ms")
    if trouble is None:
        return good("stream", f"prices arrive from {_host(first)}")
    if trouble.blocked:
        for base in others:
            if await _stream_trouble(base, "btcusdt@depth20@100ms") is None:
                found = f"{_host(first)} blocks this region; prices arrive from {_host(base)}"
                return good("stream", found)
    return failure("stream", f"{_host(first)}: {trouble.detail}")


async def check_futures_stream(base: str) -> Finding:
    """The stream of XAUUSD; it has no fallback."""
    trouble = await _stream_trouble(base, "xauusdt@depth20@100ms")
    if trouble is None:
        return good("gold", f"prices arrive from {_host(base)}")
    return warning("gold", f"XAUUSD: {trouble.detail}")


async def _stream_trouble(base: str, stream: str) -> Failure | None:
    """Why no frame came; None when one did."""
    try:
        async with open_socket(f"{base}/stream?streams={stream}") as socket:
            await socket.recv(decode=False)
    except (OSError, WebSocketException) as e:
        return classify(e)
    return None


def _host(base: str) -> str:
    return urlsplit(base).hostname or base
