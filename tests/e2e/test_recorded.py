"""The story on the recorded market: real frames, ten times as fast, through the same desk."""

from pathlib import Path

import pytest

from tests.e2e.desk_process import DeskProcess, has_button, text_of
from tests.support.recorded import DATA

pytestmark = pytest.mark.e2e

TAPE = DATA / "2_binance_ws_raw" / "hftbacktest_spot_btcusdt_20240808.gz"


def test_a_trade_on_the_recorded_market(tmp_path: Path) -> None:
    if not TAPE.exists():
        pytest.skip("the recorded Binance frames are not on this machine")
    home = tmp_path / "home"
    home.mkdir()
    words = ("--market", "recorded", "--speed", "10", "--file", str(TAPE))
    desk = DeskProcess(home, options=words)
    try:
        desk.start()
        desk.wait_for(lambda: "recorded" in desk.output(), 10, "the banner")
        desk.say("/start")
        card = desk.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
        assert "RECORDED" in text_of(card)
        desk.tap(card, "✅ Execute", times=2)
        desk.see(lambda m: m["reply_to"] == card["id"] and "Filled" in text_of(m), "the fill")
        (order,) = desk.venue()["orders"]
        assert 55_000 < float(order["price"]) < 66_000
        desk.say("/health")
        health = desk.see(lambda m: "Health" in text_of(m), "health")
        assert "recorded from 2024-08-08" in text_of(health)
        assert "EURUSD has no feed" in text_of(health)
        desk.say("/positions")
        desk.see(lambda m: "Open positions" in text_of(m) or "No open" in text_of(m), "the list")
    finally:
        desk.close()
