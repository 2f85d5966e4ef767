"""Telegram misbehaves on command; the desk's chat side survives, says so and is right afterwards.

Clock seconds: the clock runs twenty times as fast as real time unless a test says otherwise.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import polling, preflight
from bot.telegram_link import LinkState
from core.model.commands import ClosePosition, ExecuteSignal
from core.model.notice import NoticePriority, NoticeTopic
from core.model.outcome import CloseNotWon, NotWon
from core.model.signal import SignalState
from tests.support.bot_desk import OWNER, VIEWER, ChatDesk, position_of
from tests.support.desk_builders import signal_of
from tests.support.faulty_chat import FaultyChat, faulty_chat

EXECUTE = "s:x:1:1"
CLOSE = "p:c:7:1"
AGAIN = "Sent again"


@pytest.fixture
async def desk() -> AsyncIterator[ChatDesk]:
    made = ChatDesk()
    yield made
    await made.end()


@pytest.fixture
async def chat(tmp_path: Path, desk: ChatDesk) -> AsyncIterator[FaultyChat]:
    async with faulty_chat(tmp_path, desk) as running:
        yield running


async def card_of(chat: FaultyChat, desk: ChatDesk) -> int:
    """A signal card stands in the owner's chat; its message id."""
    now = chat.wall.utc_now()
    desk.signals.rows[1] = signal_of(created_at=now, expires_at=now.replace(year=now.year + 1))
    await chat.queue(NoticeTopic.SIGNAL_CARD)
    await chat.eventually(lambda: desk.signals.places, "a card")
    chat.told.executed = NotWon(signal=desk.signals.rows[1])
    return next(p.message_id for p in desk.signals.places if p.chat_id == OWNER)


def orders(chat: FaultyChat) -> list[Any]:
    return [c for c in chat.told.commands if isinstance(c, ExecuteSignal | ClosePosition)]


# Silence that Telegram asks for.


async def test_429_is_obeyed_in_its_chat_and_no_other(chat: FaultyChat) -> None:
    await chat.misbehave("too_many_requests", retry_after=30, chat=OWNER, times=1)
    began = chat.wall.monotonic()
    await chat.tell("stop hit")
    await chat.sees(lambda texts: texts == ["stop hit"], "the other chat", "viewer")
    assert chat.wall.monotonic() - began < 20
    await chat.say("/health")
    await chat.tell("second")
    await chat.sees(lambda texts: "stop hit" in texts, "the message")
    assert chat.wall.monotonic() - began >= 30
    assert chat.fired("too_many_requests") == 1
    await chat.sees(lambda texts: "second" in texts, "the rest")
    texts = await chat.texts()
    assert texts.count("stop hit") == texts.count("second") == 1
    assert "30 s of silence" in await chat.health_line()
    assert chat.errors.texts == []
