"""A real browser on the chat page: taps what a person taps and takes the pictures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Error, Locator, Page, sync_playwright

from tests.e2e.desk_process import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PICTURES = ROOT / "test-output" / "pictures"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
PHONE = (390, 844)
DESKTOP = (1280, 800)
PATIENCE_MS = 30_000


class Eyes:
    """One window."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self._name = name
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

    def button(self, text: str) -> Locator:
        """The newest button whose text starts so."""
        return self.page.get_by_role("button", name=text).last

    def tap(self, text: str) -> None:
        """Tap it, once it is there."""
        self.button(text).click(timeout=PATIENCE_MS)

    def say(self, text: str) -> None:
        """Type into the field and send."""
        self.page.locator("#text").fill(text)
        self.page.locator("#text").press("Enter")

    def see(self, text: str) -> None:
        """Wait until a message contains the text."""
        self.page.locator("#messages").get_by_text(text).last.wait_for(timeout=PATIENCE_MS)

    def picture(self, moment: str) -> Path:
        """Save what the window shows."""
        self.page.wait_for_timeout(600)
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{self._name}-{moment}.png"
        self.page.screenshot(path=path)
        return path

    def fits(self) -> bool:
        """Nothing sticks out sideways."""
        wide: bool = self.page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        return wide


@contextmanager
def browser_window(
    address: str, name: str, size: tuple[int, int], scheme: Literal["dark", "light"]
) -> Iterator[Eyes]:
    """A fresh window on the chat page; raises Error when the browser does not start."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            page = browser.new_page(
                viewport={"width": size[0], "height": size[1]},
                color_scheme=scheme,
                device_scale_factor=2 if size == PHONE else 1,
            )
            page.goto(address)
            yield Eyes(page, name)
        finally:
            browser.close()


def why_blind() -> str | None:
    """Why no browser can be used here, or None."""
    if CHROMIUM is None:
        return "no chromium on this machine"
    try:
        with browser_window("about:blank", "probe", PHONE, "light"):
            return None
    except Error as e:
        return f"chromium does not start: {e.message.splitlines()[0]}"
