"""The doctor, against a healthy desk and against everything that can be ill about one."""

import asyncio
import shutil
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from core.clock import Clock, to_millis
from db.inspection import inspect_journal
from db.preparation import migrations, prepare
from infra.command_line import parse_command_line
from infra.doctor import consultation, local_checks
from infra.doctor.consultation import Patient, consult
from infra.virtual_env import LOCKS
from tests.support.bot_api_stub import BAD_GATEWAY, TOKEN, UNAUTHORIZED, BotApiStub, bot_api
from tests.support.clock import START, ManualClock


@dataclass
class Outside:
    """Telegram, Binance and its mirror, all on this computer."""

    telegram: BotApiStub
    binance: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    status: int = 200
    stream_status: HTTPStatus | None = None
    clock_ahead: timedelta = timedelta(0)
    silent: bool = False

    async def time(self, request: web.Request) -> web.Response:
        if self.silent:
            await asyncio.sleep(5)
        if request.host.endswith(self.binance[0].rsplit(":", 1)[1]) and self.status != 200:
            return web.Response(status=self.status, text="<html>no</html>")
        return web.json_response({"serverTime": to_millis(START - self.clock_ahead)})

    def decide(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.stream_status is None or "mirror" in request.path:
            return None
        return connection.respond(self.stream_status, "no")

    async def speak(self, connection: ServerConnection) -> None:
        await connection.send("{}")
        await connection.wait_closed()

    @property
    def env(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM__API_BASE": self.telegram.base,
            "BINANCE__SPOT_REST_URL": self.binance[0],
            "BINANCE__SPOT_REST_FALLBACK_URL": self.binance[1],
            "BINANCE__SPOT_WS_URL": self.sockets[0],
            "BINANCE__SPOT_WS_FALLBACK_URL": f"{self.sockets[0]}/mirror",
            "BINANCE__FUTURES_PUBLIC_WS_URL": f"{self.sockets[0]}/public",
        }


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with bot_api() as telegram:
        world = Outside(telegram)
        runners = [await _rest(world.time) for _ in range(2)]
        world.binance += [f"http://127.0.0.1:{runner.addresses[0][1]}" for runner in runners]
        async with serve(world.speak, "127.0.0.1", 0, process_request=world.decide) as server:
            world.sockets.append(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            yield world
        for runner in runners:
            await runner.cleanup()


async def _rest(answer: Callable[[web.Request], Awaitable[web.Response]]) -> web.AppRunner:
    app = web.Application()
    app.router.add_get("/api/v3/time", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def seen(
    tmp_path: Path, env: dict[str, str], *words: str, wall: Clock | None = None
) -> tuple[int, list[str]]:
    """Exit code and lines of one consultation."""
    lines: list[str] = []
    patient = Patient(
        options=parse_command_line(["doctor", "--home", str(tmp_path / "home"), *words]),
        env=env,
        env_file=tmp_path / ".env",
        inspect_journal=inspect_journal,
        wall=wall or ManualClock(),
    )
    code = await consult(patient, lines.append)
    assert TOKEN not in "".join(lines)
    return code, lines


def line_of(lines: list[str], topic: str) -> str:
    (line,) = [line for line in lines if line[6:].startswith(topic)]
    return line


async def test_sandbox_is_well_and_asks_nobody_outside(tmp_path: Path) -> None:
    code, lines = await seen(tmp_path, {}, "--port", "0")
    assert code == 0
    assert [line.split()[0] for line in lines[:-1]] == ["ok"] * 7 + ["skip"]
    assert "sandbox (no token is set)" in line_of(lines, "settings")
    assert "nothing outside was asked" in line_of(lines, "network")
    assert lines[-1] == "\nAll is well."
    assert not (tmp_path / "home").exists()


async def test_desk_with_a_token_is_well_when_all_answer(tmp_path: Path, outside: Outside) -> None:
    code, lines = await seen(tmp_path, outside.env)
    assert code == 0, lines
    assert "the bot is @my_desk_bot" in line_of(lines, "telegram")
    assert "0.0 s" in line_of(lines, "clock")
    assert line_of(lines, "stream").startswith("ok")
    assert line_of(lines, "gold").startswith("ok")
    assert not [line for line in lines if line[6:].startswith("port")]
    assert outside.telegram.called("getUpdates") == 0


async def test_all_faults_of_the_settings_are_listed_and_the_rest_waits(tmp_path: Path) -> None:
    env = {"DESK_PORT": "x", "OWNER_ID": "-1"}
    code, lines = await seen(tmp_path, env)
    assert code == 1
    assert sum(line.startswith("FAIL  settings") for line in lines) == 2
    assert line_of(lines, "others").startswith("skip")
    assert lines[-1] == "\n2 to mend before the desk can do its work."


async def test_impossible_options_are_named(tmp_path: Path) -> None:
    code, lines = await seen(tmp_path, {}, "--market", "live")
    assert code == 1
    assert "--market live needs TELEGRAM_BOT_TOKEN" in line_of(lines, "options")


async def test_refused_token_is_to_be_mended(tmp_path: Path, outside: Outside) -> None:
    outside.telegram.then("getMe", UNAUTHORIZED)
    code, lines = await seen(tmp_path, outside.env)
    assert code == 1
    assert line_of(lines, "telegram").startswith("FAIL")
    assert "mend TELEGRAM_BOT_TOKEN in .env" in line_of(lines, "telegram")


async def test_telegram_in_trouble_or_with_a_webhook_is_told(
    tmp_path: Path, outside: Outside
) -> None:
    outside.telegram.then("getMe", BAD_GATEWAY)
    _, lines = await seen(tmp_path, outside.env)
    assert "127.0.0.1 has trouble of its own" in line_of(lines, "telegram")

    outside.telegram.webhook = "https://old.example/x"
    code, lines = await seen(tmp_path, outside.env)
    assert code == 0
    assert line_of(lines, "telegram").startswith("warn")
    assert lines[-1] == "\nThe desk can open; 1 to look at."


async def test_no_network_fails_quickly_and_says_what_is_missing(tmp_path: Path) -> None:
    dead = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM__API_BASE": "http://127.0.0.1:9",
        "BINANCE__SPOT_REST_URL": "http://127.0.0.1:9",
        "BINANCE__SPOT_WS_URL": "ws://127.0.0.1:9",
        "BINANCE__FUTURES_PUBLIC_WS_URL": "ws://127.0.0.1:9",
    }
    began = time.monotonic()
    code, lines = await seen(tmp_path, dead)
    assert time.monotonic() - began < 4
    assert code == 1
    assert "no answer from 127.0.0.1" in line_of(lines, "telegram")
    assert line_of(lines, "history").startswith("FAIL")
    assert line_of(lines, "stream").startswith("FAIL")
    assert line_of(lines, "gold").startswith("warn")


async def test_silence_is_given_up_on(
    tmp_path: Path, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consultation, "LONGEST_SECONDS", 0.3)
    outside.silent = True
    began = time.monotonic()
    code, lines = await seen(tmp_path, outside.env)
    assert time.monotonic() - began < 3
    assert code == 1
    assert line_of(lines, "history").startswith("FAIL")
    assert line_of(lines, "telegram").startswith("ok")


async def test_blocked_region_is_no_failure_where_the_mirror_answers(
    tmp_path: Path, outside: Outside
) -> None:
    outside.status = 451
    outside.stream_status = HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS
    code, lines = await seen(tmp_path, outside.env)
    assert code == 0, lines
    assert line_of(lines, "clock").startswith("ok")
    assert "blocks this region; prices arrive from" in line_of(lines, "stream")
    assert line_of(lines, "gold").startswith("warn")
    assert "XAUUSD: no feed: Binance blocks this region" in line_of(lines, "gold")


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (timedelta(seconds=0.8), "ok", "0.8 s ahead of"),
        (timedelta(seconds=-4), "warn", "4.0 s behind"),
        (timedelta(minutes=-2), "FAIL", "120.0 s behind"),
    ],
)
async def test_clock_that_is_off_is_told(
    tmp_path: Path, outside: Outside, ahead: timedelta, level: str, words: str
) -> None:
    outside.clock_ahead = ahead
    _, lines = await seen(tmp_path, outside.env)
    assert line_of(lines, "clock").startswith(level)
    assert words in line_of(lines, "clock")


async def test_taken_port_is_a_warning(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        code, lines = await seen(tmp_path, {}, "--port", str(number))
    assert code == 0
    assert f"{number} is taken" in line_of(lines, "port")


def made_journal(home: Path, environment: str) -> Path:
    path = home / "sandbox" / "journal.sqlite3"
    prepare(path, environment, datetime(2026, 1, 1, tzinfo=UTC))
    return path


async def test_journal_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    path = made_journal(tmp_path / "home", "sandbox")
    before = path.read_bytes()
    code, lines = await seen(tmp_path, {}, "--port", "0")
    assert code == 0
    newest = migrations()[-1].version
    assert f"sound, schema {newest}, environment 'sandbox'" in line_of(lines, "journal")
    assert path.read_bytes() == before


async def test_journal_of_another_environment_fails(tmp_path: Path) -> None:
    made_journal(tmp_path / "home", "paper")
    code, lines = await seen(tmp_path, {}, "--port", "0")
    assert code == 1
    assert "belongs to the environment 'paper'" in line_of(lines, "journal")


@pytest.mark.parametrize("damage", ["newer", "torn", "not_a_database"])
async def test_unusable_journal_fails_with_advice(tmp_path: Path, damage: str) -> None:
    path = made_journal(tmp_path / "home", "sandbox")
    if damage == "newer":
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("PRAGMA user_version = 999")
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[: 3 * 4096])
    else:
        path.write_bytes(b"nonsense" * 1000)
    code, lines = await seen(tmp_path, {}, "--port", "0")
    assert code == 1
    assert line_of(lines, "journal").startswith("FAIL")


async def test_older_journal_is_announced_to_be_migrated(tmp_path: Path) -> None:
    path = tmp_path / "home" / "sandbox" / "journal.sqlite3"
    prepare(path, "sandbox", datetime(2026, 1, 1, tzinfo=UTC), migrations()[:1])
    _, lines = await seen(tmp_path, {}, "--port", "0")
    assert "schema 1; the next start brings it to" in line_of(lines, "journal")


async def test_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    code, lines = await seen(tmp_path, {}, "--port", "0")
    assert code == 1
    assert "cannot be written" in line_of(lines, "folder")
    assert "--home DIR" in line_of(lines, "folder")


def test_full_disk_fails_and_a_nearly_full_one_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass
    class Usage:
        free: int

    for free, level in ((50, "FAIL"), (500, "warn"), (5_000, "ok")):
        usage = Usage(free * 1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, usage=usage: usage)
        _, disk = local_checks.check_folder(tmp_path)
        assert disk.level == level


def test_packages_of_another_version_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("aiogram==0.0.1 \\\n    --hash=x\nno-such-thing==1.0\n", encoding="utf-8")
    monkeypatch.setitem(LOCKS, "desk", str(lock))
    finding = local_checks.check_packages()
    assert finding.level == "FAIL"
    assert "aiogram, no-such-thing" in finding.text
