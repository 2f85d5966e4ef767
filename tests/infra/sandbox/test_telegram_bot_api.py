"""The sandbox's Bot API, spoken to by aiogram as a real bot would."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from aiogram.utils.formatting import Bold, DateTime, ExpandableBlockQuote, Pre, Text

from core.errors import StartupRefusedError
from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.sandbox.telegram.server import SandboxTelegram
from tests.support.clock import ManualClock

TOKEN = "4242:sandbox-token"
OWNER = 1001


def png(width: int = 40, height: int = 30) -> bytes:
    """A small valid picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


async def _venue() -> Mapping[str, object]:
    return {"orders": []}


def make_server(folder: Path, wall: ManualClock) -> SandboxTelegram:
    return SandboxTelegram(
        token=TOKEN,
        bot_name="tapedesk_sandbox_bot",
        users=SANDBOX_USERS,
        wall=wall,
        venue=_venue,
        set_speed=lambda speed: None,
        data_dir=folder,
        port=0,
    )


class QuickSession(AiohttpSession):
    """aiogram's own session without its quarter second of waiting after the close."""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def make_bot(server: SandboxTelegram, token: str = TOKEN) -> Bot:
    return Bot(token, session=QuickSession(api=TelegramAPIServer.from_base(server.base_url)))


@pytest.fixture
def wall() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server(tmp_path: Path, wall: ManualClock) -> AsyncIterator[SandboxTelegram]:
    running = make_server(tmp_path, wall)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def bot(server: SandboxTelegram) -> AsyncIterator[Bot]:
    client = make_bot(server)
    yield client
    await client.session.close()


@pytest.fixture
async def person(server: SandboxTelegram) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.base_url) as session:
        yield session


async def say(person: aiohttp.ClientSession, text: str, user: str = "owner") -> int:
    async with person.post(f"/api/chats/{user}/messages", json={"text": text}) as response:
        assert response.status == 200
        return int((await response.json())["update_id"])


async def tap(person: aiohttp.ClientSession, **body: object) -> dict[str, object]:
    async with person.post("/api/chats/owner/taps", json=body) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, object] = await response.json()
        return answer


def one_button(
    text: str = "Go", data: str = "s:x:1:1", style: str | None = None
) -> InlineKeyboardMarkup:
    button = InlineKeyboardButton(text=text, callback_data=data, style=style)
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


async def test_the_bot_learns_who_it_is(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (4242, True, "tapedesk_sandbox_bot")


async def test_formatted_text_comes_back_as_the_entities_that_were_sent(bot: Bot) -> None:
    content = Text(
        "😀 ",
        Bold("Filled"),
        "\n",
        Pre("Entry 1.0"),
        ExpandableBlockQuote("Because."),
        DateTime("14:45 UTC", unix_time=1_772_000_000, date_time_format="t"),
    )
    sent = await bot.send_message(OWNER, **content.as_kwargs())
    html = await bot.send_message(OWNER, content.as_html(), parse_mode="HTML")
    assert sent.text == html.text == content.as_kwargs()["text"]
    assert sent.entities == html.entities
    kinds = [entity.type for entity in sent.entities or []]
    assert kinds == ["bold", "pre", "expandable_blockquote", "date_time"]
    assert (sent.entities or [])[0].offset == 3


async def test_a_message_is_edited_in_place_and_dated(bot: Bot, wall: ManualClock) -> None:
    sent = await bot.send_message(OWNER, "one", reply_markup=one_button(style="success"))
    wall.tick(60)
    edited = await sent.edit_text("two")
    assert isinstance(edited, Message)
    assert (edited.message_id, edited.text, edited.reply_markup) == (sent.message_id, "two", None)
    assert edited.edit_date is not None
    assert edited.edit_date - int(sent.date.timestamp()) == 60


@pytest.mark.parametrize(
    ("method", "arguments", "reason"),
    [
        ("send_message", {"chat_id": 5, "text": "x"}, "chat not found"),
        ("send_message", {"chat_id": OWNER, "text": "  \n"}, "message text is empty"),
        ("send_message", {"chat_id": OWNER, "text": "x" * 4097}, "message is too long"),
        ("send_message", {"chat_id": OWNER, "text": "<b>x", "parse_mode": "HTML"}, "can't parse"),
        ("send_message", {"chat_id": OWNER, "text": "x", "parse_mode": "MarkdownV2"}, "HTML only"),
        (
            "send_message",
            {"chat_id": OWNER, "text": "x", "reply_parameters": ReplyParameters(message_id=99)},
            "message to be replied not found",
        ),
        (
            "send_message",
            {"chat_id": OWNER, "text": "x", "reply_markup": one_button(data="é" * 33)},
            "BUTTON_DATA_INVALID",
        ),
        (
            "send_photo",
            {
                "chat_id": OWNER,
                "photo": BufferedInputFile(png(), "a.png"),
                "caption": "x" * 1025,
            },
            "message caption is too long",
        ),
        (
            "send_photo",
            {"chat_id": OWNER, "photo": BufferedInputFile(b"no picture", "a.png")},
            "IMAGE_PROCESS_FAILED",
        ),
        (
            "edit_message_text",
            {"chat_id": OWNER, "message_id": 9, "text": "x"},
            "to edit not found",
        ),
        ("delete_message", {"chat_id": OWNER, "message_id": 9}, "message to delete not found"),
        ("answer_callback_query", {"callback_query_id": "0"}, "query is too old"),
        ("answer_callback_query", {"callback_query_id": "0", "text": "x" * 201}, "TOO_LONG"),
        ("set_webhook", {"url": "https://example.org"}, "bad webhook"),
        (
            "set_my_commands",
            {"commands": [BotCommand(command="A", description="x")]},
            "COMMAND_INV",
        ),
    ],
)
async def test_refusals_use_telegrams_words(
    bot: Bot, method: str, arguments: dict[str, object], reason: str
) -> None:
    with pytest.raises(TelegramBadRequest, match=reason):
        await getattr(bot, method)(**arguments)


async def test_limits_are_reached_but_not_passed(bot: Bot) -> None:
    assert (await bot.send_message(OWNER, "x" * 4096)).message_id == 1
    await bot.send_message(OWNER, "x", reply_markup=one_button(data="é" * 32))
    caption = f"<b>{'x' * 1024}</b>"
    await bot.send_photo(
        OWNER, BufferedInputFile(png(), "a.png"), caption=caption, parse_mode="HTML"
    )


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot) -> None:
    sent = await bot.send_message(OWNER, "same", reply_markup=one_button())
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.edit_text("same", reply_markup=one_button())
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.edit_reply_markup(reply_markup=one_button())


async def test_a_persons_message_cannot_be_edited(bot: Bot, person: aiohttp.ClientSession) -> None:
    await say(person, "mine")
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("yours", chat_id=OWNER, message_id=1)


async def test_a_reply_may_outlive_its_message_when_allowed(bot: Bot) -> None:
    first = await bot.send_message(OWNER, "card")
    reply = await first.reply("filled")
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.message_id == first.message_id
    await first.delete()
    free = ReplyParameters(message_id=first.message_id, allow_sending_without_reply=True)
    orphan = await bot.send_message(OWNER, "late", reply_parameters=free)
    assert orphan.reply_to_message is None


async def test_a_photo_is_kept_replaced_and_downloaded(bot: Bot) -> None:
    sent = await bot.send_photo(OWNER, BufferedInputFile(png(40, 30), "a.png"), caption="one")
    assert sent.photo is not None
    assert (sent.photo[-1].width, sent.photo[-1].height) == (40, 30)
    media = InputMediaPhoto(media=BufferedInputFile(png(60, 20), "b.png"), caption="two")
    edited = await sent.edit_media(media)
    assert isinstance(edited, Message)
    assert edited.photo is not None
    assert (edited.caption, edited.photo[-1].width) == ("two", 60)
    content = await bot.download(edited.photo[-1].file_id)
    assert content is not None
    assert content.read() == png(60, 20)
    again = await bot.send_photo(OWNER, sent.photo[-1].file_id)
    assert again.photo is not None
    assert again.photo[-1].width == 40
    with pytest.raises(TelegramBadRequest, match="no text in the message"):
        await again.edit_text("x")


async def test_a_document_keeps_its_name(bot: Bot, person: aiohttp.ClientSession) -> None:
    sent = await bot.send_document(OWNER, BufferedInputFile(b"a,b\n", "journal.csv"))
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size) == ("journal.csv", 4)
    async with person.get(f"/api/documents/{sent.document.file_id}") as response:
        assert await response.read() == b"a,b\n"
        assert response.headers["Content-Disposition"].startswith("attachment")


async def test_a_tap_reaches_the_bot_and_its_answer_the_person(
    bot: Bot, person: aiohttp.ClientSession
) -> None:
    card = await bot.send_message(OWNER, "card", reply_markup=one_button("Execute"))
    answer = await tap(person, message_id=card.message_id, text="Execute")
    (update,) = await bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert update.update_id == answer["update_id"]
    assert (query.data, query.from_user.id) == ("s:x:1:1", OWNER)
    assert isinstance(query.message, Message)
    assert query.message.message_id == card.message_id
    await query.answer("Sending…", show_alert=True)
    async with person.get("/api/chats/owner") as response:
        assert (await response.json())["toasts"] == ["Sending…"]


async def test_an_answer_after_fifteen_seconds_is_too_late(
    bot: Bot, person: aiohttp.ClientSession, wall: ManualClock
) -> None:
    await tap(person, message_id=1, data="s:x:1:1")
    (update,) = await bot.get_updates()
    wall.tick(15.5)
    assert update.callback_query is not None
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await update.callback_query.answer("late")


async def test_updates_come_again_until_the_offset_confirms_them(
    bot: Bot, person: aiohttp.ClientSession
) -> None:
    ids = [await say(person, text) for text in ("a", "b", "c")]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    assert [u.update_id for u in await bot.get_updates(limit=2)] == ids[:2]
    assert [u.update_id for u in await bot.get_updates(offset=ids[1])] == ids[1:]
    assert [u.update_id for u in await bot.get_updates()] == ids[1:]
    assert [u.update_id for u in await bot.get_updates(offset=-1)] == ids[2:]
    assert await bot.get_updates(offset=ids[2] + 1) == []
    assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_a_long_poll_ends_with_the_first_update(
    bot: Bot, person: aiohttp.ClientSession
) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.05)
    await say(person, "/start")
    async with asyncio.timeout(2):
        (update,) = await poll
    assert update.message is not None
    assert update.message.text == "/start"
    assert [e.type for e in update.message.entities or []] == ["bot_command"]


async def test_kinds_of_updates_that_were_not_asked_for_are_passed_over(
    bot: Bot, person: aiohttp.ClientSession
) -> None:
    await bot.get_updates(allowed_updates=["message"])
    await tap(person, message_id=1, data="x")
    await say(person, "hello")
    assert [u.event_type for u in await bot.get_updates()] == ["message"]


async def test_the_older_of_two_pollers_gets_a_conflict(bot: Bot, server: SandboxTelegram) -> None:
    other = make_bot(server)
    older = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.05)
    newer = asyncio.create_task(other.get_updates(timeout=1))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
        await older
    assert await newer == []
    await other.session.close()


async def test_a_wrong_token_and_an_unknown_method_are_told_apart(
    server: SandboxTelegram, person: aiohttp.ClientSession
) -> None:
    stranger = make_bot(server, "4242:wrong")
    with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
        await stranger.get_me()
    await stranger.session.close()
    async with person.post(f"/bot{TOKEN}/sendHologram") as response:
        assert response.status == 404
        assert (await response.json())["error_code"] == 404
    async with person.get(f"/file/bot{TOKEN}/nothing") as response:
        assert response.status == 404


async def test_get_file_of_an_unknown_id_is_refused(bot: Bot) -> None:
    with pytest.raises((TelegramBadRequest, TelegramNotFound)):
        await bot.get_file("nothing")


async def test_json_query_and_form_calls_mean_the_same(person: aiohttp.ClientSession) -> None:
    path = f"/bot{TOKEN}/sendMessage"
    keyboard = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}
    async with person.post(path, json={"chat_id": OWNER, "text": "x", "reply_markup": keyboard}):
        pass
    async with person.post(path, data={"chat_id": "1001", "text": "x"}):
        pass
    async with person.get(path, params={"chat_id": "1001", "text": "x"}) as response:
        assert (await response.json())["result"]["message_id"] == 3


async def test_the_narrowest_command_menu_is_shown(bot: Bot, person: aiohttp.ClientSession) -> None:
    async def shown(user: str) -> list[str]:
        async with person.get(f"/api/chats/{user}") as response:
            return [c["command"] for c in (await response.json())["commands"]]

    def menu(word: str) -> list[BotCommand]:
        return [BotCommand(command=word, description="does it")]

    await bot.set_my_commands(menu("start"))
    assert await shown("owner") == ["start"]
    await bot.set_my_commands(menu("help"), scope=BotCommandScopeAllPrivateChats())
    await bot.set_my_commands(menu("panic"), scope=BotCommandScopeChat(chat_id=OWNER))
    assert await shown("owner") == ["panic"]
    assert await shown("stranger") == ["help"]
    await bot.delete_my_commands(scope=BotCommandScopeChat(chat_id=OWNER))
    assert await shown("owner") == ["help"]
    assert [c.command for c in await bot.get_my_commands()] == ["start"]


async def test_reply_keyboards_pins_and_actions_are_seen(
    bot: Bot, person: aiohttp.ClientSession
) -> None:
    keys = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="📈 Analyse")]], is_persistent=True)
    sent = await bot.send_message(OWNER, "menu", reply_markup=keys)
    await bot.pin_chat_message(OWNER, sent.message_id)
    await bot.send_chat_action(OWNER, "upload_photo")
    async with person.get("/api/page/owner") as response:
        page = await response.json()
    assert page["chat"]["keyboard"] == [["📈 Analyse"]]
    assert (page["pinned"], page["action"]["name"]) == (sent.message_id, "upload_photo")
    chat = await bot.get_chat(OWNER)
    assert chat.pinned_message is not None
    await bot.unpin_chat_message(OWNER)
    await bot.send_message(OWNER, "gone", reply_markup=ReplyKeyboardRemove())
    async with person.get("/api/page/owner") as response:
        page = await response.json()
    assert (page["chat"]["keyboard"], page["pinned"], page["action"]) == ([], None, None)


async def test_history_ids_and_waiting_updates_survive_a_killed_server(
    tmp_path: Path, wall: ManualClock
) -> None:
    killed = make_server(tmp_path, wall)
    await killed.start()
    bot = make_bot(killed)
    async with aiohttp.ClientSession(killed.base_url) as person:
        await bot.send_photo(OWNER, BufferedInputFile(png(), "a.png"), reply_markup=one_button())
        kept_update = await say(person, "waiting")
    await bot.session.close()

    revived = make_server(tmp_path, wall)
    await revived.start()
    bot = make_bot(revived)
    async with aiohttp.ClientSession(revived.base_url) as person:
        assert [u.update_id for u in await bot.get_updates()] == [kept_update]
        assert (await bot.send_message(OWNER, "after")).message_id == 3
        async with person.get("/api/chats/owner") as response:
            messages = (await response.json())["messages"]
        async with person.get(messages[0]["photo"]) as response:
            assert await response.read() == png()
    assert [m["id"] for m in messages] == [1, 2, 3]
    assert messages[0]["buttons"] == [[{"text": "Go", "data": "s:x:1:1", "style": None}]]
    await bot.session.close()
    await revived.stop()
    await killed.stop()


async def test_stop_is_quick_with_polls_and_streams_open(tmp_path: Path, wall: ManualClock) -> None:
    server = make_server(tmp_path, wall)
    await server.start()
    bot = make_bot(server)
    async with (
        aiohttp.ClientSession(server.base_url) as person,
        person.get("/api/stream/owner") as stream,
    ):
        assert await stream.content.readline() == b"data: changed\n"
        poll = asyncio.create_task(bot.get_updates(timeout=30))
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await server.stop()
        assert loop.time() - started < 0.5
    assert await poll == []
    await bot.session.close()


async def test_a_taken_port_is_refused_with_the_way_out(
    server: SandboxTelegram, tmp_path: Path, wall: ManualClock
) -> None:
    port = int(server.base_url.rsplit(":", 1)[1])
    second = SandboxTelegram(
        token=TOKEN,
        bot_name="b",
        users=SANDBOX_USERS,
        wall=wall,
        venue=_venue,
        set_speed=lambda speed: None,
        data_dir=tmp_path,
        port=port,
    )
    with pytest.raises(StartupRefusedError, match=rf"Port {port} is taken .*--port N"):
        await second.start()
