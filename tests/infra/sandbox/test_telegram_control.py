"""The sandbox's control interface and its protections, spoken to over plain HTTP."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.telegram.entities import format_text
from infra.sandbox.telegram.faults import BotApiError
from infra.sandbox.telegram.html_parser import parse_html, utf16_length
from infra.sandbox.telegram.images import picture_size
from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.sandbox.telegram.server import SandboxTelegram
from tests.support.clock import ManualClock

TOKEN = "4242:sandbox-token"
SCHEMA = Path(__file__).parents[4] / "shared" / "data" / "7_telegram" / "bot_api_10.1.json.gz"
KEYBOARD = {
    "inline_keyboard": [
        [{"text": "Execute", "callback_data": "s:x:1:1", "style": "success"}],
        [{"text": "Docs", "url": "https://example.org"}],
    ]
}


class Desk:
    """A running sandbox and a client of it."""

    def __init__(self, server: SandboxTelegram, client: aiohttp.ClientSession) -> None:
        self.server = server
        self.client = client
        self.speeds: list[float] = []

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(path, headers=sent) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(path, json=body, headers=sent) as response:
            return response.status, await response.json()

    async def bot(self, method: str, **values: object) -> Any:
        _, answer = await self.post(f"/bot{TOKEN}/{method}", values)
        assert answer["ok"], answer
        return answer["result"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    speeds: list[float] = []

    async def venue() -> Mapping[str, object]:
        return {"orders": [], "positions": [{"id": "p1"}], "deals": []}

    server = SandboxTelegram(
        token=TOKEN,
        bot_name="tapedesk_sandbox_bot",
        users=SANDBOX_USERS,
        wall=ManualClock(),
        venue=venue,
        set_speed=speeds.append,
        data_dir=tmp_path,
        port=0,
    )
    await server.start()
    async with aiohttp.ClientSession(server.base_url) as client:
        running = Desk(server, client)
        running.speeds = speeds
        yield running
    await server.stop()


async def test_health_is_ready_once_the_bot_polls(desk: Desk) -> None:
    expected = {"ready": False, "bot": "@tapedesk_sandbox_bot", "mode": "sandbox"}
    assert await desk.get("/api/health") == (200, expected)
    await desk.bot("getUpdates")
    assert await desk.get("/api/health") == (200, expected | {"ready": True})


async def test_a_chat_has_the_documented_shape(desk: Desk) -> None:
    await desk.post("/api/chats/owner/messages", {"text": "hello /start"})
    await desk.bot(
        "sendMessage",
        chat_id=1001,
        text="<b>Card</b>",
        parse_mode="HTML",
        reply_markup=KEYBOARD,
        reply_parameters={"message_id": 1},
    )
    _, chat = await desk.get("/api/chats/owner")
    assert set(chat) == {"messages", "toasts", "keyboard", "commands"}
    person, bot = chat["messages"]
    assert (person["id"], person["from"], person["text"]) == (1, "user", "hello /start")
    assert bot == {
        "id": 2,
        "from": "bot",
        "date": 1_772_542_800,
        "text": "Card",
        "caption": None,
        "entities": [{"type": "bold", "offset": 0, "length": 4}],
        "photo": None,
        "document": None,
        "reply_to": 1,
        "edited": None,
        "buttons": [
            [{"text": "Execute", "data": "s:x:1:1", "style": "success"}],
            [{"text": "Docs", "data": None, "style": None, "url": "https://example.org"}],
        ],
    }


async def test_edits_change_the_message_where_it_stands(desk: Desk) -> None:
    await desk.bot("sendMessage", chat_id=1001, text="one", reply_markup=KEYBOARD)
    await desk.bot("editMessageText", chat_id=1001, message_id=1, text="two")
    _, chat = await desk.get("/api/chats/owner")
    (message,) = chat["messages"]
    assert (message["text"], message["buttons"]) == ("two", [])
    assert message["edited"] == message["date"]


async def test_a_repeated_tap_has_its_own_update_and_callback_ids(desk: Desk) -> None:
    await desk.bot("sendMessage", chat_id=1001, text="card", reply_markup=KEYBOARD)
    tap = {"message_id": 1, "text": "Execute", "times": 3}
    status, answer = await desk.post("/api/chats/owner/taps", tap)
    updates = await desk.bot("getUpdates")
    assert status == 200
    assert answer["update_ids"] == [u["update_id"] for u in updates]
    assert len({u["update_id"] for u in updates}) == 3
    assert len({u["callback_query"]["id"] for u in updates}) == 3
    assert {u["callback_query"]["data"] for u in updates} == {"s:x:1:1"}


async def test_stale_and_forged_taps_are_delivered_when_data_is_given(desk: Desk) -> None:
    forged = {"message_id": 77, "data": "s:x:9:9"}
    status, _ = await desk.post("/api/chats/stranger/taps", forged)
    (update,) = await desk.bot("getUpdates")
    assert status == 200
    assert update["callback_query"]["from"]["id"] == 1004
    assert update["callback_query"]["message"] == {
        "chat": update["callback_query"]["message"]["chat"],
        "message_id": 77,
        "date": 0,
    }


@pytest.mark.parametrize(
    ("tap", "reason"),
    [
        ({"message_id": 9, "text": "Execute"}, "there is no message 9"),
        ({"message_id": 1, "text": "Buy"}, "has no button 'Buy'; its buttons: 'Execute', 'Docs'"),
        ({"message_id": 1, "text": "Docs"}, "sends nothing"),
        ({"message_id": 1}, "by its data or its text"),
        ({"message_id": 1, "data": "x", "times": 0}, "times must be between 1"),
        ({"data": "x"}, "cannot be read"),
    ],
)
async def test_taps_that_cannot_be_made_are_refused(
    desk: Desk, tap: dict[str, object], reason: str
) -> None:
    await desk.bot("sendMessage", chat_id=1001, text="card", reply_markup=KEYBOARD)
    status, answer = await desk.post("/api/chats/owner/taps", tap)
    assert status == 400
    assert reason in answer["error"]
    assert await desk.bot("getUpdates") == []


async def test_a_long_text_arrives_in_parts_as_from_a_real_client(desk: Desk) -> None:
    status, _ = await desk.post("/api/chats/owner/messages", {"text": "x" * 5000})
    updates = await desk.bot("getUpdates")
    assert status == 200
    assert [len(u["message"]["text"]) for u in updates] == [4096, 904]
    status, answer = await desk.post("/api/chats/owner/messages", {"text": " \n "})
    assert (status, answer) == (400, {"error": "the text is empty"})


async def test_hostile_text_stays_text(desk: Desk) -> None:
    hostile = "<img src=x onerror=alert(1)> &lt;b&gt; \u202e ]]>"
    await desk.post("/api/chats/owner/messages", {"text": hostile})
    _, chat = await desk.get("/api/chats/owner")
    assert chat["messages"][0]["text"] == hostile
    for script in (Path(__file__).parents[3] / "infra/sandbox/telegram/page").glob("*.js"):
        source = script.read_text(encoding="utf-8")
        assert "innerHTML" not in source
        assert "insertAdjacentHTML" not in source


async def test_unknown_people_and_paths_are_plain_errors(desk: Desk) -> None:
    status, answer = await desk.post("/api/chats/nobody/messages", {"text": "x"})
    assert status == 404
    assert answer["error"].startswith("nobody here is called nobody; there are owner, trader")
    status, answer = await desk.get("/api/nothing")
    assert (status, answer) == (404, {"error": "Not Found"})


async def test_the_market_speed_is_checked_and_passed_on(desk: Desk) -> None:
    assert await desk.post("/api/clock", {"speed": 5}) == (200, {"speed": 5.0})
    for speed in (0, -1, 1001, "fast"):
        status, answer = await desk.post("/api/clock", {"speed": speed})
        assert status == 400
        assert "speed" in answer["error"]
    assert desk.speeds == [5.0]


async def test_venue_and_faults_answer_as_documented(desk: Desk) -> None:
    _, venue = await desk.get("/api/venue")
    assert venue["positions"] == [{"id": "p1"}]
    status, answer = await desk.post("/api/faults", {"exchange": "hang"})
    assert status == 400
    assert "there is telegram: slow, outage, " in answer["error"]
    async with desk.client.delete("/api/faults") as response:
        assert await response.json() == {}


async def test_the_page_fetches_only_what_changed(desk: Desk) -> None:
    await desk.bot("sendMessage", chat_id=1001, text="one")
    await desk.bot("sendMessage", chat_id=1001, text="two")
    _, first = await desk.get("/api/page/owner")
    await desk.bot("editMessageText", chat_id=1001, message_id=1, text="uno")
    await desk.bot("deleteMessage", chat_id=1001, message_id=2)
    _, second = await desk.get(f"/api/page/owner?since={first['revision']}")
    assert [m["text"] for m in first["chat"]["messages"]] == ["one", "two"]
    assert [m["text"] for m in second["chat"]["messages"]] == ["uno"]
    assert second["message_ids"] == [1]


async def test_the_stream_tells_of_changes(desk: Desk) -> None:
    async with desk.client.get("/api/stream/owner") as stream:
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readline() == b"data: changed\n"
        await stream.content.readline()
        await desk.bot("sendMessage", chat_id=1001, text="new")
        async with asyncio.timeout(2):
            assert await stream.content.readline() == b"data: changed\n"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
async def test_foreign_callers_are_turned_away(
    desk: Desk, headers: dict[str, str], status: int
) -> None:
    got, _ = await desk.get("/api/chats/owner", **headers)
    posted, _ = await desk.post("/api/chats/owner/messages", {"text": "x"}, **headers)
    assert (got, posted) == (status, status)


async def test_own_origins_are_served_and_forms_are_not(desk: Desk) -> None:
    port = desk.server.base_url.rsplit(":", 1)[1]
    status, _ = await desk.get(
        "/api/health", Host=f"localhost:{port}", Origin=f"http://localhost:{port}"
    )
    assert status == 200
    async with desk.client.post("/api/chats/owner/messages", data={"text": "x"}) as response:
        assert response.status == 415
    assert (await desk.get(f"/bot{TOKEN}/getMe", Host="evil.example"))[0] == 421
    assert (await desk.get(f"/bot{TOKEN}/getMe", Origin="https://a.example"))[0] == 200


async def test_the_page_is_whole_and_locked_down(desk: Desk) -> None:
    async with desk.client.get("/?user=viewer") as response:
        page = await response.text()
        headers = response.headers
    assert "Sandbox: simulated market, paper money, nothing leaves this computer" in page
    assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers
    for name in ("chat.js", "chat.css", "theme.js", "entities.js", "bubbles.css"):
        async with desk.client.get(f"/{name}") as response:
            assert response.status == 200, name
    assert (await desk.get("/../server.py"))[0] == 404


def check_shape(types: dict[str, Any], kind: str, value: Any) -> None:
    """Assert that `value` is a `kind` of the published schema: known fields, none missing."""
    if kind.startswith("Array of "):
        for item in value:
            check_shape(types, kind.removeprefix("Array of "), item)
    elif kind in types and "fields" in types[kind]:
        fields = {f["name"]: f for f in types[kind]["fields"]}
        assert set(value) <= set(fields), (kind, set(value) - set(fields))
        for name, field in fields.items():
            assert name in value or not field["required"], (kind, name)
            if name in value and len(field["types"]) == 1:
                check_shape(types, field["types"][0], value[name])
    else:
        plain = {"Integer": int, "String": str, "Boolean": bool, "True": bool}.get(kind)
        assert plain is None or isinstance(value, plain), (kind, value)


async def test_answers_fit_the_published_schema(desk: Desk) -> None:
    if not SCHEMA.exists():
        pytest.skip("the published Bot API schema is not on this machine")
    types = json.loads(gzip.decompress(SCHEMA.read_bytes()))["types"]
    text = (
        '<b>Card</b> <a href="https://a.example">a</a> <pre>x</pre> <tg-time unix="1">t</tg-time>'
    )
    sent = await desk.bot(
        "sendMessage", chat_id=1001, text=text, parse_mode="HTML", reply_markup=KEYBOARD
    )
    check_shape(types, "Message", sent)
    form = aiohttp.FormData({"chat_id": "1001"})
    form.add_field("document", b"a,b", filename="a.csv")
    async with desk.client.post(f"/bot{TOKEN}/sendDocument", data=form) as response:
        document = (await response.json())["result"]
    check_shape(types, "Message", document)
    file_id = document["document"]["file_id"]
    check_shape(types, "File", await desk.bot("getFile", file_id=file_id))
    await desk.post("/api/chats/owner/messages", {"text": "/start"})
    await desk.post("/api/chats/owner/taps", {"message_id": 1, "text": "Execute"})
    check_shape(types, "Array of Update", await desk.bot("getUpdates"))
    check_shape(types, "User", await desk.bot("getMe"))
    await desk.bot("pinChatMessage", chat_id=1001, message_id=1)
    check_shape(types, "ChatFullInfo", await desk.bot("getChat", chat_id=1001))
    check_shape(types, "WebhookInfo", await desk.bot("getWebhookInfo"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<foo>x</foo>", 'Unsupported start tag "foo" at byte offset 0'),
        ("é<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-time unix="soon">x</tg-time>', 'must have a valid attribute "unix"'),
        ('<tg-time unix="²">x</tg-time>', 'must have a valid attribute "unix"'),
    ],
)
def test_broken_html_is_refused_in_telegrams_words(source: str, reason: str) -> None:
    with pytest.raises(BotApiError) as refused:
        format_text(source, "HTML", None)
    assert refused.value.description.startswith("Bad Request: can't parse entities: ")
    assert reason in refused.value.description


def test_nested_tags_and_references_become_entities() -> None:
    text, entities = parse_html(
        '<b>a &lt;<i>b</i></b> &#128512;<pre><code class="language-py">x</code></pre>'
    )
    assert text == "a <b 😀x"
    assert [(e.type, e.offset, e.length, e.language) for e in entities] == [
        ("italic", 3, 1, None),
        ("bold", 0, 4, None),
        ("pre", 7, 1, "py"),
    ]


def test_detected_entities_stay_out_of_code() -> None:
    found = format_text("/start <code>/stop $BTC</code> $ETH #a1 @tapedesk", "HTML", None)
    assert [e.type for e in found.entities] == [
        "bot_command",
        "code",
        "cashtag",
        "hashtag",
        "mention",
    ]


@given(st.text(alphabet="ab <>/&#;x0dD8bipre\"='😀\n", max_size=60))
def test_any_html_is_parsed_within_bounds_or_refused(source: str) -> None:
    try:
        found = format_text(source, "HTML", None)
    except BotApiError:
        return
    end = utf16_length(found.text)
    assert found.text == found.text.strip(" \t\r\n")
    assert len(found.text.encode()) >= len(found.text)
    assert all(
        e.length > 0 and e.offset >= 0 and e.offset + e.length <= end for e in found.entities
    )


@given(st.binary(max_size=64), st.sampled_from([b"", b"\xff\xd8\xff\xc0", b"\x89PNG\r\n\x1a\n"]))
def test_any_bytes_are_measured_or_refused(content: bytes, magic: bytes) -> None:
    size = picture_size(magic + content)
    assert size is None or all(side >= 0 for side in size)
