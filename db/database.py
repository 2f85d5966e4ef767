"""What repositories know of SQL: reads, and transactions. Adapters decide where it runs."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from core.errors import JournalError

Row = sqlite3.Row
SqlValue = str | int | float | None
Parameters = Sequence[SqlValue] | Mapping[str, SqlValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a statement did."""

    rows: int
    """How many rows it changed."""
    row_id: int
    """Id of the row it inserted; meaningless when `rows` is 0."""


class Reader(Protocol):
    """Queries."""

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row, or None."""
        ...

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows."""
        ...


class Transaction(Reader, Protocol):
    """An open write transaction; it sees its own writes."""

    async def execute(self, sql: str, parameters: Parameters = ()) -> Written:
        """Run one statement."""
        ...


class Database(Reader, Protocol):
    """One journal file. Every method raises JournalError when the file cannot be used."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """The one writer: commits at the end of the block, rolls back on any exception.

        A caller cancelled inside never leaves half a transaction behind.
        """
        ...

    async def close(self) -> None:
        """Give the file back; safe to repeat."""
        ...


_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_BUSY: "another program holds the journal locked; close it",
    sqlite3.SQLITE_LOCKED: "another program holds the journal locked; close it",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; stop the desk and restore the latest backup",
    sqlite3.SQLITE_NOTADB: "the file is not a journal or is damaged; restore the latest backup",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make it writable",
    sqlite3.SQLITE_PERM: "the file or its folder is not accessible; check its permissions",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that its folder exists, is writable",
    sqlite3.SQLITE_IOERR: "the disk reported an error; stop the desk and check the disk",
    sqlite3.SQLITE_CONSTRAINT: "the row contradicts what is already there",
}


def plain_text(error: sqlite3.Error) -> str:
    """What happened and what to do, with SQLite's own words at the end."""
    code = getattr(error, "sqlite_errorcode", None)
    advice = _ADVICE.get(code & 0xFF) if code is not None else None
    if advice is None:
        return f"The journal refused: {error}."
    return f"The journal cannot be used: {advice} (SQLite: {error})."


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what SQLite and its driver raise into JournalError."""
    try:
        yield
    except sqlite3.Error as e:
        raise JournalError(plain_text(e)) from e
    except ValueError as e:
        raise JournalError(f"The journal did not take that: {e}.") from e


def insert_sql(table: str, values: Mapping[str, SqlValue], suffix: str = "") -> str:
    """An INSERT with named parameters for the columns of `values`."""
    columns = ", ".join(values)
    names = ", ".join(f":{column}" for column in values)
    return f"INSERT INTO {table} ({columns}) VALUES ({names}) {suffix}"
