"""Transactions: whole or not at all, through errors, cancellation, a full disk and a lock."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import JournalError
from core.ports.journal import AuditEntry
from db import aiosqlite_database
from db.connection import Journal
from tests.support.clock import START, ManualClock

PUT = "INSERT INTO settings (name, value, updated_at) VALUES (?, 'x', 0)"


async def names(journal: Journal) -> list[str]:
    rows = await journal.database.fetch_all("SELECT name FROM settings ORDER BY name")
    return [row["name"] for row in rows]


async def test_error_in_the_block_rolls_back_and_the_next_writer_works(journal: Journal) -> None:
    async def half() -> None:
        async with journal.database.transaction() as transaction:
            await transaction.execute(PUT, ("a",))
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await half()
    await journal.settings.put("b", "1", START)
    assert await names(journal) == ["b"]


async def test_uncommitted_rows_are_invisible_to_readers(journal: Journal) -> None:
    async with journal.database.transaction() as transaction:
        await transaction.execute(PUT, ("a",))
        assert await names(journal) == []
    assert await names(journal) == ["a"]


async def test_cancelled_between_statements_leaves_nothing(journal: Journal) -> None:
    inside = asyncio.Event()

    async def writer() -> None:
        async with journal.database.transaction() as transaction:
            await transaction.execute(PUT, ("a",))
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(writer())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.settings.put("b", "1", START)
    assert await names(journal) == ["b"]


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_at_any_moment_is_all_or_nothing(journal: Journal, turns: int) -> None:
    async def writer() -> None:
        async with journal.database.transaction() as transaction:
            await transaction.execute(PUT, ("a1",))
            await transaction.execute(PUT, ("a2",))

    task = asyncio.create_task(writer())
    for _ in range(turns):
        await asyncio.sleep(0.0001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await journal.settings.put("b", "1", START)
    assert await names(journal) in (["b"], ["a1", "a2", "b"])


async def test_concurrent_writers_never_mix(journal: Journal) -> None:
    async def writer(number: int) -> None:
        async with journal.database.transaction() as transaction:
            await transaction.execute(PUT, (f"{number:02d}a",))
            await asyncio.sleep(0)
            await transaction.execute(PUT, (f"{number:02d}b",))
            if number % 3 == 0:
                raise RuntimeError("boom")

    await asyncio.gather(*(writer(n) for n in range(30)), return_exceptions=True)
    expected = [f"{n:02d}{half}" for n in range(30) if n % 3 for half in "ab"]
    assert await names(journal) == expected


async def test_full_disk_is_a_plain_error_and_heals(journal: Journal) -> None:
    async with journal.database.transaction() as transaction:
        row = await transaction.fetch_one("PRAGMA page_count")
        assert row is not None
    # max_page_count stands in for the disk; it is a setting of the writer's connection
    await journal.database._writer.fetch_all(f"PRAGMA max_page_count = {row[0]}")  # type: ignore[attr-defined]
    entry = AuditEntry(at=START, kind="note", subject="disk", detail="x" * 50_000)
    with pytest.raises(JournalError, match="disk is full"):
        await journal.audit.write(entry)
    await journal.database._writer.fetch_all("PRAGMA max_page_count = 100000")  # type: ignore[attr-defined]
    await journal.audit.write(entry)
    assert await journal.audit.recent(5) == (entry,)


async def test_lock_of_another_program_is_a_plain_error_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiosqlite_database, "BUSY_TIMEOUT_MS", 50)
    path = tmp_path / "journal.sqlite"
    async with Journal.open(path, "sandbox", ManualClock()) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="another program"):
                await journal.settings.put("a", "1", START)
            other.execute("ROLLBACK")
        await journal.settings.put("b", "1", START)
        assert await names(journal) == ["b"]


async def test_audit_trail_is_append_only(journal: Journal) -> None:
    await journal.audit.write(AuditEntry(at=START, kind="note", subject="s", detail="d", user_id=7))
    for statement in ("UPDATE audit SET detail = 'other'", "DELETE FROM audit"):
        with pytest.raises(JournalError, match="append-only"):
            async with journal.database.transaction() as transaction:
                await transaction.execute(statement)
    assert [entry.detail for entry in await journal.audit.recent(9)] == ["d"]
