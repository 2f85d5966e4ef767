"""A fresh paper account."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.paper_account import PaperDesk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[PaperDesk]:
    """10,000 USD, leverage 100, no commission, no slippage."""
    async with open_desk(tmp_path / "paper.sqlite") as opened:
        yield opened
