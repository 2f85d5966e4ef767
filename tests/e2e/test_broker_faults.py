"""A venue that loses replies, is silent or slow: nothing twice, nothing lost, plainly said."""

import pytest

from tests.e2e.desk_process import DeskProcess, has_button, text_of

pytestmark = pytest.mark.e2e


def practice(desk: DeskProcess) -> dict[str, object]:
    desk.start()
    desk.say("/start")
    return desk.see(lambda m: has_button(m, "✅ Execute"), "the practice card")


def test_accepted_then_lost_is_found_and_never_sent_again(desk: DeskProcess) -> None:
    card = practice(desk)
    desk.post("/api/faults", {"broker": "reply_lost"})
    desk.tap(card, "✅ Execute", times=2)
    desk.see(lambda m: m["id"] == card["id"] and "Filled at" in text_of(m), "the order found")
    desk.delete("/api/faults")
    (order,) = desk.venue()["orders"]
    (position,) = desk.venue()["positions"]
    assert order["client_id"] == position["client_id"]
    assert position["stop"] is not None


def test_lost_on_the_way_is_proven_absent_and_said(desk: DeskProcess) -> None:
    card = practice(desk)
    desk.post("/api/faults", {"broker": {"name": "request_lost", "seconds": 3}})
    desk.tap(card, "✅ Execute")
    ended = desk.see(
        lambda m: m["id"] == card["id"] and "Not executed" in text_of(m), "absence proven"
    )
    assert "No money moved" in text_of(ended)
    assert desk.venue()["orders"] == []


def test_a_silent_venue_is_said_in_health_and_refuses_entries(desk: DeskProcess) -> None:
    card = practice(desk)
    desk.post("/api/faults", {"broker": "silent"})
    desk.say("/health")
    desk.see(lambda m: "does not answer" in text_of(m), "health says it")
    desk.tap(card, "✅ Execute")
    refused = desk.see(lambda m: "not executed" in text_of(m).lower(), "the refusal")
    assert "No money moved" in text_of(refused)
    desk.delete("/api/faults")
    assert desk.venue()["orders"] == []


def test_a_stop_request_in_the_middle_of_an_order_loses_nothing(desk: DeskProcess) -> None:
    card = practice(desk)
    desk.post("/api/faults", {"broker": {"name": "slow", "delay": 0.4}})
    desk.tap(card, "✅ Execute")
    code, seconds = desk.stop()
    assert code == 0
    assert seconds <= 4.0
    desk.start()
    ended = desk.see(
        lambda m: m["id"] == card["id"] and not has_button(m, "✅ Execute"), "the card's truth"
    )
    entries = len(desk.venue()["orders"])
    assert entries == (1 if "Filled at" in text_of(ended) else 0)
    assert all(p["stop"] for p in desk.venue()["positions"])
