"""Opening a journal: made whole, refused in plain words, migrated with a backup, always closed."""

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import EnvironmentMismatchError, JournalError, SchemaTooNewError
from db.connection import Journal
from db.preparation import Migration, migrations, prepare
from tests.support.clock import START, ManualClock


async def open_once(path: Path, environment: str = "sandbox") -> None:
    async with Journal.open(path, environment, ManualClock()) as journal:
        await journal.settings.put("speed", "1", START)


def threads() -> int:
    return sum(thread.name.startswith("Thread") for thread in threading.enumerate())


async def test_new_journal_is_wal_at_the_newest_schema_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "journal.sqlite"
    await open_once(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert raw.execute("PRAGMA user_version").fetchone() == (migrations()[-1].version,)
        assert raw.execute("SELECT name FROM environment").fetchone() == ("sandbox",)
        assert raw.execute("SELECT count(*) FROM schema_migrations").fetchone() == (
            len(migrations()),
        )
    assert not [file for file in path.parent.iterdir() if ".new" in file.name]


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await open_once(path)
    async with Journal.open(path, "sandbox", ManualClock()) as journal:
        assert await journal.settings.get("speed") == "1"


async def test_writer_commits_with_full_synchronous_and_reader_cannot_write(
    journal: Journal,
) -> None:
    async with journal.database.transaction() as transaction:
        row = await transaction.fetch_one("PRAGMA synchronous")
        assert row is not None
        assert row[0] == 2
        keys = await transaction.fetch_one("PRAGMA foreign_keys")
        assert keys is not None
        assert keys[0] == 1
    with pytest.raises(JournalError, match="read-only"):
        await journal.database.fetch_all("DELETE FROM settings")


async def test_newer_schema_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await open_once(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(SchemaTooNewError, match=r"schema 999.*newer Tapedesk"):
        await open_once(path)
    assert path.read_bytes() == before


async def test_other_environment_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await open_once(path, "sandbox")
    with pytest.raises(EnvironmentMismatchError, match=r"'sandbox'.*'live-77'"):
        await open_once(path, "live-77")


async def test_environment_row_can_be_neither_changed_nor_removed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await open_once(path)
    with closing(sqlite3.connect(path)) as raw:
        for statement in (
            "UPDATE environment SET name = 'paper'",
            "DELETE FROM environment",
            "INSERT INTO environment VALUES (2, 'paper', 0)",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                raw.execute(statement)


@pytest.mark.parametrize("content", [b"this is not a database" * 200, b"\x00" * 8192, b"x"])
async def test_garbage_is_refused_with_advice_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"restore|Choose another"):
        await open_once(path)
    assert path.read_bytes() == content


async def test_damaged_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await open_once(path)
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 6] = b"\xff" * (4096 * 5)
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"damaged|backup"):
        await open_once(path)


async def test_emptied_journal_never_starts_flat(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.touch()
    with pytest.raises(JournalError, match="empty"):
        await open_once(path)


async def test_log_without_its_journal_never_starts_flat(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite-wal").write_bytes(b"frames")
    with pytest.raises(JournalError, match="missing"):
        await open_once(tmp_path / "journal.sqlite")


async def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(JournalError, match="not a journal of Tapedesk"):
        await open_once(path)


async def test_folder_that_is_a_file_is_one_plain_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    with pytest.raises(JournalError, match="cannot be used"):
        await open_once(tmp_path / "home" / "journal.sqlite")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user whom permissions bind"
)
async def test_read_only_folder_is_one_plain_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    with pytest.raises(JournalError, match=r"writable|permissions"):
        await open_once(home / "journal.sqlite")


def test_migration_of_an_old_journal_leaves_a_backup_of_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old = migrations()
    prepare(path, "sandbox", START, old)
    step = Migration(
        version=old[-1].version + 1, name="900_more", script="CREATE TABLE more (x INTEGER);"
    )
    prepare(path, "sandbox", START, (*old, step))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM more").fetchone() == (0,)
        assert raw.execute("PRAGMA user_version").fetchone() == (step.version,)
    (backup,) = tmp_path.glob("*.backup")
    with closing(sqlite3.connect(backup)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (old[-1].version,)
        assert raw.execute("SELECT name FROM environment").fetchone() == ("sandbox",)


def test_failing_migration_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old = migrations()
    prepare(path, "sandbox", START, old)
    step = Migration(
        version=old[-1].version + 1,
        name="900_bad",
        script="CREATE TABLE more (x INTEGER); INSERT INTO nowhere VALUES (1);",
    )
    with pytest.raises(JournalError, match="nowhere"):
        prepare(path, "sandbox", START, (*old, step))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (old[-1].version,)
        assert raw.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchone() is None


def test_opening_an_up_to_date_journal_makes_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    prepare(path, "sandbox", START)
    prepare(path, "sandbox", START)
    assert not list(tmp_path.glob("*.backup"))


async def test_journal_is_closed_when_its_block_fails(tmp_path: Path) -> None:
    before = threads()
    kept: list[Journal] = []

    async def fail_inside() -> None:
        async with Journal.open(tmp_path / "journal.sqlite", "sandbox", ManualClock()) as opened:
            assert threads() > before
            kept.append(opened)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await fail_inside()
    for _ in range(200):
        if threads() == before:
            break
        await asyncio.sleep(0.01)
    assert threads() == before
    with pytest.raises(JournalError):
        await kept[0].settings.get("speed")
    with pytest.raises(JournalError):
        await kept[0].settings.put("speed", "2", START)
