"""The whole story tapped in a real browser, on a phone and on a desktop, with pictures."""

from typing import Literal

import pytest

from tests.e2e.desk_process import DeskProcess
from tests.e2e.eyes import DESKTOP, PHONE, browser_window, why_blind

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module", autouse=True)
def eyesight() -> None:
    """Skip with the reason where there is no browser."""
    reason = why_blind()
    if reason is not None:
        pytest.skip(reason)


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [("phone", PHONE, "dark"), ("desktop", DESKTOP, "light")],
    ids=["phone", "desktop"],
)
def test_the_first_minute_in_a_browser(
    desk: DeskProcess, name: str, size: tuple[int, int], scheme: Literal["dark", "light"]
) -> None:
    desk.start()
    with browser_window(f"http://127.0.0.1:{desk.port}/", name, size, scheme) as eyes:
        eyes.picture("0-empty")
        eyes.tap("START")
        eyes.see("Welcome to Tapedesk")
        eyes.button("✅ Execute").wait_for(timeout=30_000)
        eyes.picture("1-practice-card")
        assert eyes.fits()
        eyes.tap("✅ Execute")
        eyes.see("is set at the venue")
        eyes.picture("2-filled")
        eyes.say("BTCUSD h1")
        eyes.see("BTCUSD · H1")
        eyes.picture("3-analysis")
        eyes.tap("M5")
        eyes.see("BTCUSD · M5")
        eyes.say("/positions")
        eyes.see("Open positions: 1")
        eyes.tap("#1 BTCUSD")
        eyes.button("✖ Close").wait_for(timeout=30_000)
        eyes.picture("4-position")
        eyes.tap("✖ Close")
        eyes.see("Details: /journal 1")
        eyes.picture("5-closed")
        for words, answer in (
            ("/journal", "Finished trades"),
            ("/stats", "practice trade"),
            ("/health", "journal and venue agree"),
            ("/help", "What I understand"),
            ("/signals", "Waiting for you"),
        ):
            eyes.say(words)
            eyes.see(answer)
            eyes.picture(f"6-{words.removeprefix('/')}")
        assert eyes.fits()
        assert eyes.errors == []
    assert desk.venue()["positions"] == []
    assert len(desk.venue()["orders"]) == 2


def test_a_viewer_and_a_stranger_on_the_page(asked_desk: DeskProcess) -> None:
    address = f"http://127.0.0.1:{asked_desk.port}/"
    with browser_window(f"{address}?user=stranger", "stranger", PHONE, "light") as eyes:
        eyes.tap("START")
        eyes.see("This is a private trading desk.")
        eyes.picture("0")
        assert eyes.errors == []
    with browser_window(f"{address}?user=viewer", "viewer", PHONE, "light") as eyes:
        eyes.tap("START")
        eyes.see("Welcome to Tapedesk")
        eyes.picture("0")
        assert not eyes.button("✅ Execute").is_visible()
