"""Keeps the sandbox's chats on disk: keyed JSON rows, written in batches by one worker thread."""

import asyncio
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.errors import StartupRefusedError

SCHEMA = "CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT"
PUT = "INSERT INTO record VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body"
DROP = "DELETE FROM record WHERE key = ?"


class RecordStore:
    """Changes gather in memory; `flush` makes all of them durable in one transaction.

    Whoever answers a caller flushes first, so nothing that was answered is lost when the process
    is killed. Keys look like `message/1001/17`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changes: dict[str, str | None] = {}
        self._files: dict[Path, bytes | None] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-chat")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> dict[str, str]:
        """All rows by key; raises StartupRefusedError when the file cannot be used."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, self._open)
        except (sqlite3.Error, OSError) as e:
            raise StartupRefusedError(
                f"The sandbox chat history {self._path} cannot be used ({e}). "
                "Move the file away and start again."
            ) from e

    def put(self, key: str, body: str) -> None:
        """Set a row at the next flush."""
        self._changes[key] = body

    def drop(self, key: str) -> None:
        """Remove a row at the next flush."""
        self._changes[key] = None

    def put_file(self, path: Path, content: bytes) -> None:
        """Write a file at the next flush, before the rows that name it."""
        self._files[path] = content

    def drop_file(self, path: Path) -> None:
        """Remove a file at the next flush, after the rows."""
        self._files[path] = None

    async def flush(self) -> None:
        """Return when every change made so far is on disk; a failed batch is tried again later."""
        if not self._changes and not self._files:
            return
        changes, self._changes = self._changes, {}
        files, self._files = self._files, {}
        loop = asyncio.get_running_loop()
        try:
            # A caller that hangs up must not take the batch with it.
            await asyncio.shield(loop.run_in_executor(self._worker, self._write, changes, files))
        except (sqlite3.Error, OSError):
            self._changes = changes | self._changes
            self._files = files | self._files
            raise

    async def read_file(self, path: Path) -> bytes | None:
        """The bytes of a kept file, or None when it is gone."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, _read, path)

    async def close(self) -> None:
        """Flush and let go of the file."""
        await self.flush()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._close)
        self._worker.shutdown(wait=False)

    def _open(self) -> dict[str, str]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(SCHEMA)
        return dict(self._connection.execute("SELECT key, body FROM record"))

    def _write(self, changes: Mapping[str, str | None], files: Mapping[Path, bytes | None]) -> None:
        for path, content in files.items():
            if content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        if self._connection is not None:
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                gone = [(key,) for key, body in changes.items() if body is None]
                kept = [(key, body) for key, body in changes.items() if body is not None]
                self._connection.executemany(DROP, gone)
                self._connection.executemany(PUT, kept)
        for path, content in files.items():
            if content is None:
                path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
