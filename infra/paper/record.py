"""The paper venue's own record: a SQLite file beside the journal, as a broker has its own books.

The caller serialises all access. Times are ISO text in UTC, money is whole cents, prices and
quantities are decimal text.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import aiosqlite

from core.errors import VenueError, VenueUnavailableError
from core.model.position import VenueDeal
from core.model.values import Money
from infra.paper.ledger import RECENT, Ledger
from infra.paper.model import Booking
from infra.paper.record_rows import (
    SqlValue,
    deal_of,
    deal_values,
    order_of,
    order_values,
    position_of,
    position_values,
)

SCHEMA_VERSION = 1

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1), number TEXT NOT NULL, currency TEXT NOT NULL,
    starting_cents INTEGER NOT NULL, opened_at TEXT NOT NULL);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, client_id TEXT, kind TEXT NOT NULL, instrument TEXT NOT NULL,
    side TEXT NOT NULL, quantity TEXT NOT NULL, stop TEXT, target TEXT, state TEXT NOT NULL,
    created_at TEXT NOT NULL, price TEXT, position_id INTEGER, code TEXT, text TEXT,
    recorded_at TEXT NOT NULL);
CREATE UNIQUE INDEX one_order_per_client_id ON orders (client_id)
    WHERE code IS NOT 'duplicate_client_id';
CREATE TABLE deals (
    id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, position_id TEXT NOT NULL, client_id TEXT,
    instrument TEXT NOT NULL, side TEXT NOT NULL, entry TEXT NOT NULL, reason TEXT,
    quantity TEXT NOT NULL, price TEXT NOT NULL, profit_cents INTEGER NOT NULL,
    commission_cents INTEGER NOT NULL, swap_cents INTEGER NOT NULL, time TEXT NOT NULL,
    recorded_at TEXT NOT NULL);
CREATE TABLE positions (
    id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, instrument TEXT NOT NULL, side TEXT NOT NULL,
    quantity TEXT NOT NULL, entry TEXT NOT NULL, stop TEXT, target TEXT, rate TEXT NOT NULL,
    opened_at TEXT NOT NULL, open INTEGER NOT NULL);
CREATE INDEX open_positions ON positions (open);
PRAGMA user_version = 1;
COMMIT;
"""


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, ValueError) as e:
        raise VenueUnavailableError(f"The paper account's record cannot be used: {e}.") from e


class PaperRecord:
    """One open record file."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path) -> "PaperRecord":
        """Open or create the file; VenueError when it cannot be used."""
        try:
            connection = await aiosqlite.connect(path, isolation_level=None, timeout=5)
        except sqlite3.Error as e:
            raise VenueError(f"The paper account's record {path} cannot be opened: {e}.") from e
        record = cls(connection)
        try:
            await record._prepare(path)
        except BaseException:
            await record.close()
            raise
        return record

    async def close(self) -> None:
        """Give the file back; safe to repeat."""
        await self._connection.close()

    async def load(self, starting: Money, currency: str, now: datetime) -> Ledger:
        """The account as recorded; opened with `starting` when the record is new."""
        await self._write(
            "INSERT OR IGNORE INTO account VALUES (1, 'PAPER-1', ?, ?, ?)",
            (currency, starting.cents, now.isoformat()),
        )
        (account,) = await self._rows("SELECT * FROM account")
        totals = (await self._rows(_TOTALS))[0]
        ledger = Ledger(
            number=account["number"],
            currency=account["currency"],
            starting_balance=Money.of_cents(account["starting_cents"]),
            balance=Money.of_cents(account["starting_cents"] + totals["cents"]),
            last_order_id=totals["order_id"],
            last_deal_id=totals["deal_id"],
            last_position_id=totals["position_id"],
        )
        opened = await self._rows("SELECT * FROM positions WHERE open ORDER BY id")
        ledger.positions = {row["id"]: position_of(row) for row in opened}
        ledger.orders.extend(map(order_of, reversed(await self._latest("orders"))))
        ledger.deals.extend(map(deal_of, reversed(await self._latest("deals"))))
        return ledger

    async def knows(self, client_id: str) -> bool:
        """Whether an order with this client id was ever received."""
        return bool(await self._rows("SELECT 1 FROM orders WHERE client_id = ?", (client_id,)))

    async def deals_since(self, deal_id: int) -> tuple[VenueDeal, ...]:
        """Deals with a larger id, oldest first."""
        rows = await self._rows("SELECT * FROM deals WHERE id > ? ORDER BY id", (deal_id,))
        return tuple(deal_of(row) for row in rows)

    async def write(self, booking: Booking, now: datetime) -> None:
        """Commit a booking whole or not at all; it is on disk when this returns.

        The statements of a connection run in order, so the ROLLBACK of a failed or cancelled
        booking precedes whatever comes next.
        """
        try:
            await self._write("BEGIN IMMEDIATE")
            await self._insert("orders", {**order_values(booking.order), "recorded_at": _iso(now)})
            if booking.deal is not None:
                await self._insert("deals", {**deal_values(booking.deal), "recorded_at": _iso(now)})
            if booking.position is not None:
                await self._insert("positions", position_values(booking.position), "OR REPLACE")
            await self._write("COMMIT")
        except BaseException:
            await self._roll_back()
            raise

    async def _prepare(self, path: Path) -> None:
        try:
            self._connection.row_factory = sqlite3.Row
            version = (await self._rows("PRAGMA user_version"))[0][0]
            if version > SCHEMA_VERSION:
                raise VenueError(
                    f"The paper account's record {path} was written by a newer Tapedesk "
                    f"(schema {version}). Update Tapedesk; the record was not touched."
                )
            await self._rows("PRAGMA journal_mode = WAL")
            await self._rows("PRAGMA synchronous = FULL")
            if version == 0:
                await self._connection.executescript(_SCHEMA)
        except (sqlite3.Error, VenueUnavailableError) as e:
            raise VenueError(
                f"The paper account's record {path} cannot be used: {e} "
                "Check the folder, or move the file away to open a new paper account."
            ) from e

    async def _latest(self, table: str) -> list[sqlite3.Row]:
        return await self._rows(f"SELECT * FROM {table} ORDER BY id DESC LIMIT ?", (RECENT,))

    async def _rows(self, sql: str, parameters: tuple[SqlValue, ...] = ()) -> list[sqlite3.Row]:
        with _plain_errors():
            return list(await self._connection.execute_fetchall(sql, parameters))

    async def _write(self, sql: str, parameters: tuple[SqlValue, ...] = ()) -> None:
        await self._rows(sql, parameters)

    async def _insert(self, table: str, values: Mapping[str, SqlValue], mode: str = "") -> None:
        columns = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        await self._write(
            f"INSERT {mode} INTO {table} ({columns}) VALUES ({marks})", tuple(values.values())
        )

    async def _roll_back(self) -> None:
        try:
            await self._write("ROLLBACK")
        except VenueUnavailableError:
            return  # nothing was open: BEGIN failed, or SQLite had rolled back by itself


_TOTALS = """
SELECT (SELECT coalesce(sum(profit_cents + commission_cents + swap_cents), 0) FROM deals) AS cents,
       (SELECT coalesce(max(id), 0) FROM orders) AS order_id,
       (SELECT coalesce(max(id), 0) FROM deals) AS deal_id,
       (SELECT coalesce(max(id), 0) FROM positions) AS position_id
"""


def _iso(moment: datetime) -> str:
    return moment.isoformat()
