"""A Bot API on this machine that answers what it is told, like the real one on a bad day."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web

TOKEN = "123456789:AAF-real-looking-token-0123456789abcd"
ME = {"id": 123456789, "is_bot": True, "first_name": "Desk", "username": "my_desk_bot"}
BAD_GATEWAY = (502, "<html><h1>502 Bad Gateway</h1></html>")
UNAUTHORIZED = (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
CONFLICT = (
    409,
    {
        "ok": False,
        "error_code": 409,
        "description": "Conflict: terminated by other getUpdates request; make sure that only one "
        "bot instance is running",
    },
)
HANG_UP = (0, "")

Reply = tuple[int, Any]


@dataclass
class BotApiStub:
    """Plays `plan[method]` first, then answers as if all were well."""

    plan: dict[str, deque[Reply]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    webhook: str = ""
    base: str = ""

    def then(self, method: str, *replies: Reply) -> None:
        """What the next calls of `method` get."""
        self.plan.setdefault(method, deque()).extend(replies)

    def called(self, method: str) -> int:
        """How often `method` was asked for."""
        return sum(name == method for name, _ in self.calls)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        method = request.match_info["method"]
        form = await request.post()
        self.calls.append((method, {key: str(value) for key, value in form.items()}))
        planned = self.plan.get(method)
        status, body = planned.popleft() if planned else (200, self._usual(method))
        if not status:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.json_response(body, status=status)

    def _usual(self, method: str) -> dict[str, Any]:
        results: dict[str, Any] = {
            "getMe": ME,
            "getUpdates": [],
            "getWebhookInfo": {
                "url": self.webhook, "has_custom_certificate": False, "pending_update_count": 3,
            },
        }  # fmt: skip
        if method == "deleteWebhook":
            self.webhook = ""
        return {"ok": True, "result": results.get(method, True)}


@asynccontextmanager
async def bot_api() -> AsyncIterator[BotApiStub]:
    """A running stub."""
    stub = BotApiStub()
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", stub.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stub.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()


@asynccontextmanager
async def bot_at(base: str, token: str = TOKEN) -> AsyncIterator[Bot]:
    """aiogram's own client, talking to `base`."""
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(base)))
    try:
        yield bot
    finally:
        await bot.session.close()
