"""The real desk while its exchange misbehaves: `/health` says so, entries are refused, it recovers.

The market runs three times as fast as real time.
"""

import json
import time
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.desk_process import DeskProcess, has_button, text_of

pytestmark = pytest.mark.e2e

ASK_AGAIN_SECONDS = 0.5


@pytest.fixture
def desk(asked_desk: DeskProcess) -> Iterator[DeskProcess]:
    asked_desk.post("/api/clock", {"speed": 3})
    yield asked_desk
    asked_desk.delete("/api/faults")


def health_line(desk: DeskProcess) -> str:
    """What /health says of BTCUSD now."""
    before = desk.messages()[-1]["id"]
    desk.say("/health")
    answer = desk.see(
        lambda m: m["id"] > before and "Health" in text_of(m) and m["from"] == "bot", "health"
    )
    assert "not running" not in text_of(answer)
    assert "restarted" not in text_of(answer)
    return next(line for line in text_of(answer).splitlines() if "BTCUSD:" in line)


def wait_for_line(desk: DeskProcess, words: str, seconds: float) -> str:
    """Ask until /health says these words of BTCUSD."""
    deadline = time.monotonic() + seconds
    while words not in (line := health_line(desk)):
        assert time.monotonic() < deadline, f"never {words!r}, last {line!r}\n{desk.output()}"
        time.sleep(ASK_AGAIN_SECONDS)
    return line


def misbehave(desk: DeskProcess, order: object) -> None:
    desk.post("/api/faults", {"exchange": order})


def recovers(desk: DeskProcess, seconds: float = 12.0) -> None:
    assert desk.delete("/api/faults") == {}
    line = wait_for_line(desk, "🟢 BTCUSD: live", seconds)
    assert "reconnecting" not in line


def test_silence_is_said_in_health_and_no_entry_leaves(desk: DeskProcess) -> None:
    card = desk.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
    misbehave(desk, "silence")
    line = wait_for_line(desk, "no trades for", 4)
    assert line.startswith("🟡 BTCUSD: stale")
    desk.tap(card, "✅ Execute")
    desk.wait_for(
        lambda: "BTCUSD feed is" in json.dumps([desk.messages(), desk.toasts()]), 5, "the refusal"
    )
    assert desk.venue()["orders"] == []
    recovers(desk)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"name": "mute_stream", "stream": "btcusdt@depth20@100ms"}, "no order book for"),
        ("garbage", "(unreadable)"),
        ("accept_then_drop", "the connection broke off, reconnecting"),
    ],
)
def test_trouble_is_said_in_health_and_forgotten_after_it(
    desk: DeskProcess, order: object, words: str
) -> None:
    misbehave(desk, order)
    assert wait_for_line(desk, words, 5)[0] in "🟡🔴"
    recovers(desk, 12)


def test_a_close_by_the_venue_is_survived(desk: DeskProcess) -> None:
    misbehave(desk, "close_1012")
    time.sleep(1.0)
    recovers(desk)


def test_faults_are_listed_and_unknown_ones_refused_with_the_known(desk: DeskProcess) -> None:
    misbehave(desk, ["duplicates", {"name": "http_5xx", "seconds": 30}])
    assert desk.get("/api/faults")["exchange"] == ["duplicates", "http_5xx"]
    assert "close_1001, " in refused(desk, {"exchange": "hang"})
    assert "exchange: close_1001, " in refused(desk, {"weather": "rain"})
    recovers(desk)
    assert desk.get("/api/faults")["exchange"] == []


def refused(desk: DeskProcess, orders: dict[str, Any]) -> str:
    with pytest.raises(urllib.error.HTTPError, match="400") as answer:
        desk.post("/api/faults", orders)
    reason: str = json.load(answer.value)["error"]
    return reason
