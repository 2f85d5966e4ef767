"""The outbox reaches the chat: in order, within limits, never twice by guesswork."""

import asyncio
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    GetMe,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiohttp import ClientConnectorError, ServerDisconnectedError

from bot.outbox_sender import OutboxSender
from bot.telegram_link import TelegramLink
from core.event_bus import EventBus
from core.model.events import NoticesQueued
from core.model.notice import CardPlace, NoticePriority, NoticeTopic
from core.model.position import PositionState
from core.model.signal import SignalState
from core.model.values import Money
from tests.support.bot_desk import OWNER, VIEWER, ChatDesk, position_of
from tests.support.clock import START
from tests.support.desk_builders import signal_of
from tests.support.telegram_session import TOKEN, Edited, labels, words

CARD = CardPlace(signal_id=1, chat_id=OWNER, message_id=55, has_photo=True)


def sender_of(desk: ChatDesk) -> OutboxSender:
    """A sender over the desk's outbox."""
    return OutboxSender(desk.bot, desk.services, EventBus().mailbox(NoticesQueued), link_of(desk))


def link_of(desk: ChatDesk) -> TelegramLink:
    """A link that is well."""
    link = TelegramLink(desk.wall, lambda text: None)
    link.connected()
    return link


def network_error(cause: Exception) -> Any:
    """A failure factory: aiogram's network error caused by `cause`."""

    def make(method: TelegramMethod[Any]) -> Exception:
        error = TelegramNetworkError(method, str(cause))
        error.__cause__ = cause
        return error

    return make


def refused_connection() -> ClientConnectorError:
    """What aiohttp raises when nobody listens."""
    key: Any = type("Key", (), {"host": "h", "port": 1, "ssl": True, "is_ssl": False})()
    return ClientConnectorError(key, OSError(111, "refused"))


async def test_card_goes_out_with_picture_and_its_place_is_remembered(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    item = desk.outbox.add(NoticeTopic.SIGNAL_CARD)

    await sender_of(desk).deliver_due()

    (sent,) = desk.session.of(SendPhoto)
    assert labels(sent) == ["✅ Execute 0.02 · risk $2.00", "🚫 Dismiss"]
    assert desk.signals.places == [replace(CARD, message_id=1001)]
    assert desk.outbox.done == {item.id: ("sent", 1001)}


async def test_card_of_a_viewer_has_no_buttons(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    desk.outbox.add(NoticeTopic.SIGNAL_CARD, chat_id=VIEWER)

    await sender_of(desk).deliver_due()

    assert labels(desk.session.of(SendPhoto)[0]) == []


async def test_card_is_rendered_from_the_state_at_the_time_of_sending(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(state=SignalState.EXECUTING, rev=2)
    desk.outbox.add(NoticeTopic.SIGNAL_CARD)

    await sender_of(desk).deliver_due()

    (sent,) = desk.session.of(SendPhoto)
    assert "⏳ Sending…" in words(sent)
    assert labels(sent) == []


@pytest.mark.parametrize(
    "stale",
    [
        signal_of(state=SignalState.EXPIRED),
        signal_of(state=SignalState.DISMISSED),
        signal_of(expires_at=START),
    ],
)
async def test_signal_that_is_over_is_not_sent_late(desk: ChatDesk, stale: Any) -> None:
    desk.signals.rows[1] = stale
    item = desk.outbox.add(NoticeTopic.SIGNAL_CARD)

    await sender_of(desk).deliver_due()

    assert desk.session.calls == []
    assert desk.outbox.done[item.id][0] == "failed"


async def test_card_already_standing_is_edited_not_repeated(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    desk.signals.places.append(CARD)
    desk.outbox.add(NoticeTopic.SIGNAL_CARD)

    await sender_of(desk).deliver_due()

    assert desk.session.of(SendPhoto) == []
    assert desk.session.of(EditMessageMedia)[0].message_id == 55


async def test_edit_reaches_every_card_of_the_chat_and_of_unsubscribed_chats(
    desk: ChatDesk,
) -> None:
    await desk.users.subscribe(VIEWER, False)
    desk.signals.rows[1] = signal_of(state=SignalState.EXPIRED, rev=2)
    other = replace(CARD, message_id=60, has_photo=False)
    desk.signals.places += [CARD, other, replace(CARD, chat_id=VIEWER, message_id=9)]
    desk.outbox.add(NoticeTopic.SIGNAL_EDIT)

    await sender_of(desk).deliver_due()

    edited = [(call.chat_id, call.message_id) for call in desk.session.of(*Edited)]
    assert edited == [(OWNER, 55), (OWNER, 60), (VIEWER, 9)]
    assert all("⌛ Expired" in words(call) for call in desk.session.calls)


async def test_repriced_signal_gets_a_new_picture_on_the_old_message(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    desk.signals.places.append(CARD)
    desk.outbox.add(NoticeTopic.SIGNAL_EDIT)

    await sender_of(desk).deliver_due()

    assert len(desk.session.of(EditMessageMedia)) == 1


async def test_card_that_already_looks_so_counts_as_edited(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(rev=2)
    desk.signals.places.append(CARD)
    item = desk.outbox.add(NoticeTopic.SIGNAL_EDIT)
    same = "Bad Request: message is not modified: specified new message content is the same"
    desk.session.fail(EditMessageCaption, lambda m: TelegramBadRequest(m, same))

    await sender_of(desk).deliver_due()

    assert len(desk.session.calls) == 1
    assert desk.outbox.done == {item.id: ("sent", None)}


async def test_fill_and_close_are_replies_to_the_card(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(state=SignalState.EXECUTED, rev=3)
    desk.signals.places += [CARD, replace(CARD, chat_id=VIEWER, message_id=9)]
    desk.positions.rows[7] = position_of()
    done = position_of(id=8, state=PositionState.CLOSED, profit=Money.of("3.00"))
    desk.positions.rows[8] = done
    desk.outbox.add(NoticeTopic.POSITION_OPENED, 7, priority=NoticePriority.MONEY)
    desk.outbox.add(NoticeTopic.POSITION_CLOSED, 8, priority=NoticePriority.MONEY)

    await sender_of(desk).deliver_due()

    fill, close = desk.session.of(SendMessage)
    assert fill.reply_parameters.message_id == close.reply_parameters.message_id == 55
    assert fill.reply_parameters.allow_sending_without_reply is True
    assert labels(fill) == ["💼 Position #7"]
    assert words(close).startswith("🏁 BTCUSD closed: +$3.00 (+1.5R)")


async def test_problem_is_told_from_the_journal(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(state=SignalState.REJECTED, state_reason="The venue is closed")
    desk.outbox.add(NoticeTopic.EXECUTION_PROBLEM)

    await sender_of(desk).deliver_due()

    assert desk.session.texts() == [
        "❌ Signal #1 was not executed.\nThe venue is closed. No money moved."
    ]


async def test_money_goes_before_signals_before_information(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    desk.outbox.add(NoticeTopic.TEXT, text="news", priority=NoticePriority.INFO)
    desk.outbox.add(NoticeTopic.TEXT, text="signal", priority=NoticePriority.SIGNAL)
    desk.outbox.add(NoticeTopic.POSITION_OPENED, 7, priority=NoticePriority.MONEY)

    await sender_of(desk).deliver_due()

    calls = desk.session.of(SendMessage)
    assert [words(c)[:6] for c in calls] == ["✅ Fill", "signal", "news"]
    assert [c.disable_notification for c in calls] == [False, False, True]


async def test_a_chat_gets_a_burst_then_one_message_a_second(desk: ChatDesk) -> None:
    for number in range(6):
        desk.outbox.add(NoticeTopic.TEXT, text=str(number))
    desk.outbox.add(NoticeTopic.TEXT, text="other chat", chat_id=VIEWER)
    sender = sender_of(desk)

    held = await sender.deliver_due()
    assert desk.session.texts() == ["0", "1", "2", "3", "other chat"]
    assert held == pytest.approx(1.0)

    desk.wall.tick(1.0)
    await sender.deliver_due()
    assert desk.session.texts()[5:] == ["4"]


async def test_flood_control_is_obeyed_for_that_chat_only(desk: ChatDesk) -> None:
    first = desk.outbox.add(NoticeTopic.TEXT, text="a")
    second = desk.outbox.add(NoticeTopic.TEXT, text="b")
    desk.outbox.add(NoticeTopic.TEXT, text="c", chat_id=VIEWER)
    desk.session.fail(SendMessage, lambda m: TelegramRetryAfter(m, "Too Many Requests", 30))

    await sender_of(desk).deliver_due()

    assert desk.outbox.until[first.id] == START + timedelta(seconds=30)
    assert desk.outbox.until[second.id] >= START + timedelta(seconds=29)
    assert desk.session.texts() == ["a", "c"]


async def test_refused_connection_is_tried_again(desk: ChatDesk) -> None:
    item = desk.outbox.add(NoticeTopic.TEXT, text="a")
    desk.session.fail(SendMessage, network_error(refused_connection()))
    sender = sender_of(desk)

    await sender.deliver_due()
    assert item.id not in desk.outbox.done
    desk.wall.tick(2)
    await sender.deliver_due()

    assert desk.outbox.done[item.id] == ("sent", 1001)


async def test_a_real_closed_port_counts_as_not_sent(desk: ChatDesk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = TelegramAPIServer.from_base(f"http://127.0.0.1:{taken.getsockname()[1]}")
        async with Bot(TOKEN, session=AiohttpSession(api=server)) as bot:
            item = desk.outbox.add(NoticeTopic.TEXT, text="a")
            await OutboxSender(
                bot, desk.services, EventBus().mailbox(), link_of(desk)
            ).deliver_due()

    assert item.id not in desk.outbox.done
    assert desk.outbox.until[item.id] == START


@pytest.mark.parametrize(
    "failure",
    [
        network_error(TimeoutError()),
        network_error(ServerDisconnectedError()),
        lambda m: TelegramServerError(m, "Bad Gateway"),
        lambda m: ClientDecodeError("no JSON", ValueError(), "<html>"),
    ],
)
async def test_message_that_may_have_arrived_is_not_repeated(desk: ChatDesk, failure: Any) -> None:
    item = desk.outbox.add(NoticeTopic.TEXT, text="a")
    desk.session.fail(SendMessage, failure)
    sender = sender_of(desk)

    await sender.deliver_due()
    desk.wall.tick(100)
    await sender.deliver_due()

    assert len(desk.session.of(SendMessage)) == 1
    state, reason = desk.outbox.done[item.id]
    assert state == "failed"
    assert str(reason).startswith("possibly delivered")


async def test_edit_is_repeated_after_any_network_trouble(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(rev=2)
    desk.signals.places.append(CARD)
    item = desk.outbox.add(NoticeTopic.SIGNAL_EDIT)
    desk.session.fail(EditMessageCaption, network_error(TimeoutError()))
    sender = sender_of(desk)

    await sender.deliver_due()
    desk.wall.tick(2)
    await sender.deliver_due()

    assert desk.outbox.done == {item.id: ("sent", None)}


@pytest.mark.parametrize(
    "failure",
    [
        lambda m: TelegramBadRequest(m, "Bad Request: can't parse entities"),
        lambda m: TelegramEntityTooLarge(m, "Request Entity Too Large"),
    ],
)
async def test_refused_card_falls_back_to_bare_words(desk: ChatDesk, failure: Any) -> None:
    desk.signals.rows[1] = signal_of()
    item = desk.outbox.add(NoticeTopic.SIGNAL_CARD)
    desk.session.fail(SendPhoto, failure)

    await sender_of(desk).deliver_due()

    (bare,) = desk.session.of(SendMessage)
    assert bare.entities == []
    assert labels(bare)[0].startswith("✅ Execute")
    assert desk.signals.places[0].has_photo is False
    assert desk.outbox.done[item.id][0] == "sent"


async def test_twice_refused_is_given_up_with_its_reason(desk: ChatDesk) -> None:
    item = desk.outbox.add(NoticeTopic.TEXT, text="a")
    for _ in range(2):
        desk.session.fail(SendMessage, lambda m: TelegramBadRequest(m, "chat not found"))

    await sender_of(desk).deliver_due()

    assert "chat not found" in str(desk.outbox.done[item.id][1])


async def test_blocked_bot_unsubscribes_the_chat(desk: ChatDesk) -> None:
    item = desk.outbox.add(NoticeTopic.TEXT, text="a")
    desk.session.fail(SendMessage, lambda m: TelegramForbiddenError(m, "bot was blocked"))

    await sender_of(desk).deliver_due()

    assert not desk.users.people[OWNER].subscribed
    assert desk.outbox.done[item.id][0] == "failed"


async def test_revoked_token_keeps_messages_for_later(desk: ChatDesk) -> None:
    item = desk.outbox.add(NoticeTopic.TEXT, text="a")
    desk.session.fail(SendMessage, lambda m: TelegramUnauthorizedError(m, "Unauthorized"))

    sender = sender_of(desk)

    await sender.deliver_due()
    assert item.id not in desk.outbox.done
    await sender.deliver_due()

    assert [type(call) for call in desk.session.calls] == [SendMessage, GetMe, SendMessage]
    assert desk.outbox.done[item.id][0] == "sent"


async def test_notices_wake_the_sender_at_once_and_polling_finds_the_rest(desk: ChatDesk) -> None:
    bus = EventBus()
    sender = OutboxSender(desk.bot, desk.services, bus.mailbox(NoticesQueued), link_of(desk))
    running = asyncio.create_task(sender.run())
    await desk.wall.advance(0.1)

    desk.outbox.add(NoticeTopic.TEXT, text="now")
    bus.publish(NoticesQueued(at=START))
    await desk.wall.advance(0)
    assert desk.session.texts() == ["now"]

    desk.outbox.add(NoticeTopic.TEXT, text="later")
    await desk.wall.advance(1.0)
    assert desk.session.texts() == ["now", "later"]

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
