"""One client's WebSocket and the table of who listens to what."""

import asyncio
import logging
from collections import deque

from aiohttp import ClientConnectionResetError, WSMsgType, web

from infra.sandbox.exchange.frame_faults import FrameFaults
from infra.sandbox.exchange.messages import wrap
from infra.sandbox.exchange.streams import Stream

log = logging.getLogger(__name__)

QUEUE_LIMIT = 4_096
"""Frames a client may lag behind before it is cut off."""


class Connection:
    """A bounded queue of frames in front of one socket."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, *, combined: bool
    ) -> None:
        self._socket = socket
        self._transport = transport
        self.combined = combined
        self.names: dict[str, Stream | None] = {}
        """Subscriptions in order; None for names that will stay silent."""
        self._frames: deque[bytes] = deque()
        self._ready = asyncio.Event()
        self._closed = False
        self._frozen = False
        self._goodbye: tuple[int, str] | None = None

    def offer(self, frame: bytes) -> None:
        """Queue a frame; a client that cannot follow is cut off."""
        if self._closed or self._frozen:
            return
        if len(self._frames) >= QUEUE_LIMIT:
            log.warning("slow client cut off", extra={"frames": len(self._frames)})
            self.abort()
            return
        self._frames.append(frame)
        self._ready.set()

    def finish(self) -> None:
        """End `write`."""
        self._closed = True
        self._frames.clear()
        self._ready.set()

    def leave(self, code: int, reason: str) -> None:
        """End `write`, which then closes the socket with this code."""
        self._goodbye = (code, reason)
        self.finish()

    def abort(self) -> None:
        """End without a close frame."""
        self.finish()
        if self._transport is not None:
            self._transport.abort()

    def freeze(self) -> None:
        """Neither read nor write until `thaw`, as behind a dead line."""
        self._frozen = True
        self._frames.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def thaw(self) -> None:
        """Read and write again."""
        self._frozen = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def announce_shutdown(self, now_ms: int) -> None:
        """Tell the client that this connection will end soon."""
        notice = b'{"e":"serverShutdown","E":%d}' % now_ms
        self.offer(wrap("!serverShutdown", notice) if self.combined else notice)

    async def write(self) -> None:
        """Send queued frames until finished or the client is gone."""
        try:
            while not self._closed:
                await self._ready.wait()
                self._ready.clear()
                while self._frames:
                    await self._socket.send_frame(self._frames.popleft(), WSMsgType.TEXT)
            if self._goodbye is not None:
                code, reason = self._goodbye
                await self._socket.close(code=code, message=reason.encode())
        except (ClientConnectionResetError, ConnectionError):
            self.finish()

    async def close(self) -> None:
        """Say goodbye as a venue that goes away."""
        self.thaw()
        self.finish()
        await self._socket.close(code=1001, message=b"going away")


class Listeners:
    """Which connections listen to which streams."""

    def __init__(self, faults: FrameFaults) -> None:
        self._faults = faults
        self._by_stream: dict[Stream, set[Connection]] = {}
        self.connections: set[Connection] = set()

    def streams(self) -> tuple[Stream, ...]:
        """Streams that somebody listens to."""
        return tuple(self._by_stream)

    def join(self, connection: Connection) -> None:
        """A client has connected."""
        self.connections.add(connection)

    def leave(self, connection: Connection) -> None:
        """A client has gone."""
        for name in tuple(connection.names):
            self.unsubscribe(connection, name)
        self.connections.discard(connection)

    def subscribe(self, connection: Connection, name: str, stream: Stream | None) -> None:
        """Note a subscription; an unknown stream (None) is kept and stays silent."""
        connection.names[name] = stream
        if stream is not None:
            self._by_stream.setdefault(stream, set()).add(connection)

    def unsubscribe(self, connection: Connection, name: str) -> None:
        """Forget a subscription; a name never subscribed is ignored."""
        stream = connection.names.pop(name, None)
        if stream is None:
            return
        listening = self._by_stream[stream]
        listening.discard(connection)
        if not listening:
            del self._by_stream[stream]

    def publish(self, stream: Stream, payload: bytes) -> None:
        """Give a frame to everyone who listens to `stream`."""
        listening = self._by_stream.get(stream)
        if not listening:
            return
        for said in self._faults.payloads(stream, payload):
            wrapped = self._faults.frames(stream, wrap(stream.name, said))
            plain = self._faults.frames(stream, said)
            for connection in listening:
                for frame in wrapped if connection.combined else plain:
                    connection.offer(frame)
