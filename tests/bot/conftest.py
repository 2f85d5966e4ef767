"""A desk per test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.bot_desk import ChatDesk


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[ChatDesk]:
    """A chat with an owner, a viewer, and everything behind it in memory."""
    made = ChatDesk()
    yield made
    await made.end()
