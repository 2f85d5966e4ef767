"""The desk without an owner: a code on the terminal, renewed until somebody pairs."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.engine.pairing_desk import PairingDesk
from core.model.people import Role
from db.connection import Journal
from infra.tokens import SystemTokens
from tests.support.clock import START, ManualClock


@dataclass
class Terminal:
    """What the person at the terminal saw."""

    codes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def show(self, code: str, lifetime_minutes: int) -> None:
        assert lifetime_minutes == 10
        self.codes.append(code)

    def paired(self, name: str) -> None:
        self.names.append(name)


@dataclass
class Scene:
    """A desk over a real journal."""

    journal: Journal
    wall: ManualClock
    terminal: Terminal = field(default_factory=Terminal)

    def desk(self) -> PairingDesk:
        return PairingDesk(
            store=self.journal.pairing, tokens=SystemTokens(), wall=self.wall,
            terminal=self.terminal,
        )  # fmt: skip


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    wall = ManualClock()
    async with Journal.open(tmp_path / "journal.sqlite", "paper", wall) as journal:
        yield Scene(journal, wall)


async def test_code_is_long_and_fits_into_a_link(scene: Scene) -> None:
    assert await scene.desk().open()
    (code,) = scene.terminal.codes
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", code)  # 192 bits; `pair_` + 32 <= 64
    assert "\n" not in code


async def test_bearer_of_the_code_becomes_owner_and_the_terminal_says_so(scene: Scene) -> None:
    desk = scene.desk()
    await desk.open()
    assert not await desk.claim("no-such-code-at-all", 7, "Pat")
    assert await desk.claim(scene.terminal.codes[0], 7, "Pat")
    assert scene.terminal.names == ["Pat"]
    assert not await desk.claim(scene.terminal.codes[0], 8, "Eve")
    person = await scene.journal.users.get(7)
    assert person is not None
    assert person.role is Role.OWNER
    assert await scene.journal.users.get(8) is None


async def test_restart_makes_a_new_code_and_forgets_the_old_one(scene: Scene) -> None:
    await scene.desk().open()
    again = scene.desk()
    await again.open()
    old, new = scene.terminal.codes
    assert old != new
    assert not await again.claim(old, 7, "Pat")
    assert await again.claim(new, 7, "Pat")
    assert not await scene.desk().open()
    assert len(scene.terminal.codes) == 2


async def test_desk_with_an_owner_shows_no_code_and_takes_none(scene: Scene) -> None:
    await scene.journal.users.save(1, Role.OWNER, "Ola", START)
    desk = scene.desk()
    assert not await desk.open()
    assert scene.terminal.codes == []
    assert not await desk.claim("whatever-was-printed", 7, "Pat")


async def test_code_that_ran_out_is_replaced_until_somebody_has_paired(scene: Scene) -> None:
    desk = scene.desk()
    await desk.open()
    task = asyncio.create_task(desk.run())
    await asyncio.sleep(0)
    await passing(scene, 601)
    assert len(scene.terminal.codes) == 2
    assert not await desk.claim(scene.terminal.codes[0], 7, "Pat")
    assert await desk.claim(scene.terminal.codes[1], 7, "Pat")
    await passing(scene, 1300)
    assert len(scene.terminal.codes) == 2
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def passing(scene: Scene, seconds: float) -> None:
    """Time goes by, and the journal's thread has time to answer."""
    for _ in range(4):
        await scene.wall.advance(seconds / 4)
        await asyncio.sleep(0.05)


async def test_twenty_wrong_tries_bring_a_new_code_at_once(scene: Scene) -> None:
    desk = scene.desk()
    await desk.open()
    for number in range(20):
        assert not await desk.claim(f"guess-{number}-0123456789", number // 4, "Eve")
    old, new = scene.terminal.codes
    assert not await desk.claim(old, 99, "Pat")
    assert await desk.claim(new, 99, "Pat")


async def test_code_is_never_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk = scene.desk()
    await desk.open()
    await desk.claim("a-wrong-code-0123456789", 7, "Pat")
    await desk.claim(scene.terminal.codes[0], 7, "Pat")
    everything = "".join(str(record.__dict__) for record in caplog.records)
    assert "pairing tried" in everything
    assert scene.terminal.codes[0] not in everything
    assert "a-wrong-code" not in everything
