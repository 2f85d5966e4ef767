"""A journal on a real file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.model.people import Role
from db.connection import Journal
from tests.support.clock import START, ManualClock

OWNER = 101
TRADER = 202
VIEWER = 303


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A fresh sandbox journal."""
    async with Journal.open(tmp_path / "journal.sqlite", "sandbox", ManualClock()) as opened:
        yield opened


@pytest.fixture
async def peopled(journal: Journal) -> Journal:
    """A journal with an owner and a trader (subscribed) and a viewer (not subscribed)."""
    await journal.users.save(OWNER, Role.OWNER, "Ola", START)
    await journal.users.save(TRADER, Role.TRADER, "Tom", START)
    await journal.users.save(VIEWER, Role.VIEWER, "Vic", START)
    return journal
