"""The journal's SQLite on the loop's own thread, with a seeded virtual delay around each call."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.clock import Clock
from db.database import Parameters, Row, Transaction, Written, plain_errors


class _Connection:
    def __init__(self, path: Path, clock: Clock, random_source: random.Random) -> None:
        self.raw = sqlite3.connect(path, isolation_level=None)
        self.raw.row_factory = sqlite3.Row
        self.raw.execute("PRAGMA foreign_keys = ON")
        self.raw.execute("PRAGMA synchronous = OFF")
        self._clock = clock
        self._random = random_source

    async def delay(self) -> None:
        """Let others run in between, for a seeded while."""
        await self._clock.sleep(self._random.uniform(0.0, 0.02))

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        rows = await self.fetch_all(sql, parameters)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        await self.delay()
        with plain_errors():
            rows = self.raw.execute(sql, parameters).fetchall()
        await self.delay()
        return rows

    async def execute(self, sql: str, parameters: Parameters = ()) -> Written:
        await self.delay()
        with plain_errors():
            cursor = self.raw.execute(sql, parameters)
        await self.delay()
        return Written(rows=cursor.rowcount, row_id=cursor.lastrowid or 0)


class InlineDatabase:
    """Satisfies `db.database.Database` without a thread; a kill keeps what is committed."""

    def __init__(self, path: Path, clock: Clock, random_source: random.Random) -> None:
        self._writer = _Connection(path, clock, random_source)
        self._reader = _Connection(path, clock, random_source)
        self._writing = asyncio.Lock()

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        return await self._reader.fetch_one(sql, parameters)

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        return await self._reader.fetch_all(sql, parameters)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._writing:
            self._writer.raw.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.raw.execute("COMMIT")
            except BaseException:
                if self._writer.raw.in_transaction:
                    self._writer.raw.execute("ROLLBACK")
                raise
            await self._writer.delay()

    async def close(self) -> None:
        self.kill()

    def kill(self) -> None:
        """What the operating system does to a killed process's files."""
        self._writer.raw.close()
        self._reader.raw.close()
