"""Logs: JSON lines and a quiet terminal, and no secret in either."""

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.logging_setup import LogHandle, setup_logging
from infra.redaction import Redactor, is_secret_field

ROOT = Path(__file__).resolve().parents[2]
BOT_TOKEN = "987654321:" + "AAc_d-Ef" * 4
PASSWORD = 'pa"ss\\wörd'
CANARY = "CANARY7f3a"
child = logging.getLogger("core.some.child")


class Logs:
    """Running logs of one test."""

    def __init__(self, folder: Path, level: str = "WARNING", **limits: int) -> None:
        self.terminal = StringIO()
        self.file = folder / "desk.jsonl"
        self.handle: LogHandle = setup_logging(
            folder=folder,
            level=level,
            max_megabytes=limits.get("max_megabytes", 1),
            kept=2,
            secrets=("", PASSWORD),
            terminal=self.terminal,
        )

    def lines(self) -> list[dict[str, Any]]:
        """What the file holds; every line must be JSON."""
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    @property
    def everything(self) -> str:
        """Terminal and file together."""
        return self.terminal.getvalue() + self.file.read_text(encoding="utf-8")


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    running = Logs(tmp_path, level="DEBUG")
    yield running
    running.handle.close()


def test_a_line_is_an_event_with_fields_level_logger_and_utc_time(logs: Logs) -> None:
    child.info("order filled", extra={"instrument": "BTCUSD", "price": 1.5})
    (line,) = logs.lines()
    line.pop("message", None)  # pytest's own log capture leaves it on the record
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "order filled",
        "level": "info",
        "logger": "core.some.child",
        "instrument": "BTCUSD",
        "price": 1.5,
    }


def test_the_terminal_is_quiet_and_the_file_is_not(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    child.debug("d")
    child.info("bar closed")
    child.warning("feed lost", extra={"instrument": "EURUSD"})
    logs.handle.close()
    assert [line["event"] for line in logs.lines()] == ["bar closed", "feed lost"]
    assert "bar closed" not in logs.terminal.getvalue()
    assert "feed lost" in logs.terminal.getvalue()
    assert "EURUSD" in logs.terminal.getvalue()


def test_the_terminal_names_an_error_and_the_file_has_its_traceback(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    try:
        raise ValueError("no such bar")
    except ValueError:
        child.exception("scan failed")
    logs.handle.close()
    assert "ValueError: no such bar" in logs.terminal.getvalue()
    assert "Traceback" not in logs.terminal.getvalue()
    assert "Traceback" in logs.lines()[0]["exception"]


def test_libraries_are_quiet(logs: Logs) -> None:
    for name in ("aiohttp.access", "aiogram.event", "asyncio", "websockets.client", "httpx"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("aiogram.dispatcher").warning("heard")
    assert [line["event"] for line in logs.lines()] == ["heard"]


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api.telegram.org/bot{BOT_TOKEN}/getMe",
        f"bot42:{CANARY}/sendMessage",
        f"token is {BOT_TOKEN}.",
        BOT_TOKEN.replace(":", "%3A"),
        f"key sk-proj-{CANARY}{CANARY}",
        f"wss://x/ws?listenKey={CANARY}&a=1",
        f"/order?symbol=BTC&signature={CANARY}&timestamp=1",
        f"?key={CANARY}",
        f"?api_key={CANARY}'",
        f"login: password={CANARY}",
        f"{{'api_secret': '{CANARY}'}}",
        f'{{"token": "{CANARY}\\"{CANARY}"}}',
        f"X-MBX-APIKEY: {CANARY}",
        f"Authorization: Bearer {CANARY}abc",
        f"http://user:{CANARY}@proxy:8080",
        f"it was {PASSWORD}!",
    ],
)
def test_a_secret_never_reaches_a_log(logs: Logs, text: str) -> None:
    child.warning(text)
    child.warning("argument %s", text)
    child.warning("field", extra={"detail": text, "nested": {"inner": [text]}})
    child.warning("object", extra={"error": ValueError(text)})
    try:
        try:
            raise OSError(text)
        except OSError as cause:
            raise RuntimeError("outer") from cause
    except RuntimeError:
        child.exception("failed")
    assert len(logs.lines()) == 5
    assert logs.terminal.getvalue().count("Traceback") == 2
    for secret in (CANARY, BOT_TOKEN[12:], "ss\\w", "wörd", "w\\u00f6rd"):
        assert secret not in logs.everything


@pytest.mark.parametrize(
    "name",
    ["token", "bot_token", "PASSWORD", "api_key", "apiKey", "signature", "key", "api-secret"],
)
def test_a_field_with_a_telling_name_is_hidden(logs: Logs, name: str) -> None:
    child.error("call", extra={name: CANARY, "inside": {name: CANARY}})
    assert CANARY not in logs.everything
    assert logs.lines()[0][name] == "[hidden]"


@pytest.mark.parametrize("name", ["tokens", "prompt_tokens", "keyboard", "signal_key", "secretary"])
def test_ordinary_fields_are_shown(name: str) -> None:
    assert not is_secret_field(name)


@pytest.mark.parametrize(
    "text",
    [
        "risk-management-of-the-desk-home",
        "2026-11-17T13:07:00Z BTCUSD 67123.4",
        "the key is strategy|BTCUSD|M15|20261117T130700Z|buy",
        "tokens used: 1234",
        "chat 123456789 message 42",
        "http://127.0.0.1:8765/?user=owner",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redactor(("abc",)).hide(text) == text


@dataclass(frozen=True)
class Login:
    user: str
    password: str


def test_values_of_any_kind_become_plain_data_without_secrets() -> None:
    redactor = Redactor((PASSWORD,))
    value = {
        "size": Decimal("0.10"),
        "at": datetime(2026, 3, 1, tzinfo=UTC),
        "login": Login("me", PASSWORD),
        PASSWORD: [{"api_key": 5}, (1.5, None, True)],
        "error": KeyError(PASSWORD),
    }
    assert redactor.hide_field("fields", value) == {
        "size": "0.10",
        "at": "2026-03-01 00:00:00+00:00",
        "login": "Login(user='me', password='[hidden]')",
        "[hidden]": [{"api_key": "[hidden]"}, [1.5, None, True]],
        "error": "KeyError: '[hidden]'",
    }


@given(st.text(max_size=200), st.text(min_size=4, max_size=20))
def test_a_registered_secret_is_never_left_in_any_text(text: str, secret: str) -> None:
    redactor = Redactor((secret,))
    hidden = redactor.hide(f"{text}{secret}{text}").replace("[hidden]", "\0")
    assert secret not in hidden


def test_hiding_is_fast_on_hostile_text() -> None:
    Redactor((PASSWORD,)).hide("a-" * 4000 + "token" * 800 + "://" * 800 + '"' * 800)


def test_files_rotate_and_old_ones_go(tmp_path: Path) -> None:
    logs = Logs(tmp_path, max_megabytes=1)
    for number in range(35):
        child.info("filling", extra={"number": number, "blob": "x" * 100_000})
    logs.handle.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["desk.jsonl", "desk.jsonl.1", "desk.jsonl.2"]
    assert all(path.stat().st_size <= 1_000_000 for path in tmp_path.iterdir())
    assert logs.lines()[-1]["number"] == 34


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_loses_lines_but_never_the_desk(tmp_path: Path) -> None:
    (tmp_path / "desk.jsonl").symlink_to("/dev/full")
    logs = Logs(tmp_path)
    child.warning("still running")
    logs.handle.close()
    assert "still running" in logs.terminal.getvalue()


def test_a_missing_folder_loses_lines_but_never_the_desk(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "gone")
    child.warning("still running")
    logs.handle.close()
    assert "still running" in logs.terminal.getvalue()


def test_warnings_go_to_the_logs(logs: Logs) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old call with token={CANARY}", stacklevel=1)
    assert "old call" in logs.lines()[0]["event"]
    assert CANARY not in logs.everything


def test_a_crash_is_logged_without_secrets(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from infra.logging_setup import setup_logging\n"
        "setup_logging(folder=Path(sys.argv[1]), level='WARNING', max_megabytes=1, kept=1)\n"
        "raise RuntimeError('password=' + sys.argv[2])"
    )
    crashed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), CANARY],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert crashed.returncode == 1
    written = (tmp_path / "desk.jsonl").read_text(encoding="utf-8")
    assert "Traceback" in json.loads(written)["exception"]
    assert "RuntimeError" in crashed.stderr
    assert CANARY not in written + crashed.stdout + crashed.stderr


def test_close_puts_logging_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("aiogram").level)
    Logs(tmp_path, level="ERROR").handle.close()
    assert (list(root.handlers), root.level, logging.getLogger("aiogram").level) == before
