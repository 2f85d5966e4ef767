"""A stranger with the right link becomes the owner; everybody else stays a stranger."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
from aiogram.methods import SendMessage

from bot.pairing_gate import nobody_pairs
from bot.polling import Polling
from bot.preflight import guard_bot, meet_telegram
from core.engine.pairing_desk import PairingDesk
from core.model.people import Role
from core.risk.trading_state import TradingState
from db.connection import Journal
from infra.pairing_terminal import PairingTerminal
from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.sandbox.telegram.server import SandboxTelegram
from infra.tokens import SystemTokens
from tests.support.bot_api_stub import TOKEN, bot_at
from tests.support.bot_desk import STRANGER, ChatDesk
from tests.support.real_clock import RealClock

NEUTRAL = "This is a private trading desk."
GROUP = {"id": -5, "type": "supergroup", "title": "g"}


@dataclass
class Scene:
    """A chat desk whose people are in a real journal that has no owner."""

    desk: ChatDesk
    journal: Journal
    said: list[str] = field(default_factory=list)

    async def open(self) -> None:
        terminal = PairingTerminal(self.said.append)
        terminal.bot_name = "my_desk_bot"
        pairing = PairingDesk(
            store=self.journal.pairing, tokens=SystemTokens(), wall=self.desk.wall,
            terminal=terminal,
        )  # fmt: skip
        self.desk.services = replace(
            self.desk.services, users=self.journal.users, pair=pairing.claim
        )
        self.desk.restart()
        await pairing.open()

    @property
    def code(self) -> str:
        """The newest code on the terminal."""
        return self.said[-1].split("?start=pair_")[1].split()[0]


@pytest.fixture
async def scene(desk: ChatDesk, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Journal.open(tmp_path / "journal.sqlite", "paper", desk.wall) as journal:
        made = Scene(desk, journal)
        await made.open()
        yield made


async def test_terminal_shows_the_link_and_what_to_do(scene: Scene) -> None:
    (text,) = scene.said
    assert f"  https://t.me/my_desk_bot?start=pair_{scene.code}\n" in text
    assert "tap Start" in text
    assert "10 minutes" in text


async def test_right_link_makes_the_owner_and_greets(scene: Scene) -> None:
    await scene.desk.text(f"/start pair_{scene.code}", user=STRANGER)

    person = await scene.journal.users.get(STRANGER)
    assert person is not None
    assert (person.role, person.name, person.subscribed) == (Role.OWNER, "U", True)
    assert scene.desk.session.texts()[0].startswith("👋 Welcome to Tapedesk.")
    assert NEUTRAL not in scene.desk.session.texts()
    assert scene.said[-1] == "Paired with U."


async def test_used_link_is_an_ordinary_start_for_the_owner_and_nothing_for_others(
    scene: Scene,
) -> None:
    code = scene.code
    await scene.desk.text(f"/start pair_{code}", user=STRANGER)
    said = len(scene.desk.session.texts())
    await scene.desk.text(f"/start pair_{code}", user=901)
    assert scene.desk.session.texts()[said:] == [NEUTRAL]
    await scene.desk.text(f"/start pair_{code}", user=STRANGER)
    assert scene.desk.session.texts()[said + 1].startswith("👋")
    assert len(await scene.journal.users.all()) == 1


@pytest.mark.parametrize(
    "text",
    ["/start", "/start pair_", "/start pair_short", "/start pair_" + "A" * 32, "/start 12", "hi"],
)
async def test_everything_else_gets_the_neutral_line(scene: Scene, text: str) -> None:
    await scene.desk.text(text, user=STRANGER)
    assert scene.desk.session.texts() == [NEUTRAL]
    assert await scene.journal.users.all() == ()


async def test_expired_link_gets_the_neutral_line(scene: Scene) -> None:
    code = scene.code
    scene.desk.wall.tick(600)
    await scene.desk.text(f"/start pair_{code}", user=STRANGER)
    assert scene.desk.session.texts() == [NEUTRAL]


async def test_link_in_a_group_pairs_nobody(scene: Scene) -> None:
    await scene.desk.text(f"/start pair_{scene.code}", user=STRANGER, chat=GROUP)
    assert await scene.journal.users.all() == ()
    assert scene.desk.session.texts() == []


async def test_of_two_who_open_the_link_at_once_one_is_greeted(scene: Scene) -> None:
    text = f"/start pair_{scene.code}"
    await asyncio.gather(*(scene.desk.text(text, user=user) for user in (STRANGER, 901)))
    (owner,) = await scene.journal.users.all()
    (neutral,) = [call for call in scene.desk.session.of(SendMessage) if call.text == NEUTRAL]
    assert {owner.user_id, neutral.chat_id} == {STRANGER, 901}


async def test_flood_of_tries_is_judged_ten_times_a_minute_at_most(scene: Scene) -> None:
    asked: list[str] = []

    async def count(code: str, user_id: int, name: str) -> bool:
        asked.append(code)
        return await nobody_pairs(code, user_id, name)

    scene.desk.services = replace(scene.desk.services, pair=count)
    scene.desk.restart()
    for _ in range(40):
        await scene.desk.text("/start pair_" + "A" * 32, user=STRANGER)
    assert len(asked) == 10


async def _venue() -> dict[str, object]:
    return {}


async def test_whole_way_from_token_to_owner_over_http(scene: Scene, tmp_path: Path) -> None:
    wall = RealClock()
    telegram = SandboxTelegram(
        token=TOKEN, bot_name="my_desk_bot", users=SANDBOX_USERS, wall=wall, venue=_venue,
        set_speed=lambda speed: None, data_dir=tmp_path, port=0,
    )  # fmt: skip
    await telegram.start()
    async with bot_at(telegram.base_url) as bot, aiohttp.ClientSession() as people:
        link = await guard_bot(bot, TradingState(), wall, scene.said.append)

        async def ready() -> None:
            await meet_telegram(bot, scene.said.append)

        polling = Polling(bot, scene.desk.dispatcher, ready)
        task = asyncio.create_task(polling.run())
        url = f"{telegram.base_url}/api/chats/stranger"
        await people.post(f"{url}/messages", json={"text": f"/start pair_{scene.code}"})
        async with asyncio.timeout(5):
            while not (messages := await said_to(people, url)):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
        await polling.stop()
        await task
    await telegram.stop()
    assert messages[0].startswith("👋 Welcome to Tapedesk.")
    assert scene.said[-1] == "Paired with Sam."
    assert link.ok


async def said_to(people: aiohttp.ClientSession, url: str) -> list[str]:
    async with people.get(url) as answer:
        chat = await answer.json()
    return [message["text"] for message in chat["messages"] if message["from"] == "bot"]
