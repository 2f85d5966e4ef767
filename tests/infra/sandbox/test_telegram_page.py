"""The chat page in a real browser: hostile text stays text, taps are answered, edits stay put."""

import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.sandbox.telegram.server import SandboxTelegram
from tests.support.clock import ManualClock

playwright = pytest.importorskip("playwright.async_api")
CHROMIUM = shutil.which("chromium")
TOKEN = "4242:sandbox-token"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>owned()</script>"
KEYBOARD = {"inline_keyboard": [[{"text": "Execute", "callback_data": "x", "style": "success"}]]}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


async def _venue() -> Mapping[str, object]:
    return {}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SandboxTelegram]:
    running = SandboxTelegram(
        token=TOKEN,
        bot_name="tapedesk_sandbox_bot",
        users=SANDBOX_USERS,
        wall=ManualClock(),
        venue=_venue,
        set_speed=lambda speed: None,
        data_dir=tmp_path,
        port=0,
    )
    await running.start()
    yield running
    await running.stop()


async def test_a_person_talks_taps_and_sees_edits(server: SandboxTelegram) -> None:
    async with (
        playwright.async_playwright() as driver,
        aiohttp.ClientSession(server.base_url) as client,
    ):

        async def bot(method: str, **values: object) -> Any:
            async with client.post(f"/bot{TOKEN}/{method}", json=values) as response:
                answer = await response.json()
            assert answer["ok"], answer
            return answer["result"]

        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        faults: list[str] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        await page.goto(server.base_url)

        await page.get_by_role("button", name="START").click()
        await page.get_by_role("button", name="/start").wait_for()
        await page.get_by_label("Message", exact=True).fill(HOSTILE)
        await page.keyboard.press("Enter")
        await page.locator(".row.out", has_text="onerror").wait_for()
        assert await page.locator(".words img, .words script").count() == 0
        assert await page.title() == "Tapedesk"

        table = "\n".join("0123456789012345678901234567890" for _ in range(3))
        card = await bot(
            "sendMessage",
            chat_id=1001,
            text=f"<b>Card</b>\n<pre>{table}</pre>",
            parse_mode="HTML",
            reply_markup=KEYBOARD,
        )
        execute = page.get_by_role("button", name="Execute")
        await execute.click()
        await page.locator(".buttons .busy").wait_for()
        assert await page.eval_on_selector("pre", "pre => pre.scrollWidth - pre.clientWidth") == 0
        query = (await bot("getUpdates"))[-1]["callback_query"]
        await bot("answerCallbackQuery", callback_query_id=query["id"], text="Sending…")
        await page.locator(".toast", has_text="Sending…").wait_for()
        await page.locator(".buttons .busy").wait_for(state="detached")

        await bot("editMessageText", chat_id=1001, message_id=card["message_id"], text="Filled")
        edited = page.locator(f".row[data-id='{card['message_id']}']")
        await edited.get_by_text("Filled").wait_for()
        assert await edited.get_by_text("edited").count() == 1
        assert await execute.count() == 0
        assert faults == []
        await browser.close()
