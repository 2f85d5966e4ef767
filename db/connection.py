"""The journal: one SQLite file and the repositories over it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.clock import Clock
from db.aiosqlite_database import AiosqliteDatabase
from db.database import Database
from db.journal_repo import AuditRepository
from db.order_repository import OrderRepository
from db.outbox_repository import OutboxRepository
from db.pairing_repository import PairingRepository
from db.position_repository import PositionRepository
from db.preparation import prepare
from db.setting_repository import SettingRepository
from db.signal_repository import SignalRepository
from db.user_repository import UserRepository


class Journal:
    """All stores of one environment over one database."""

    def __init__(self, database: Database, wall: Clock) -> None:
        self.database = database
        self.signals = SignalRepository(database)
        self.orders = OrderRepository(database)
        self.positions = PositionRepository(database)
        self.outbox = OutboxRepository(database)
        self.users = UserRepository(database, wall)
        self.settings = SettingRepository(database)
        self.audit = AuditRepository(database)
        self.pairing = PairingRepository(database)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, environment: str, wall: Clock) -> AsyncIterator["Journal"]:
        """The journal at `path`, made or migrated first, closed on every way out.

        Raises JournalError (SchemaTooNewError, EnvironmentMismatchError) with advice.
        """
        await asyncio.to_thread(prepare, path, environment, wall.utc_now())
        database = await AiosqliteDatabase.open(path)
        try:
            yield cls(database, wall)
        finally:
            await database.close()
