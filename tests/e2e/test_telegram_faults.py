"""The real desk while Telegram misbehaves: one order, one message each, exits work, it recovers."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.crashes import GENEROUS
from tests.e2e.desk_process import DeskProcess, data_of, has_button, text_of

pytestmark = pytest.mark.e2e

STOP_SECONDS = 3.0
FAST_MARKET = 300


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    home = tmp_path_factory.mktemp("telegram-faults") / "home"
    home.mkdir()
    process = DeskProcess(home, env=GENEROUS)
    process.start()
    process.say("/start")
    process.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
    yield process
    process.close()


@pytest.fixture
def desk(running: DeskProcess) -> Iterator[DeskProcess]:
    yield running
    running.delete("/api/faults")
    running.post("/api/clock", {"speed": 1})


def misbehave(desk: DeskProcess, *orders: object) -> None:
    desk.post("/api/faults", {"telegram": list(orders)})


def card_of(desk: DeskProcess) -> dict[str, Any]:
    """A practice card to execute, made when there is none."""
    cards = [m for m in desk.messages() if has_button(m, "✅ Execute")]
    if not cards:
        first = next(m for m in desk.messages() if has_button(m, "▶ Practise"))
        desk.tap(first, "▶ Practise")
    return desk.see(lambda m: has_button(m, "✅ Execute"), "a practice card")


def fill_of(desk: DeskProcess, card: dict[str, Any]) -> dict[str, Any]:
    return desk.see(
        lambda m: m["reply_to"] == card["id"] and "Filled" in text_of(m), "the fill as a reply"
    )


def close_position(desk: DeskProcess, fill: dict[str, Any]) -> None:
    desk.tap(fill, "💼 Position")
    live = desk.see(lambda m: m["id"] > fill["id"] and has_button(m, "✖ Close"), "its card")
    desk.tap(live, "✖ Close")
    desk.wait_for(lambda: desk.venue()["positions"] == [], 5, "the venue flat")


def health(desk: DeskProcess) -> str:
    """What /health says of Telegram; nothing may have died."""
    before = desk.messages()[-1]["id"]
    desk.say("/health")
    answer = text_of(
        desk.see(
            lambda m: m["id"] > before and "Health" in text_of(m) and m["from"] == "bot", "health"
        )
    )
    assert "not running" not in answer
    assert "restarted" not in answer
    return next(line for line in answer.splitlines() if "Telegram:" in line)


def entries(desk: DeskProcess) -> list[str]:
    orders: list[dict[str, Any]] = desk.venue()["orders"]
    return [client for order in orders if "-entry-" in (client := order["client_id"] or "")]


def told(desk: DeskProcess, card: dict[str, Any], words: str) -> int:
    """How many replies to the card say this."""
    return sum(m["reply_to"] == card["id"] and words in text_of(m) for m in desk.messages())


def journal(desk: DeskProcess, sql: str) -> list[Any]:
    path = desk.home / "sandbox" / "journal.sqlite3"
    with closing(sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True)) as rows:
        return rows.execute(sql).fetchall()


@pytest.mark.parametrize("fault", ["duplicate_updates", "new_update_id"])
def test_an_execute_tap_that_comes_twice_is_one_order(desk: DeskProcess, fault: str) -> None:
    before = len(entries(desk))
    card = card_of(desk)
    misbehave(desk, fault)
    desk.tap(card, "✅ Execute")
    fill = fill_of(desk, card)
    close_position(desk, fill)
    assert len(entries(desk)) == before + 1
    assert told(desk, card, "Filled") == 1
    assert desk.delete("/api/faults") == {}


def test_429_during_a_trade_is_obeyed_and_nothing_is_lost(desk: DeskProcess) -> None:
    card = card_of(desk)
    misbehave(desk, {"name": "too_many_requests", "retry_after": 3, "seconds": 2.5})
    began = time.monotonic()
    desk.tap(card, "✅ Execute")
    desk.wait_for(lambda: desk.venue()["positions"], 5, "the position")
    fill = fill_of(desk, card)
    assert time.monotonic() - began >= 2.5
    desk.see(lambda m: m["id"] == card["id"] and not has_button(m, "✅ Execute"), "the card edited")
    assert told(desk, card, "Filled") == 1
    assert "asked for" in health(desk)
    close_position(desk, fill)


def test_a_stop_fires_and_is_journalled_while_telegram_is_away_and_is_told_once_after(
    desk: DeskProcess,
) -> None:
    card = card_of(desk)
    desk.tap(card, "✅ Execute")
    fill_of(desk, card)
    misbehave(desk, {"name": "outage", "how": "close"})
    began = time.monotonic()
    desk.post("/api/clock", {"speed": FAST_MARKET})
    desk.wait_for(lambda: desk.venue()["positions"] == [], 20, "the venue's exit")
    desk.post("/api/clock", {"speed": 1})
    opened = "SELECT count(*) FROM positions WHERE state <> 'closed'"
    desk.wait_for(lambda: journal(desk, opened) == [(0,)], 3, "the exit in the journal")
    assert desk.get("/api/faults")["telegram"] == ["outage"]
    assert told(desk, card, "closed") == 0
    time.sleep(max(0.0, began + 3 - time.monotonic()))
    desk.delete("/api/faults")
    desk.wait_for(lambda: told(desk, card, "closed"), 15, "the end told")
    assert "no answer from Telegram" in health(desk)
    assert told(desk, card, "closed") == 1
    assert not any("Sent again" in text_of(m) for m in desk.messages())


def test_a_card_whose_reply_was_lost_stands_once_and_trades_once(desk: DeskProcess) -> None:
    before = len(entries(desk))
    for old in [m for m in desk.messages() if has_button(m, "✅ Execute")]:
        desk.tap(old, "🚫 Dismiss")
    desk.wait_for(
        lambda: not any(has_button(m, "✅ Execute") for m in desk.messages()), 5, "no card"
    )
    last = desk.messages()[-1]["id"]
    misbehave(desk, {"name": "sent_then_lost", "chat": 1001, "times": 1})
    first = next(m for m in desk.messages() if has_button(m, "▶ Practise"))
    desk.tap(first, "▶ Practise")
    desk.see(lambda m: m["id"] > last and has_button(m, "✅ Execute"), "the card")
    time.sleep(1.5)
    cards = [m for m in desk.messages() if has_button(m, "✅ Execute")]
    signals = [data_of(m, "✅ Execute").split(":")[2] for m in cards]
    assert len(set(signals)) == len(signals)
    card = cards[0]
    desk.tap(card, "✅ Execute")
    fill = fill_of(desk, card)
    desk.see(lambda m: m["id"] == card["id"] and not has_button(m, "✅ Execute"), "the card edited")
    assert len(entries(desk)) == before + 1
    assert "did not confirm" in health(desk)
    close_position(desk, fill)


def test_a_502_page_instead_of_answers_is_survived(desk: DeskProcess) -> None:
    misbehave(desk, {"name": "html_502", "seconds": 2})
    before = desk.messages()[-1]["id"]
    desk.say("/positions")
    desk.see(lambda m: m["id"] > before and "Nothing is open" in text_of(m), "the answer")
    assert "Telegram has trouble of its own" in health(desk)


def test_a_second_program_is_named_in_the_terminal_and_the_end_is_quick(tmp_path: Any) -> None:
    home = tmp_path / "home"
    home.mkdir()
    desk = DeskProcess(home)
    try:
        desk.start()
        misbehave(desk, "conflict")
        desk.wait_for(
            lambda: "another program receives this bot's messages" in desk.output(), 5, "the line"
        )
        code, seconds = desk.stop()
    finally:
        desk.close()
    assert (code, seconds <= STOP_SECONDS) == (0, True)
    assert "Traceback" not in desk.output()


def test_it_stops_quickly_while_telegram_hangs(running: DeskProcess) -> None:
    """The last test of the shared desk."""
    misbehave(running, "outage")
    running.say("/health")
    time.sleep(0.3)
    code, seconds = running.stop()
    assert (code, seconds <= STOP_SECONDS) == (0, True)
    assert "Traceback" not in running.output()
