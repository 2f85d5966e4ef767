"""The journal's file through aiosqlite: one writer behind a lock, one reader beside it.

aiosqlite runs the statements of a connection in one thread, first come first served, and a
cancelled caller does not take back what it has queued. So a ROLLBACK queued after a cancelled
statement always runs after it and before the next BEGIN: no half transaction can survive.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from db.database import Parameters, Row, Transaction, Written, plain_errors

BUSY_TIMEOUT_MS = 5_000


class _Connection:
    """One aiosqlite connection, with errors in plain words."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.raw = connection

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row, or None."""
        rows = await self.fetch_all(sql, parameters)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows."""
        with plain_errors():
            return list(await self.raw.execute_fetchall(sql, parameters))

    async def execute(self, sql: str, parameters: Parameters = ()) -> Written:
        """Run one statement."""
        with plain_errors():
            async with self.raw.execute(sql, parameters) as cursor:
                return Written(rows=cursor.rowcount, row_id=cursor.lastrowid or 0)


class AiosqliteDatabase:
    """Satisfies `db.database.Database`."""

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = _Connection(writer)
        self._reader = _Connection(reader)
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> "AiosqliteDatabase":
        """Open a prepared journal; its threads run until `close`."""
        writer = await _connect(path, "PRAGMA synchronous = FULL")
        try:
            reader = await _connect(path, "PRAGMA query_only = ON")
        except BaseException:
            await writer.close()
            raise
        return cls(writer, reader)

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of what is committed, or None."""
        return await self._reader.fetch_one(sql, parameters)

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of what is committed."""
        return await self._reader.fetch_all(sql, parameters)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK on any exception, cancellation included."""
        async with self._writing:
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.execute("COMMIT")
            except BaseException:
                await self._roll_back()
                raise

    async def close(self) -> None:
        """Close both connections and end their threads; safe to repeat."""
        try:
            await self._reader.raw.close()
        finally:
            await self._writer.raw.close()

    async def _roll_back(self) -> None:
        try:
            await self._writer.raw.execute_fetchall("ROLLBACK")
        except (sqlite3.Error, ValueError):
            return  # nothing was open: BEGIN failed, or SQLite had rolled back by itself


async def _connect(path: Path, *pragmas: str) -> aiosqlite.Connection:
    with plain_errors():
        connection = await aiosqlite.connect(
            path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            connection.row_factory = sqlite3.Row
            for pragma in ("PRAGMA foreign_keys = ON", *pragmas):
                await connection.execute_fetchall(pragma)
        except BaseException:
            await connection.close()
            raise
    return connection
