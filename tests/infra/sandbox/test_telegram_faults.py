"""Telegram misbehaves on command; the desk's chat side survives, says so and is right afterwards.

Clock seconds: the clock runs twenty times as fast as real time unless a test says otherwise.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import GetMe

from bot import polling
from bot.telegram_link import LinkState, classify
from core.model.commands import ClosePosition, ExecuteSignal
from core.model.notice import NoticePriority, NoticeTopic
from core.model.outcome import CloseNotWon, NotWon
from core.model.signal import SignalState
from tests.support.bot_desk import OWNER, ChatDesk, position_of
from tests.support.desk_builders import signal_of
from tests.support.faulty_chat import FaultyChat, faulty_chat

EXECUTE = "s:x:1:1"
CLOSE = "p:c:7:1"
AGAIN = "Sent again"
STRANGER_LINE = "This is a private trading desk."
FLOOD = 310


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
    await chat.say("/positions")
    await chat.tell("second")
    await chat.sees(lambda texts: texts, "anything at all")
    assert chat.wall.monotonic() - began >= 30
    await chat.sees(lambda texts: "second" in texts, "the rest")
    texts = await chat.texts()
    assert texts.count("stop hit") == texts.count("second") == 1
    assert chat.fired("too_many_requests") == 1
    assert "🟢 Telegram: connected" in await chat.health_line()
    assert "asked for 30 s of silence" in await chat.health_line()


async def test_a_held_chat_does_not_hold_another(chat: FaultyChat) -> None:
    await chat.misbehave("too_many_requests", retry_after=4, chat=OWNER, times=1)
    await chat.tell("first")
    await chat.eventually(lambda: chat.fired("too_many_requests"), "the refusal")
    began = chat.wall.monotonic()
    await chat.tell("second")
    await chat.sees(lambda texts: "second" in texts, "the other chat", "viewer")
    assert chat.wall.monotonic() - began < 2.5
    assert await chat.texts() == []


async def test_the_person_hears_that_an_answer_was_withheld(chat: FaultyChat) -> None:
    await chat.misbehave("too_many_requests", retry_after=20, times=1)
    await chat.say("/positions")
    began = chat.wall.monotonic()
    await chat.sees(lambda texts: texts, "a word about it")
    assert chat.wall.monotonic() - began >= 19
    assert await chat.texts() == [
        "Telegram asked me for 20 s of silence, so my last answer was not sent. Please ask again."
    ]


async def test_429_on_polls_is_waited_out(chat: FaultyChat) -> None:
    await chat.misbehave("too_many_requests", on="updates", retry_after=15, times=1)
    assert await chat.answers() >= 5
    assert chat.fired("too_many_requests") == 1


# Nobody there.


@pytest.mark.parametrize("how", ["hang", "close"])
async def test_after_an_outage_everything_comes_once_money_first(
    chat: FaultyChat, how: str
) -> None:
    await chat.misbehave("outage", how=how)
    if how == "close":
        await chat.eventually(lambda: not chat.link.ok, "the outage noticed")
        assert "🔴 Telegram: no answer from Telegram" in await chat.health_line()
    else:
        chat.link.troubled(classify(TelegramNetworkError(GetMe(), "")))
    for text, priority in (
        ("news", NoticePriority.INFO),
        ("signal", NoticePriority.SIGNAL),
        ("stop hit", NoticePriority.MONEY),
    ):
        await chat.tell(text, priority)
    await asyncio.sleep(0.3)
    await chat.behave()
    for user in ("owner", "viewer"):
        await chat.sees(lambda texts: len(texts) >= 3, "the messages", user)
    assert await chat.texts() == ["stop hit", "signal", "news"]
    assert await chat.texts("viewer") == ["stop hit", "signal", "news"]
    await chat.eventually(lambda: chat.link.ok, "the end noticed")
    assert "🟢 Telegram: connected; last trouble " in await chat.health_line()
    assert "no answer from Telegram" in await chat.health_line()
    assert chat.errors.texts == []


async def test_a_hanging_telegram_is_noticed_and_no_handler_waits_for_it(
    tmp_path: Path, desk: ChatDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "POLL_SECONDS", 1)
    async with faulty_chat(tmp_path, desk, request_seconds=0.4) as chat:
        await chat.misbehave("outage")
        await chat.tell("stop hit")
        await chat.eventually(lambda: not chat.link.ok, "the outage noticed")
        await chat.behave()
        await chat.sees(lambda texts: texts, "the message", "viewer")
        await chat.sees(lambda texts: texts, "the message")
        for user in ("owner", "viewer"):
            assert [text.splitlines()[-1] for text in await chat.texts(user)] == ["stop hit"]


async def test_a_message_that_went_stale_in_the_outage_is_not_sent(chat: FaultyChat) -> None:
    await chat.misbehave("outage", how="close")
    await chat.eventually(lambda: not chat.link.ok, "the outage noticed")
    await chat.tell("old signal", NoticePriority.SIGNAL, life=4)
    await chat.tell("stop hit")
    await asyncio.sleep(0.4)
    await chat.behave()
    await chat.sees(lambda texts: texts, "the message")
    assert await chat.answers() < 20
    texts = await chat.texts()
    assert texts[0] == "stop hit"
    assert "old signal" not in texts
    assert (await chat.outbox())[0] == ("old signal", "expired")


async def test_an_expired_signal_is_not_shown_after_the_outage(
    chat: FaultyChat, desk: ChatDesk
) -> None:
    await chat.misbehave("outage", how="close")
    await chat.eventually(lambda: not chat.link.ok, "the outage noticed")
    desk.signals.rows[1] = signal_of(expires_at=chat.wall.utc_now())
    await chat.queue(NoticeTopic.SIGNAL_CARD)
    await chat.behave()
    assert await chat.answers() < 20
    assert desk.signals.places == []
    assert len(await chat.texts()) == 1


async def test_it_stops_quickly_while_telegram_hangs(tmp_path: Path, desk: ChatDesk) -> None:
    async with faulty_chat(tmp_path, desk) as chat:
        await chat.misbehave("outage")
        await chat.say("/health")
        await chat.tell("stop hit")
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 2


# Wrong answers.


@pytest.mark.parametrize(
    "fault",
    [{"name": "server_error"}, {"name": "server_error", "status": 502}, {"name": "html_502"}],
)
async def test_server_trouble_is_survived_and_safety_notices_arrive(
    chat: FaultyChat, fault: dict[str, Any]
) -> None:
    await chat.misbehave(**fault)
    await chat.eventually(lambda: not chat.link.ok, "the trouble noticed")
    assert "🔴 Telegram: Telegram has trouble of its own" in await chat.health_line()
    await chat.tell("stop hit")
    await asyncio.sleep(0.2)
    await chat.behave()
    await chat.sees(lambda texts: texts, "the message")
    assert await chat.answers() < 20
    texts = await chat.texts()
    assert [text for text in texts if "stop hit" in text] == ["stop hit"]


@pytest.mark.parametrize("fault", ["server_error", "html_502", "sent_then_lost"])
async def test_a_doubtful_safety_notice_is_repeated_once_and_says_so(
    chat: FaultyChat, fault: str
) -> None:
    scope = {} if fault == "sent_then_lost" else {"on": "sends"}
    await chat.misbehave(fault, **scope)
    await chat.tell("stop hit")
    await chat.eventually(lambda: chat.fired(fault) >= 2, "both chats tried")
    await chat.behave()
    await chat.sees(lambda texts: any(AGAIN in text for text in texts), "the repetition")
    await asyncio.sleep(0.3)
    texts = await chat.texts()
    arrived = ["stop hit"] if fault == "sent_then_lost" else []
    assert [text for text in texts if AGAIN not in text] == arrived
    (again,) = [text for text in texts if AGAIN in text]
    assert again.endswith("stop hit")
    assert "did not confirm" in await chat.health_line()


async def test_replies_lost_for_ever_mean_two_messages_at_most(chat: FaultyChat) -> None:
    await chat.misbehave("sent_then_lost", chat=OWNER)
    await chat.tell("stop hit")
    await chat.sees(lambda texts: len(texts) == 2, "both")
    await asyncio.sleep(0.5)
    assert len(await chat.texts()) == 2
    assert [state for _, state in await chat.outbox()] == ["failed", "sent"]


async def test_a_card_whose_reply_was_lost_stands_once_and_works(
    chat: FaultyChat, desk: ChatDesk
) -> None:
    now = chat.wall.utc_now()
    desk.signals.rows[1] = signal_of(expires_at=now.replace(year=now.year + 1))
    await chat.misbehave("sent_then_lost", chat=OWNER)
    await chat.queue(NoticeTopic.SIGNAL_CARD)
    await chat.eventually(lambda: chat.fired("sent_then_lost"), "the loss")
    await chat.behave()
    await asyncio.sleep(0.3)
    (card,) = (await chat.chat())["messages"]
    assert OWNER not in {place.chat_id for place in desk.signals.places}
    chat.told.executed = NotWon(signal=signal_of(state=SignalState.EXECUTED, rev=3))
    await chat.tap(card["id"], EXECUTE)
    await chat.eventually(lambda: len(orders(chat)) == 1, "the order")
    await chat.eventually(
        lambda: (
            [(p.message_id, p.has_photo) for p in desk.signals.places if p.chat_id == OWNER]
            == [(card["id"], True)]
        ),
        "the card remembered",
    )


async def test_unreadable_bytes_are_an_answer_like_any_other(chat: FaultyChat) -> None:
    await chat.misbehave("html_502", on="sends", times=2)
    await chat.tell("news", NoticePriority.INFO)
    await chat.eventually(lambda: chat.fired("html_502") == 2, "the answers")
    await chat.tell("later")
    await chat.sees(lambda texts: texts, "the next message")
    assert (await chat.texts())[-1] == "later"


# Somebody else, or nobody any more.


async def test_409_halts_entries_is_told_and_sends_go_on(chat: FaultyChat) -> None:
    await chat.misbehave("conflict")
    await chat.eventually(lambda: chat.link.state is LinkState.CONFLICT, "the conflict")
    assert "another program receives this bot's messages" in await chat.health_line()
    refusal = chat.state.check("BTCUSD")
    assert refusal is not None
    assert refusal.code == "telegram_conflict"
    assert "I keep trying every 30 s" in chat.said[0]
    await chat.tell("stop hit")
    await chat.sees(lambda texts: texts == ["stop hit"], "the message")
    await chat.behave()
    await chat.eventually(lambda: chat.link.ok, "the end of it")
    assert chat.state.check("BTCUSD") is None
    assert chat.fired("conflict") <= 2
    assert chat.said[1] == "Telegram is connected."


async def test_a_revoked_token_halts_entries_and_loses_nothing(chat: FaultyChat) -> None:
    await chat.misbehave("unauthorized")
    await chat.eventually(lambda: chat.link.state is LinkState.REFUSED, "the refusal")
    assert chat.state.check("BTCUSD") is not None
    assert "refuses the bot's token" in await chat.health_line()
    await chat.tell("stop hit")
    await asyncio.sleep(0.2)
    await chat.behave()
    await chat.sees(lambda texts: texts == ["stop hit"], "the message")
    await chat.eventually(lambda: chat.link.ok, "the end of it")
    assert chat.state.check("BTCUSD") is None


async def test_a_person_who_blocks_the_bot_is_left_alone_until_start(chat: FaultyChat) -> None:
    await chat.misbehave("blocked_by_user", chat=OWNER)
    await chat.tell("one")
    await chat.sees(lambda texts: texts == ["one"], "the other chat", "viewer")
    await chat.tell("two")
    await chat.sees(lambda texts: texts == ["one", "two"], "the other chat", "viewer")
    assert chat.fired("blocked_by_user") == 1
    assert "somebody has blocked the bot" in await chat.health_line()
    await chat.behave()
    await chat.say("/start")
    await chat.sees(lambda texts: any("Tapedesk" in text for text in texts), "the greeting")
    await chat.tell("three")
    await chat.sees(lambda texts: "three" in texts, "the message")


# Taps: what the journal says decides, not what Telegram answers.


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "late_answers"},
        {"name": "server_error", "on": "answers"},
        {"name": "html_502", "on": "answers"},
        {"name": "too_many_requests", "on": "answers"},
        {"name": "outage", "how": "close", "on": "answers"},
        {"name": "outage", "how": "hang", "on": "answers"},
        {"name": "edit_refused", "why": "not_found"},
        {"name": "edit_refused", "why": "not_modified"},
        {"name": "edit_refused", "why": "cant_edit"},
        {"name": "edit_refused", "why": "invalid_id"},
        {"name": "server_error", "on": "edits"},
        {"name": "too_many_requests"},
        {"name": "cant_parse_entities"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_execute_and_close_do_not_need_telegrams_leave(
    chat: FaultyChat, desk: ChatDesk, fault: dict[str, Any]
) -> None:
    card = await card_of(chat, desk)
    desk.positions.rows[7] = position_of()
    chat.told.closed = CloseNotWon(position=desk.positions.rows[7])
    await chat.misbehave(**fault)
    began = asyncio.get_running_loop().time()
    await chat.tap(card, EXECUTE)
    await chat.tap(card, CLOSE)
    await chat.eventually(lambda: len(orders(chat)) == 2, "both orders")
    assert asyncio.get_running_loop().time() - began < 5
    await chat.behave()
    await asyncio.sleep(0.1)
    assert len(orders(chat)) == 2
    assert not any("on its way" in text for text in await chat.texts())
    assert chat.errors.texts == []


async def test_a_slow_telegram_delays_a_tap_by_its_toast_only(
    chat: FaultyChat, desk: ChatDesk
) -> None:
    card = await card_of(chat, desk)
    await chat.misbehave("slow", delay=400, on="answers")
    began = asyncio.get_running_loop().time()
    await chat.tap(card, EXECUTE)
    await chat.eventually(lambda: orders(chat), "the order")
    assert asyncio.get_running_loop().time() - began < 3


async def test_slow_answers_lose_nothing(chat: FaultyChat) -> None:
    await chat.misbehave("slow", delay=5)
    await chat.tell("stop hit")
    await chat.sees(lambda texts: texts == ["stop hit"], "the message")
    assert 5 <= await chat.answers() < 40


async def test_formatting_that_telegram_refuses_becomes_bare_words(
    chat: FaultyChat, desk: ChatDesk
) -> None:
    await chat.misbehave("cant_parse_entities")
    await card_of(chat, desk)
    (card,) = (await chat.chat())["messages"]
    assert card["entities"] == []
    assert "BTCUSD" in card["text"]
    assert card["buttons"][0][0]["text"].startswith("✅ Execute")
    await chat.say("/health")
    await chat.eventually(lambda: chat.fired("cant_parse_entities") >= 3, "the refusal")


async def test_a_lost_edit_is_made_good_by_the_outbox(chat: FaultyChat, desk: ChatDesk) -> None:
    card = await card_of(chat, desk)
    await chat.misbehave("server_error", on="edits")
    over = signal_of(state=SignalState.EXPIRED, rev=2)
    desk.signals.rows[1] = over
    chat.told.executed = NotWon(signal=over)
    await chat.queue(NoticeTopic.SIGNAL_EDIT)
    await chat.tap(card, EXECUTE)
    await chat.eventually(lambda: chat.fired("server_error") >= 2, "the losses")
    await chat.behave()
    await chat.sees(lambda texts: "Expired" in texts[0], "the card put right")
    assert (await chat.chat())["messages"][0]["buttons"] == []


# Updates as they should not be.


@pytest.mark.parametrize("fault", ["duplicate_updates", "new_update_id"])
async def test_a_tap_that_comes_twice_carries_the_same_revision(
    chat: FaultyChat, desk: ChatDesk, fault: str
) -> None:
    card = await card_of(chat, desk)
    await chat.misbehave(fault)
    await chat.tap(card, EXECUTE)
    await chat.eventually(lambda: len(orders(chat)) == 2, "both taps")
    first, second = orders(chat)
    assert first == second == ExecuteSignal(signal_id=1, rev=1, user_id=OWNER)
    assert chat.errors.texts == []


async def test_update_ids_that_fall_back_are_read_on(chat: FaultyChat) -> None:
    assert await chat.answers() < 20
    await chat.misbehave("regressing_update_ids")
    assert await chat.answers() < 20
    assert await chat.answers() < 20
    texts = await chat.texts()
    assert len(texts) == 3


@pytest.mark.parametrize("what", ["sender", "message", "text", "content"])
async def test_updates_with_missing_parts_are_passed_over(
    chat: FaultyChat, desk: ChatDesk, what: str
) -> None:
    card = await card_of(chat, desk)
    before = len(await chat.texts())
    await chat.misbehave("missing_fields", what=what)
    await chat.say("/analyse BTCUSD")
    await chat.tap(card, EXECUTE)
    await chat.tap(card, "a:m5:1")
    await chat.eventually(lambda: chat.fired("missing_fields"), "such an update")
    await asyncio.sleep(0.2)
    await chat.behave()
    assert await chat.answers() < 20
    assert len(orders(chat)) == (1 if what in ("message", "text") else 0)
    if what in ("sender", "content"):
        assert len(await chat.texts()) == before + 1
    assert chat.errors.texts == []


@pytest.mark.parametrize("bursts", [1, pytest.param(33, marks=pytest.mark.long)])
async def test_a_strangers_flood_costs_one_line_and_the_owner_nothing(
    tmp_path: Path, desk: ChatDesk, bursts: int
) -> None:
    async with faulty_chat(tmp_path, desk, speed=1.0) as chat:
        for _ in range(bursts):
            chat.flood(FLOOD)
            assert await chat.answers() <= 1.0
        stranger = await chat.chat("stranger")
        assert len(stranger["messages"]) == len(stranger["toasts"]) == 1
        assert stranger["messages"][0]["text"] == stranger["toasts"][0] == STRANGER_LINE
        assert len(await chat.texts()) == bursts
        access = chat.access
        for table in (access._strangers, access._stranger_taps):
            assert len(table._said) == 1
        assert set(access._throttle._times) == {OWNER}
        assert set(access._seen) == {OWNER}
        assert len(asyncio.all_tasks()) < 40
        assert chat.errors.texts == []


# The switchboard.


async def test_faults_are_listed_end_in_time_and_wrong_ones_are_explained(
    chat: FaultyChat,
) -> None:
    await chat.misbehave("late_answers", seconds=4)
    async with chat.client.get("/api/faults") as answer:
        assert await answer.json() == {"telegram": ["late_answers"]}
    await asyncio.sleep(0.25)
    assert chat.server.faults.active() == ()
    for order, words in (
        ("rain", "there is no fault 'rain'; there are slow, outage, "),
        ({"name": "outage", "how": "loudly"}, "how must be one of hang, close"),
        ({"name": "slow", "delay": -1}, "delay must be a number from 0 to 600"),
    ):
        async with chat.client.post("/api/faults", json={"telegram": order}) as answer:
            assert answer.status == 400
            assert words in (await answer.json())["error"]
    assert chat.server.faults.active() == ()


async def test_the_page_and_the_control_interface_work_during_any_fault(chat: FaultyChat) -> None:
    for name in chat.server.faults.known():
        await chat.misbehave(name)
        for path in ("/", "/api/health", "/api/page/owner", "/api/venue"):
            async with chat.client.get(path) as answer:
                assert answer.status == 200
        await chat.say("hello")
    await chat.behave()
    await chat.eventually(lambda: chat.link.ok, "the end of it")
