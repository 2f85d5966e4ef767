"""A desk that cannot open says so in a plain line, ends at once and loses nothing."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bot_main
from db.preparation import prepare
from tests.e2e.desk_process import ROOT, DeskProcess, clean_environment

REFUSED = 3
WRONG_WORDS = 2


class Terminal:
    """Opens desks that should not open, in this process, and reads what they say."""

    def __init__(self, patch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._said = said

    def open(self, home: Path, *words: str, **env: str) -> tuple[int, str]:
        """Exit code and everything said."""
        for name, value in env.items():
            self._patch.setenv(name, value)
        try:
            code = bot_main.main(["--home", str(home), "--no-browser", *words])
        except SystemExit as e:
            code = int(e.code or 0)
        heard = self._said.readouterr()
        assert "Traceback" not in heard.out + heard.err
        return code, heard.out + heard.err


@pytest.fixture
def terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    """A terminal without any setting of a desk; signals are as before afterwards."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Terminal(monkeypatch, capsys)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_wrong_settings_are_all_told_together(terminal: Terminal, tmp_path: Path) -> None:
    code, said = terminal.open(
        tmp_path / "home",
        TELEGRAM_BOT_TOKN="x",
        RISK__MAX_OPEN_POSITIONS="-1",
        DESK_PORT="many",
    )
    assert code == REFUSED
    for part in ("TELEGRAM_BOT_TOKEN", "RISK__MAX_OPEN_POSITIONS", "DESK_PORT"):
        assert part in said


def test_a_malformed_token_never_becomes_the_sandbox_and_is_not_shown(
    terminal: Terminal, tmp_path: Path
) -> None:
    code, said = terminal.open(tmp_path / "home", TELEGRAM_BOT_TOKEN="secret-but-wrong")
    assert code == REFUSED
    assert "TELEGRAM_BOT_TOKEN" in said
    assert "secret-but-wrong" not in said


def test_a_taken_port_is_named_with_the_way_out(terminal: Terminal, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = terminal.open(tmp_path / "home", "--port", port)
    assert code == REFUSED
    assert port in said
    assert "--port" in said


def test_a_file_where_the_folder_should_be(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder", encoding="utf-8")
    code, said = terminal.open(tmp_path / "home", "--port", "0")
    assert code == REFUSED
    assert "home" in said


def test_a_journal_of_a_newer_version_is_left_alone(terminal: Terminal, tmp_path: Path) -> None:
    journal = journal_with(tmp_path, "PRAGMA user_version = 9999")
    before = journal.read_bytes()
    code, said = terminal.open(tmp_path / "home", "--port", "0")
    assert code == REFUSED
    assert "newer" in said
    assert journal.read_bytes() == before


def test_a_journal_of_another_environment_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "sandbox"
    folder.mkdir(parents=True)
    prepare(folder / "journal.sqlite3", "paper", datetime(2026, 1, 1, tzinfo=UTC))
    code, said = terminal.open(tmp_path / "home", "--port", "0")
    assert code == REFUSED
    assert "paper" in said
    assert "sandbox" in said


def test_a_file_that_is_no_journal_is_left_alone(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "sandbox"
    folder.mkdir(parents=True)
    journal = folder / "journal.sqlite3"
    journal.write_bytes(b"this is not a database, but somebody's letter" * 50)
    before = journal.read_bytes()
    code, said = terminal.open(tmp_path / "home", "--port", "0")
    assert code == REFUSED
    assert "journal" in said
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--market", "live"), "TELEGRAM_BOT_TOKEN"),
        (("--broker", "mt5"), "sandbox"),
    ],
)
def test_impossible_wishes_are_refused(
    words: tuple[str, ...], part: str, terminal: Terminal, tmp_path: Path
) -> None:
    code, said = terminal.open(tmp_path / "home", *words)
    assert code == REFUSED
    assert part in said


@pytest.mark.parametrize(
    "words", [("--speeed", "3"), ("dsek",), ("--port", "-1"), ("--speed", "0")]
)
def test_misspelt_words_get_one_line(
    words: tuple[str, ...], terminal: Terminal, tmp_path: Path
) -> None:
    code, said = terminal.open(tmp_path / "home", *words)
    assert code == WRONG_WORDS
    assert len(said.strip().splitlines()) == 1


def test_a_second_desk_on_the_same_home_is_refused(desk: DeskProcess) -> None:
    desk.start()
    done = subprocess.run(
        [sys.executable, str(ROOT / "bot_main.py"), "--home", str(desk.home), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(),
        check=False,
    )
    code, said = done.returncode, done.stdout + done.stderr
    assert code == REFUSED
    assert str(desk.pid) in said
    assert desk.get("/api/health")["ready"]


def journal_with(folder: Path, statement: str) -> Path:
    """A journal file on which `statement` was run."""
    home = folder / "home" / "sandbox"
    home.mkdir(parents=True)
    journal = home / "journal.sqlite3"
    prepare(journal, "sandbox", datetime(2026, 1, 1, tzinfo=UTC))
    connection = sqlite3.connect(journal)
    connection.execute(statement)
    connection.commit()
    connection.close()
    return journal
