"""The control interface: what the page and the tests do on behalf of people, as JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from infra.sandbox.fault_switch import FaultSwitches
from infra.sandbox.telegram.entities import TEXT_LIMIT, format_text
from infra.sandbox.telegram.faults import ControlError
from infra.sandbox.telegram.markup import plain_rows
from infra.sandbox.telegram.rooms import Room
from infra.sandbox.telegram.view import chat_view, page_view
from infra.sandbox.telegram.wire import (
    CallbackQuery,
    InaccessibleMessage,
    InlineButton,
    Message,
    Shape,
    to_raw,
)
from infra.sandbox.telegram.world import World

HEARTBEAT_SECONDS = 15.0
LONGEST_TEXT = 20_000
MOST_TAPS = 100
FASTEST = 1000.0

T = TypeVar("T")
Venue = Callable[[], Awaitable[Mapping[str, object]]]
SetSpeed = Callable[[float], None]


class TextBody(Shape, frozen=True, kw_only=True):
    """Body of `POST /api/chats/{user}/messages`."""

    text: str


class TapBody(Shape, frozen=True, kw_only=True):
    """Body of `POST /api/chats/{user}/taps`: the button by its data or by its text."""

    message_id: int
    data: str | None = None
    text: str | None = None
    times: int = 1


class SpeedBody(Shape, frozen=True, kw_only=True):
    """Body of `POST /api/clock`."""

    speed: float


class ControlApi:
    """Serves `/api/…`; faults of a request become `{"error": reason}`."""

    def __init__(
        self, world: World, venue: Venue, set_speed: SetSpeed, faults: FaultSwitches
    ) -> None:
        self._world = world
        self._venue = venue
        self._set_speed = set_speed
        self._faults = faults
        self._speed = 1.0
        self._closing = False

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Take over the control interface's paths."""
        router.add_get("/api/health", self._health)
        router.add_get("/api/chats/{user}", self._chat)
        router.add_post("/api/chats/{user}/messages", self._say)
        router.add_post("/api/chats/{user}/taps", self._tap)
        router.add_get("/api/page/{user}", self._page)
        router.add_get("/api/stream/{user}", self._stream)
        router.add_get("/api/photos/{id}", self._photo)
        router.add_get("/api/documents/{id}", self._document)
        router.add_get("/api/venue", self._show_venue)
        router.add_get("/api/faults", self._show_faults)
        router.add_post("/api/faults", self._set_faults)
        router.add_delete("/api/faults", self._clear_faults)
        router.add_post("/api/clock", self._clock)

    def close(self) -> None:
        """Let every stream end now."""
        self._closing = True
        for room in self._world.rooms.all():
            room.bell.ring()

    async def _health(self, request: web.Request) -> web.Response:
        bot = f"@{self._world.bot.username}"
        return _json({"ready": self._world.updates.polled, "bot": bot, "mode": "sandbox"})

    async def _chat(self, request: web.Request) -> web.Response:
        return _json(chat_view(self._world, self._room(request)))

    async def _page(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdigit():
            raise ControlError(400, "since must be a whole number")
        return _json(page_view(self._world, self._room(request), int(since), self._speed))

    async def _say(self, request: web.Request) -> web.Response:
        room = self._room(request)
        text = (await _body(request, TextBody)).text.strip()
        if not text:
            raise ControlError(400, "the text is empty")
        if len(text) > LONGEST_TEXT:
            raise ControlError(400, f"the text is longer than {LONGEST_TEXT} characters")
        parts = [format_text(part, None, None) for part in split_text(text)]
        update_ids = [self._world.person_says(room, part) for part in parts if part.text]
        await self._world.store.flush()
        return _json({"update_id": update_ids[0]})

    async def _tap(self, request: web.Request) -> web.Response:
        room = self._room(request)
        body = await _body(request, TapBody)
        if not 1 <= body.times <= MOST_TAPS:
            raise ControlError(400, f"times must be between 1 and {MOST_TAPS}")
        data = body.data if body.data is not None else _button_data(room, body)
        times = body.times * (2 if self._world.faults.hits("new_update_id") else 1)
        update_ids = [self._queue_tap(room, body.message_id, data) for _ in range(times)]
        await self._world.store.flush()
        return _json({"update_id": update_ids[0], "update_ids": update_ids})

    def _queue_tap(self, room: Room, message_id: int, data: str) -> int:
        updates = self._world.updates
        chat = room.person.chat
        message = room.messages.get(message_id) or InaccessibleMessage(
            chat=chat, message_id=message_id, date=0
        )
        query = CallbackQuery(
            id=f"{room.person.user_id}{updates.next_id}",
            from_=room.person.user,
            message=to_raw(message),
            chat_instance=str(room.person.user_id),
            data=data,
        )
        update_id = updates.add(callback_query=query)
        self._world.taps.open(query.id, room.person.user_id, update_id)
        return update_id

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        room = self._room(request)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        told = -1
        while not self._closing:
            if room.revision != told:
                told = room.revision
                await response.write(b"data: changed\n\n")
                continue
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await room.bell.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
        return response

    async def _photo(self, request: web.Request) -> web.Response:
        return await self._file(request, {"Cache-Control": "private, max-age=31536000, immutable"})

    async def _document(self, request: web.Request) -> web.Response:
        return await self._file(request, {"Content-Disposition": "attachment"})

    async def _file(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        kept = self._world.files.find(request.match_info["id"])
        content = await self._world.files.read(kept) if kept is not None else None
        if kept is None or content is None:
            raise ControlError(404, "this file is no longer kept")
        return web.Response(body=content, content_type=kept.media_type, headers=headers)

    async def _show_venue(self, request: web.Request) -> web.Response:
        return _json(await self._venue())

    async def _show_faults(self, request: web.Request) -> web.Response:
        return _json(self._faults.active())

    async def _set_faults(self, request: web.Request) -> web.Response:
        orders = await _body(request, dict[str, object])
        try:
            self._faults.set(orders)
        except ValueError as e:
            raise ControlError(400, str(e)) from e
        return _json(self._faults.active())

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return _json({})

    async def _clock(self, request: web.Request) -> web.Response:
        speed = (await _body(request, SpeedBody)).speed
        if not 0 < speed <= FASTEST:
            raise ControlError(400, f"speed must be above 0 and at most {FASTEST:g}")
        self._set_speed(speed)
        self._speed = speed
        for room in self._world.rooms.all():
            self._world.rooms.show(room)
        return _json({"speed": speed})

    def _room(self, request: web.Request) -> Room:
        name = request.match_info["user"]
        room = self._world.rooms.by_name(name)
        if room is None:
            known = ", ".join(r.person.name for r in self._world.rooms.all())
            raise ControlError(404, f"nobody here is called {name}; there are {known}")
        return room


def split_text(text: str) -> list[str]:
    """Cut a long text where Telegram's own clients do: after 4096 characters."""
    return [text[start : start + TEXT_LIMIT] for start in range(0, len(text), TEXT_LIMIT)]


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals and unknown paths of `/api` into `{"error": reason}`."""
    try:
        return await handler(request)
    except ControlError as e:
        return _json({"error": e.reason}, e.status)
    except web.HTTPException as e:
        if not request.path.startswith("/api"):
            raise
        return _json({"error": e.reason}, e.status)


def _button_data(room: Room, body: TapBody) -> str:
    if body.text is None:
        raise ControlError(400, "name the button by its data or its text")
    message = room.messages.get(body.message_id)
    if message is None:
        raise ControlError(400, f"there is no message {body.message_id} in this chat")
    button = _find_button(message, body.text)
    if button.callback_data is None:
        raise ControlError(400, f"the button {body.text!r} sends nothing to the bot")
    return button.callback_data


def _find_button(message: Message, text: str) -> InlineButton:
    buttons = [button for row in plain_rows(message.reply_markup) for button in row]
    for button in buttons:
        if button.text == text:
            return button
    known = ", ".join(repr(button.text) for button in buttons) or "none"
    raise ControlError(
        400, f"message {message.message_id} has no button {text!r}; its buttons: {known}"
    )


async def _body(request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as e:
        raise ControlError(400, f"the request cannot be read: {e}") from e


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
