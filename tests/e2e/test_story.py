"""The story of the first minute, on the real process: from /start to a closed trade and back."""

import signal

import pytest

from tests.e2e.desk_process import DeskProcess, buttons_of, data_of, has_button, text_of

pytestmark = pytest.mark.e2e

STOP_SECONDS = 3.0


def executable(message: dict[str, object]) -> bool:
    return has_button(message, "✅ Execute")


def test_a_newcomer_goes_from_start_to_a_closed_trade_and_back(desk: DeskProcess) -> None:
    desk.start()
    desk.say("/start")
    desk.see(lambda m: "Welcome to Tapedesk" in text_of(m), "the greeting")
    desk.see(lambda m: bool(m["photo"]) and "BTCUSD · M15" in text_of(m), "the first analysis")
    card = desk.see(executable, "the practice card")
    assert "practice" in text_of(card).lower()
    assert "Risk $" in text_of(card)

    desk.tap(card, "✅ Execute", times=3)
    fill = desk.see(lambda m: m["reply_to"] == card["id"], "the fill as a reply")
    assert "Filled" in text_of(fill)
    edited = desk.see(lambda m: m["id"] == card["id"] and m["edited"], "the card edited")
    assert not executable(edited)
    assert any("Already executed" in toast for toast in desk.toasts())
    (position,) = desk.venue()["positions"]
    assert len(desk.venue()["orders"]) == 1
    assert position["stop"] is not None

    desk.say("/positions")
    positions = desk.see(lambda m: "Open positions: 1" in text_of(m), "the list")
    desk.tap(positions, buttons_of(positions)[0])
    live = desk.see(lambda m: has_button(m, "✖ Close"), "the position card")
    desk.tap(live, "✖ Close", times=2)
    closed = desk.see(lambda m: "closed" in text_of(m) and m["reply_to"] == card["id"], "the end")
    assert "$" in text_of(closed)
    desk.wait_for(lambda: desk.venue()["positions"] == [], 5, "the venue flat")
    assert len(desk.venue()["deals"]) == 2

    desk.say("/journal")
    desk.see(lambda m: "BTCUSD" in text_of(m) and "Finished trades" in text_of(m), "the journal")
    desk.say("/stats")
    desk.see(lambda m: "1 practice trade" in text_of(m), "the statistics")
    desk.say("/health")
    health = desk.see(lambda m: "Health" in text_of(m), "health")
    assert "journal and venue agree" in text_of(health)


@pytest.mark.parametrize(
    "words", ["/analyse BTCUSD", "/a btc", "BTCUSD m15", "analyse bitcoin", "btc"]
)
def test_every_way_to_ask_gives_the_picture(words: str, asked_desk: DeskProcess) -> None:
    before = asked_desk.messages()[-1]["id"]
    asked_desk.say(words)
    answer = asked_desk.see(
        lambda m: bool(m["photo"]) and m["id"] > before and "BTCUSD" in text_of(m), words
    )
    for part in ("RSI", "ATR", "ADX", "CVD", "s old"):
        assert part in text_of(answer)


@pytest.mark.parametrize(
    "words",
    ["hello there", "🙂🙂🙂", "/nonsense", "BTXUSD", "x" * 5000, "/analyse ###", "\u202e\u0000?"],
)
def test_odd_words_get_one_helpful_answer(words: str, asked_desk: DeskProcess) -> None:
    before = asked_desk.messages()[-1]["id"]
    asked_desk.say(words)
    answer = asked_desk.see(lambda m: m["from"] == "bot" and m["id"] > before, words[:20])
    assert len(text_of(answer)) < 600
    assert "Traceback" not in text_of(answer)


def test_garbage_buttons_change_nothing(asked_desk: DeskProcess) -> None:
    message = asked_desk.see(lambda m: bool(m["buttons"]), "any card")
    before = len(asked_desk.toasts())
    for data in ("", "s:x", "s:x:1:1:1", "s:x:999999:1", "p:c:-1:0", "\u0000", "🙂" * 10, "zz:1"):
        body = {"message_id": message["id"], "data": data, "times": 1}
        if data:
            asked_desk.post("/api/chats/owner/taps", body)
    asked_desk.wait_for(lambda: len(asked_desk.toasts()) >= before + 7, 10, "an answer to each")
    assert asked_desk.venue()["orders"] == []


def test_a_stranger_gets_one_neutral_line_and_no_power(asked_desk: DeskProcess) -> None:
    card = asked_desk.see(executable, "a card")
    asked_desk.say("/start", user="stranger")
    line = asked_desk.see(lambda m: m["from"] == "bot", "a line", user="stranger")
    assert text_of(line) == "This is a private trading desk."
    asked_desk.say("/analyse BTCUSD", user="stranger")
    body = {"message_id": line["id"], "data": data_of(card, "✅ Execute"), "times": 2}
    asked_desk.post("/api/chats/stranger/taps", body)
    asked_desk.post("/api/chats/viewer/taps", {**body, "message_id": 1})
    asked_desk.say("/health")
    asked_desk.see(lambda m: "Health" in text_of(m), "the owner is served meanwhile")
    assert [m["from"] for m in asked_desk.messages("stranger")].count("bot") == 1
    assert asked_desk.venue()["orders"] == []


def test_the_market_makes_a_signal_of_its_own(asked_desk: DeskProcess) -> None:
    asked_desk.post("/api/clock", {"speed": 20})
    card = asked_desk.see(lambda m: executable(m) and "practice" not in text_of(m), "a signal")
    asked_desk.post("/api/clock", {"speed": 1})
    assert bool(card["photo"])
    for part in ("Entry", "Stop", "Target", "Risk $", "Valid until"):
        assert part in text_of(card)
    asked_desk.tap(card, "🚫 Dismiss")
    asked_desk.see(lambda m: m["id"] == card["id"] and not executable(m), "it dismissed")
    assert asked_desk.venue()["orders"] == []


def test_it_stops_quickly_and_twice_is_harmless(asked_desk: DeskProcess) -> None:
    code, seconds = asked_desk.stop(signal.SIGINT, signal.SIGINT)
    assert code == 0
    assert seconds <= STOP_SECONDS
    assert "Traceback" not in asked_desk.output()
