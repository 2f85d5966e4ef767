"""The real process killed around the order's intent: one entry or none, protected, and told so."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.e2e.desk_process import DeskProcess, has_button, text_of

pytestmark = pytest.mark.e2e

SETTLE_SECONDS = 15.0
LONG = pytest.mark.long
NOTHING_SENT = (
    "signal.claimed",
    pytest.param("tap.received", marks=LONG),
    pytest.param("risk.approved", marks=LONG),
)
AROUND_THE_ORDER = (
    "intent.committed",
    "order.answered",
    pytest.param("outcome.committed", marks=LONG),
)


def kill_at(desk: DeskProcess, point: str) -> dict[str, object]:
    """Execute the practice card in a desk that dies at `point`; the card."""
    desk.start(DESK_KILL_AT=point)
    desk.say("/start")
    card = desk.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
    desk.tap(card, "✅ Execute")
    desk.wait_dead(20)
    return card


def states(desk: DeskProcess) -> tuple[str, list[str]]:
    """State of signal 1 and of its intents in the journal's file."""
    with closing(sqlite3.connect(desk.home / "sandbox" / "journal.sqlite3")) as journal:
        (signal,) = journal.execute("SELECT state FROM signals WHERE id = 1").fetchone()
        intents = journal.execute("SELECT state FROM order_intents").fetchall()
    return signal, [row[0] for row in intents]


@pytest.mark.parametrize("point", NOTHING_SENT)
def test_killed_before_the_intent_nothing_was_sent(desk: DeskProcess, point: str) -> None:
    card = kill_at(desk, point)
    desk.start()
    if point == "tap.received":
        # The tap was never claimed: Telegram's copy of it is gone, the card is still good.
        assert states(desk) == ("open", [])
    else:
        desk.wait_for(lambda: states(desk) == ("rejected", []), SETTLE_SECONDS, "the refusal")
        desk.see(
            lambda m: m["id"] == card["id"] and "No money moved" in text_of(m), "the card's truth"
        )
    assert desk.venue()["orders"] == []


@pytest.mark.parametrize("point", AROUND_THE_ORDER)
def test_killed_around_the_order_it_exists_once_or_provably_not(
    desk: DeskProcess, point: str
) -> None:
    card = kill_at(desk, point)
    began = time.monotonic()
    desk.start()
    wanted = "rejected" if point == "intent.committed" else "executed"
    desk.wait_for(lambda: states(desk)[0] == wanted, SETTLE_SECONDS, f"the signal {wanted}")
    assert time.monotonic() - began < 30
    entries = [o for o in desk.venue()["orders"] if o["client_id"] == "td1-entry-1"]
    assert len(entries) == (0 if wanted == "rejected" else 1)
    for position in desk.venue()["positions"]:
        assert position["stop"] is not None
    words = "Not executed" if wanted == "rejected" else "Filled"
    desk.see(lambda m: m["id"] == card["id"] and words in text_of(m), "the card re-rendered")
    # Telegram's client sends the old tap again: nothing more may happen.
    body = {"message_id": card["id"], "data": "s:x:1:1", "times": 2}
    desk.post("/api/chats/owner/taps", body)
    desk.say("/health")
    desk.see(lambda m: "Health" in text_of(m), "an answer after the stale taps")
    assert len(desk.venue()["positions"]) == len(entries)


def test_a_card_that_expired_while_the_desk_was_off_cannot_be_executed(desk: DeskProcess) -> None:
    desk.start()
    desk.say("/start")
    card = desk.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
    desk.kill()
    with closing(sqlite3.connect(desk.home / "sandbox" / "journal.sqlite3")) as journal:
        journal.execute("UPDATE signals SET expires_at = created_at + 1")
        journal.commit()
    desk.start()
    desk.post("/api/chats/owner/taps", {"message_id": card["id"], "data": "s:x:1:1", "times": 2})
    desk.see(lambda m: m["id"] == card["id"] and "Expired" in text_of(m), "the card expired")
    assert desk.venue()["orders"] == []
