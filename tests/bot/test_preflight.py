"""The token, the webhook, the second program, the outage: against a Bot API that misbehaves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramUnauthorizedError

from bot.preflight import be_patient, check_token, meet_telegram
from bot.telegram_link import LinkState, TelegramLink, Trouble, halt_entries_without
from core.errors import StartupRefusedError
from core.risk.trading_state import RECONCILIATION, TradingState
from tests.support.bot_api_stub import (
    BAD_GATEWAY,
    CONFLICT,
    HANG_UP,
    TOKEN,
    UNAUTHORIZED,
    BotApiStub,
    bot_api,
    bot_at,
)
from tests.support.clock import ManualClock
from tests.support.real_clock import RealClock

FAST = 2_000.0
"""A 30 s wait takes 15 ms."""


@dataclass
class Scene:
    """A bot, its link, and what the terminal said."""

    stub: BotApiStub
    bot: Bot
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wall = RealClock(FAST)
        self.link = TelegramLink(self.wall, self.said.append)

    def patient(self) -> None:
        be_patient(self.bot, self.link, self.wall)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with bot_api() as stub, bot_at(stub.base) as bot:
        yield Scene(stub, bot)


async def test_good_token_says_nothing(scene: Scene) -> None:
    await check_token(scene.bot, scene.link)
    scene.patient()
    me = await meet_telegram(scene.bot, scene.said.append)
    assert me.username == "my_desk_bot"
    assert scene.link.state is LinkState.CONNECTED
    assert scene.said == []
    polls = [form for method, form in scene.stub.calls if method == "getUpdates"]
    assert polls == [{"limit": "1", "timeout": "0"}]


async def test_refused_token_ends_the_start_with_the_line_to_mend(scene: Scene) -> None:
    scene.stub.then("getMe", UNAUTHORIZED)
    with pytest.raises(StartupRefusedError, match=r"mend TELEGRAM_BOT_TOKEN in \.env") as refused:
        await check_token(scene.bot, scene.link)
    assert TOKEN not in str(refused.value)
    assert scene.stub.called("getMe") == 1


async def test_token_of_no_bot_at_all_is_refused_too(scene: Scene) -> None:
    async with bot_at(scene.stub.base, "1:no-such-bot-0123456789012345678901") as bot:
        scene.stub.then("getMe", (404, {"ok": False, "error_code": 404, "description": "Not F"}))
        with pytest.raises(StartupRefusedError):
            await check_token(scene.bot, scene.link)
        # An unknown path of the stub answers 404 with a web page, as a wrong TELEGRAM__API_BASE.
        await check_token(bot, scene.link)
    assert scene.link.state is LinkState.UNREACHABLE


@pytest.mark.parametrize("reply", [BAD_GATEWAY, HANG_UP, (500, {"ok": False, "description": "x"})])
async def test_outage_at_the_start_is_told_once_and_waited_out(
    scene: Scene, reply: tuple[int, str]
) -> None:
    scene.stub.then("getMe", *[reply] * 6)
    scene.stub.then("getUpdates", *[reply] * 2)
    await check_token(scene.bot, scene.link)
    scene.patient()
    assert (await meet_telegram(scene.bot, scene.said.append)).username == "my_desk_bot"
    assert scene.stub.called("getMe") == 7
    first, second = scene.said
    assert first.startswith("Telegram cannot be reached yet (")
    assert first.endswith("The market and your positions are watched meanwhile; I keep trying.")
    assert second == "Telegram is connected."
    assert TOKEN not in first


async def test_nobody_listening_is_an_outage_too() -> None:
    said: list[str] = []
    link = TelegramLink(ManualClock(), said.append)
    async with bot_at("http://127.0.0.1:9") as bot:
        await check_token(bot, link)
    assert link.state is LinkState.UNREACHABLE
    assert link.detail == "no answer from Telegram"
    assert len(said) == 1


async def test_webhook_is_removed_without_losing_messages_and_said(scene: Scene) -> None:
    scene.stub.webhook = "https://old.example/secret-path"
    scene.patient()
    await meet_telegram(scene.bot, scene.said.append)
    assert scene.stub.webhook == ""
    (form,) = [form for method, form in scene.stub.calls if method == "deleteWebhook"]
    assert form == {"drop_pending_updates": "false"}
    (line,) = scene.said
    assert "webhook at old.example; I removed it" in line
    assert "secret-path" not in line


async def test_second_program_is_named_once_and_asked_again_after_half_a_minute(
    scene: Scene,
) -> None:
    scene.stub.then("getUpdates", CONFLICT, CONFLICT, CONFLICT)
    scene.patient()
    began = scene.wall.monotonic()
    await meet_telegram(scene.bot, scene.said.append)
    assert scene.wall.monotonic() - began >= 90
    first, second = scene.said
    assert "another program receives this bot's messages" in first
    assert "I keep trying every 30 s" in first
    assert second == "Telegram is connected."


async def test_token_revoked_while_running_is_loud_and_never_raises(scene: Scene) -> None:
    scene.patient()
    await meet_telegram(scene.bot, scene.said.append)
    scene.stub.then("getUpdates", *[UNAUTHORIZED] * 3)
    began = scene.wall.monotonic()
    poll = asyncio.create_task(scene.bot.get_updates(timeout=10))
    await poll
    assert scene.wall.monotonic() - began >= 180
    assert scene.said[0].startswith("TELEGRAM REFUSES THE BOT'S TOKEN")
    assert scene.said[1:] == ["Telegram is connected."]


def updates(*rows: dict[str, object]) -> tuple[int, dict[str, object]]:
    """An answer to getUpdates."""
    return 200, {"ok": True, "result": list(rows)}


def said(update_id: int) -> dict[str, object]:
    chat = {"id": 1, "type": "private"}
    return {"update_id": update_id, "message": {"message_id": 1, "date": 1, "chat": chat}}


def unreadable(update_id: int) -> dict[str, object]:
    return {"update_id": update_id, "callback_query": {"id": "1"}}


async def test_an_unreadable_update_does_not_keep_the_others_away(scene: Scene) -> None:
    scene.patient()
    scene.stub.then("getUpdates", updates(said(5), unreadable(6), said(7)))
    assert [update.update_id for update in await scene.bot.get_updates()] == [5, 7]
    assert scene.link.ok


async def test_updates_that_are_all_unreadable_are_confirmed_and_never_come_again(
    scene: Scene,
) -> None:
    scene.patient()
    scene.stub.then("getUpdates", updates(unreadable(5), unreadable(6)), updates(said(7)))
    assert [update.update_id for update in await scene.bot.get_updates(offset=5)] == [7]
    assert [form["offset"] for _, form in scene.stub.calls] == ["5", "7"]
    assert scene.said == []


async def test_an_answer_without_updates_is_an_outage(scene: Scene) -> None:
    scene.patient()
    scene.stub.then("getUpdates", (200, {"ok": True, "result": 5}), updates())
    assert await scene.bot.get_updates() == []
    assert scene.said[0].startswith("Telegram cannot be reached yet (Telegram has trouble")


async def test_after_trouble_short_polls_tell_at_once_that_it_is_over(scene: Scene) -> None:
    scene.patient()
    scene.stub.then("getUpdates", BAD_GATEWAY)
    await scene.bot.get_updates(timeout=10)
    assert [form.get("timeout", "0") for _, form in scene.stub.calls] == ["10", "0"]


async def test_health_speaks_of_the_last_trouble_for_an_hour(scene: Scene) -> None:
    wall = ManualClock()
    link = TelegramLink(wall, scene.said.append)
    link.connected()
    assert link.detail == "connected"
    link.troubled(Trouble(state=LinkState.UNREACHABLE, detail="no answer from Telegram"))
    wall.tick(12)
    link.connected()
    assert link.detail == ("connected; last trouble 13:00:00 UTC: no answer from Telegram for 12 s")
    link.noted("somebody has blocked the bot")
    assert link.detail.endswith("13:00:12 UTC: somebody has blocked the bot")
    wall.tick(3601)
    assert link.detail == "connected"


async def test_calls_with_effects_are_never_repeated(scene: Scene) -> None:
    scene.patient()
    scene.stub.then("sendMessage", UNAUTHORIZED)
    with pytest.raises(TelegramUnauthorizedError):
        await scene.bot.send_message(1, "x")
    assert scene.stub.called("sendMessage") == 1


def test_short_outage_of_a_working_link_is_not_told() -> None:
    wall, said = ManualClock(), list[str]()
    link = TelegramLink(wall, said.append)
    trouble = Trouble(state=LinkState.UNREACHABLE, detail="no answer from Telegram")
    link.connected()
    link.troubled(trouble)
    wall.tick(5)
    link.troubled(trouble)
    link.connected()
    assert said == []

    link.troubled(trouble)
    for _ in range(5):
        wall.tick(15)
        link.troubled(trouble)
    assert len(said) == 1
    assert said[0].startswith("Telegram cannot be reached (no answer")
    assert (link.ok, link.detail) == (False, "no answer from Telegram")
    link.connected()
    assert said[1:] == ["Telegram is connected."]


@pytest.mark.parametrize("bad", [LinkState.CONFLICT, LinkState.REFUSED])
def test_without_the_chat_to_itself_the_desk_opens_nothing(bad: LinkState) -> None:
    state = TradingState()
    state.release(RECONCILIATION)
    link = TelegramLink(ManualClock(), lambda text: None)
    halt_entries_without(link, state)
    link.connected()
    assert state.check("BTCUSD") is None

    link.troubled(Trouble(state=bad, detail="x"))
    refusal = state.check("BTCUSD")
    assert refusal is not None
    assert refusal.code.startswith("telegram_")

    link.troubled(Trouble(state=LinkState.UNREACHABLE, detail="x"))
    assert state.check("BTCUSD") is not None
    link.connected()
    assert state.check("BTCUSD") is None
