"""The desk's chat side over HTTP: the real sandbox Telegram, bot, dispatcher, outbox and sender."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.dispatcher import build_dispatcher
from bot.middlewares import AccessMiddleware
from bot.outbox_sender import OutboxSender
from bot.polling import Polling
from bot.preflight import guard_bot, meet_telegram
from bot.services import Services
from bot.telegram_link import TelegramLink
from bot.texts_health import health
from core.clock import Clocks
from core.event_bus import EventBus
from core.model.chart import ChartRequest
from core.model.events import NoticesQueued
from core.model.notice import Notice, NoticePriority, NoticeTopic
from core.model.people import Role
from core.model.report import HealthReport
from core.risk.trading_state import RECONCILIATION, TradingState
from core.supervisor import Supervisor
from db.connection import Journal
from handlers.routers import create_routers
from infra.sandbox.telegram.people import SandboxUser
from infra.sandbox.telegram.server import SandboxTelegram
from infra.sandbox.telegram.wire import CallbackQuery, Message, to_raw
from tests.support.bot_desk import OWNER, STRANGER, VIEWER, ChatDesk, Told, ToldServices, health_of
from tests.support.real_clock import RealClock

TOKEN = "4242:sandbox-token"
PEOPLE = (
    SandboxUser(name="owner", user_id=OWNER, first_name="Olivia"),
    SandboxUser(name="viewer", user_id=VIEWER, first_name="Vera"),
    SandboxUser(name="stranger", user_id=STRANGER, first_name="Sam"),
)
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 40, 30)


class QuickSession(AiohttpSession):
    """aiogram's own session without its quarter second of waiting after the close."""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class PicturingServices(ToldServices):
    """Charts that the sandbox takes."""

    async def candles(self, request: ChartRequest) -> bytes:
        return PNG


class ErrorLog(logging.Handler):
    """Everything logged as an error, by anybody."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take note."""
        self.texts.append(self.format(record))


class FaultyChat:
    """A running chat; the clock runs `speed` times as fast as real time."""

    def __init__(self, server: SandboxTelegram, client: aiohttp.ClientSession, bot: Bot) -> None:
        self.server, self.client, self.bot = server, client, bot
        self.said: list[str] = []
        self.errors = ErrorLog()
        self.state = TradingState()
        self.bus = EventBus()
        self.told = Told()
        self.wall: RealClock
        self.journal: Journal
        self.services: Services
        self.supervisor: Supervisor
        self.polling: Polling
        self.access: AccessMiddleware
        self.link: TelegramLink
        self._keys = 0

    # Telegram.

    async def misbehave(self, name: str, **parameters: object) -> None:
        """Switch a fault on, through the control interface."""
        order = {"telegram": {"name": name, **parameters}}
        async with self.client.post("/api/faults", json=order) as answer:
            assert answer.status == 200, await answer.text()

    async def behave(self) -> None:
        """All faults off."""
        async with self.client.delete("/api/faults") as answer:
            assert answer.status == 200

    def fired(self, name: str) -> int:
        """How often a fault did something."""
        return self.server.faults.fired[name]

    async def say(self, text: str, user: str = "owner") -> None:
        """A person writes."""
        async with self.client.post(f"/api/chats/{user}/messages", json={"text": text}) as answer:
            assert answer.status == 200, await answer.text()

    async def tap(self, message_id: int, data: str, user: str = "owner") -> None:
        """A person taps."""
        body = {"message_id": message_id, "data": data}
        async with self.client.post(f"/api/chats/{user}/taps", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def chat(self, user: str = "owner") -> dict[str, Any]:
        """What a person sees."""
        async with self.client.get(f"/api/chats/{user}") as answer:
            seen: dict[str, Any] = await answer.json()
            return seen

    async def texts(self, user: str = "owner") -> list[str]:
        """What the bot has said to a person."""
        messages = (await self.chat(user))["messages"]
        return [m["text"] or m["caption"] for m in messages if m["from"] == "bot"]

    async def sees(
        self, condition: Callable[[list[str]], object], what: str, user: str = "owner"
    ) -> float:
        """Wait for what the bot says; the clock seconds it took."""
        began = self.wall.monotonic()
        deadline = asyncio.get_running_loop().time() + 10
        while not condition(texts := await self.texts(user)):
            late = asyncio.get_running_loop().time() > deadline
            assert not late, f"never {what}: {texts}, {self.errors.texts}"
            await asyncio.sleep(0.01)
        return self.wall.monotonic() - began

    async def eventually(self, condition: Callable[[], object], what: str) -> float:
        """Wait; the clock seconds it took."""

        def holds(texts: list[str]) -> object:
            return condition()

        return await self.sees(holds, what)

    async def answers(self) -> float:
        """The owner asks for /health and is answered; the clock seconds it took."""
        before = len(await self.texts())
        await self.say("/health")
        return await self.sees(
            lambda texts: any("Health" in text for text in texts[before:]), "an answer"
        )

    def flood(self, count: int, user: str = "stranger") -> None:
        """So many updates of one person at once: texts, and every tenth a tap."""
        world = self.server._world
        room = world.rooms.by_name(user)
        assert room is not None
        person = room.person
        for number in range(count):
            message = Message(
                message_id=number + 1, date=world.now(), chat=person.chat, from_=person.user,
                text=f"buy {number}",
            )  # fmt: skip
            if number % 10:
                world.updates.add(message=message)
                continue
            query = CallbackQuery(
                id=f"flood{number}", from_=person.user, message=to_raw(message),
                chat_instance="1", data="s:x:1:1",
            )  # fmt: skip
            world.taps.open(query.id, person.user_id, world.updates.next_id)
            world.updates.add(callback_query=query)

    # The desk.

    async def tell(
        self,
        text: str,
        priority: NoticePriority = NoticePriority.MONEY,
        life: float | None = None,
    ) -> None:
        """Queue a notice for every subscribed chat."""
        await self.queue(NoticeTopic.TEXT, 1, priority, text, life)

    async def queue(
        self,
        topic: NoticeTopic,
        subject_id: int = 1,
        priority: NoticePriority = NoticePriority.SIGNAL,
        text: str | None = None,
        life: float | None = None,
    ) -> None:
        """Queue any notice."""
        self._keys += 1
        notice = Notice(
            key=f"test-{self._keys}", topic=topic, subject_id=subject_id, priority=priority,
            text=text, time_to_live=None if life is None else timedelta(seconds=life),
        )  # fmt: skip
        now = self.wall.utc_now()
        await self.journal.outbox.queue([notice], now)
        self.bus.publish(NoticesQueued(at=now))

    async def health_line(self) -> str:
        """What /health would say of Telegram now."""
        text = health(await self.report()).render()[0]
        return next(line for line in text.splitlines() if "Telegram:" in line)

    async def report(self) -> HealthReport:
        """For /health."""
        return health_of(
            telegram_ok=self.link.ok,
            telegram_detail=self.link.detail,
            outbox_waiting=await self.journal.outbox.waiting(),
        )

    async def outbox(self, columns: str = "text, state") -> list[tuple[Any, ...]]:
        """The rows of the outbox, oldest first."""
        rows = await self.journal.outbox._database.fetch_all(
            f"SELECT {columns} FROM outbox ORDER BY id"
        )
        return [tuple(row) for row in rows]


def _services(chat: FaultyChat, desk: ChatDesk) -> Services:
    obedient: Any = PicturingServices(chat.told)
    clocks = Clocks(market=desk.market, wall=chat.wall)
    return replace(
        desk.services, clocks=clocks, analyst=obedient, charts=obedient, publisher=obedient,
        pipeline=obedient, closer=obedient, broker=obedient, outbox=chat.journal.outbox,
        users=chat.journal.users, health=chat.report, start_job=chat.supervisor.start_job,
    )  # fmt: skip


@asynccontextmanager
async def faulty_chat(
    folder: Path, desk: ChatDesk, *, speed: float = 20.0, request_seconds: float = 15.0
) -> AsyncIterator[FaultyChat]:
    """A chat whose bot polls; at the end nothing may have escaped."""
    wall = RealClock(speed)

    async def venue() -> dict[str, object]:
        return {}

    server = SandboxTelegram(
        token=TOKEN, bot_name="desk_bot", users=PEOPLE, wall=wall, venue=venue,
        set_speed=lambda speed: None, data_dir=folder / "telegram", port=0,
    )  # fmt: skip
    await server.start()
    bot = Bot(TOKEN, session=QuickSession(api=TelegramAPIServer.from_base(server.base_url)))
    async with (
        aiohttp.ClientSession(server.base_url) as client,
        Journal.open(folder / "journal.sqlite3", "sandbox", wall) as journal,
    ):
        chat = FaultyChat(server, client, bot)
        chat.wall, chat.journal = wall, journal
        chat.state.release(RECONCILIATION)
        chat.supervisor = Supervisor(wall, chat.bus)
        for user_id, role in ((OWNER, Role.OWNER), (VIEWER, Role.VIEWER)):
            await journal.users.save(user_id, role, "x", wall.utc_now())
            await journal.users.subscribe(user_id, True)
        chat.services = _services(chat, desk)
        logging.getLogger().addHandler(chat.errors)
        try:
            await _open(chat, request_seconds)
            yield chat
            for part in chat.supervisor.components.values():
                assert (part.running, part.restarts, part.last_error) == (True, 0, None)
        finally:
            logging.getLogger().removeHandler(chat.errors)
            await chat.polling.stop()
            await chat.supervisor.stop()
            await bot.session.close()
            await server.stop()


async def _open(chat: FaultyChat, request_seconds: float) -> None:
    bot, keep = chat.bot, chat.supervisor.keep
    chat.link = await guard_bot(bot, chat.state, chat.wall, chat.said.append)
    bot.session.timeout = request_seconds

    async def greet() -> None:
        await meet_telegram(bot, chat.said.append)

    dispatcher = build_dispatcher(chat.services, create_routers())
    chat.access = next(
        part for part in dispatcher.update.outer_middleware if isinstance(part, AccessMiddleware)
    )
    chat.polling = Polling(bot, dispatcher, greet)
    keep("telegram", chat.polling.run)
    mailbox = chat.bus.mailbox(NoticesQueued)
    keep("outbox", OutboxSender(bot, chat.services, mailbox, chat.link).run)
    await chat.eventually(lambda: chat.link.ok, "a connection")
