"""Taps on signal cards, and /signals."""

from datetime import timedelta
from typing import Any

import pytest
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import AnswerCallbackQuery, EditMessageCaption, SendMessage, SendPhoto

from core.model.commands import DismissSignal, ExecuteSignal, UseNewPrice
from core.model.order import Refusal
from core.model.outcome import (
    Drifted,
    Executed,
    NotWon,
    Refused,
    Repriced,
    SignalChange,
    Unresolved,
)
from core.model.signal import SignalState
from tests.support.bot_desk import OWNER, VIEWER, ChatDesk, position_of
from tests.support.clock import START
from tests.support.desk_builders import signal_of
from tests.support.telegram_session import datas, labels, words


async def test_execute_answers_the_tap_before_it_asks_the_pipeline(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    filled = signal_of(state=SignalState.EXECUTED, rev=3)
    desk.positions.rows[7] = position_of()
    desk.told.executed = Executed(signal=filled, position=position_of())

    await desk.tap("s:x:1:1")

    assert desk.told.commands == [ExecuteSignal(signal_id=1, rev=1, user_id=OWNER)]
    answer: Any
    answer, edit = desk.session.calls
    assert answer.text == "⏳ Sending…"
    assert "✅ Filled at 97,002.00, 1.00 worse than the card" in words(edit)
    assert labels(edit) == ["💼 Position #7"]


async def test_second_tap_hears_the_truth_and_the_pipeline_still_decides(desk: ChatDesk) -> None:
    done = signal_of(state=SignalState.EXECUTED, rev=3, acted_at=START + timedelta(minutes=2))
    desk.signals.rows[1] = done
    desk.told.executed = NotWon(signal=done)

    await desk.tap("s:x:1:1")
    await desk.tap("s:x:1:1")

    toasts = [call.text for call in desk.session.of(AnswerCallbackQuery)]
    assert toasts == ["Already executed at 13:02 UTC. Nothing was sent again."] * 2
    assert len(desk.told.commands) == 2
    assert desk.session.of(SendMessage) == []


async def test_loser_of_a_race_is_told_that_nothing_was_sent_again(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    desk.told.executed = NotWon(signal=signal_of(state=SignalState.EXECUTED, rev=3))

    await desk.tap("s:x:1:1")

    assert desk.session.texts() == ["Already executed. Nothing was sent again."]


async def test_old_revision_is_named_old_and_the_card_is_rendered_anew(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(rev=4)
    desk.told.executed = NotWon(signal=signal_of(rev=4))

    await desk.tap("s:x:1:2")

    assert "button is old" in desk.session.of(AnswerCallbackQuery)[0].text
    (edit,) = desk.session.of(EditMessageCaption)
    assert "s:x:1:4" in datas(edit)


async def test_viewer_cannot_execute_and_hears_why(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()

    await desk.tap("s:x:1:1", user=VIEWER)

    assert desk.told.commands == []
    (answer,) = desk.session.of(AnswerCallbackQuery)
    assert (
        answer.text == "You follow this desk as a viewer; only its owner and traders can do that."
    )


async def test_drift_shows_both_prices_and_the_new_price_button(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    drifted = signal_of(state=SignalState.DRIFTED, rev=3)
    desk.told.executed = Drifted(signal=drifted, live_price=97_060.5)

    await desk.tap("s:x:1:1")

    (edit,) = desk.session.of(EditMessageCaption)
    assert labels(edit) == ["↔ Use new price", "🚫 Dismiss"]
    (said,) = desk.session.texts()
    assert "Card 97,001.00, now 97,060.50; at most 25.00 apart is allowed." in said
    assert "No money moved." in said


async def test_refusal_stands_on_the_card_with_its_cause_once(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    reason = "I was stopped before anything was sent. No money moved."
    refused = signal_of(state=SignalState.REJECTED, rev=3, state_reason=reason)
    desk.told.executed = Refused(signal=refused, refusal=Refusal(code="x", text=reason))

    await desk.tap("s:x:1:1")

    (edit,) = desk.session.of(EditMessageCaption)
    assert words(edit).count("No money moved.") == 1
    assert labels(edit) == []


async def test_unknown_outcome_promises_not_to_send_twice(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    unknown = signal_of(state=SignalState.UNKNOWN, rev=3)
    desk.told.executed = Unresolved(signal=unknown, text="timeout")

    await desk.tap("s:x:1:1")

    (edit,) = desk.session.of(EditMessageCaption)
    assert "Checking with the venue… nothing will be sent twice." in words(edit)


async def test_unexpected_failure_during_execute_claims_nothing_about_money(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    desk.told.executed = RuntimeError("boom")

    await desk.tap("s:x:1:1")

    (said,) = desk.session.texts()
    assert "I cannot say yet whether it reached the venue" in said
    assert "No money moved" not in said


@pytest.mark.parametrize(
    "failure",
    [
        lambda m: TelegramBadRequest(m, "Bad Request: query is too old and so on"),
        lambda m: TelegramBadRequest(m, "Bad Request: odd"),
        lambda m: TelegramServerError(m, "Internal Server Error"),
        lambda m: TelegramRetryAfter(m, "Too Many Requests", 30),
        lambda m: TelegramNetworkError(m, "no answer"),
    ],
)
async def test_a_toast_that_cannot_be_shown_does_not_stop_the_order(
    desk: ChatDesk, failure: Any
) -> None:
    desk.signals.rows[1] = signal_of()
    desk.told.executed = NotWon(signal=signal_of())
    desk.session.fail(AnswerCallbackQuery, failure)

    await desk.tap("s:x:1:1")

    assert len(desk.told.commands) == 1
    assert desk.session.texts() == []


async def test_an_untold_outcome_is_not_called_an_uncertain_order(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    refusal = Refusal(code="x", text="No.")
    desk.told.executed = Refused(signal=signal_of(), refusal=refusal)
    desk.session.fail(SendMessage, lambda m: TelegramServerError(m, "Internal Server Error"))

    await desk.tap("s:x:1:1")

    assert "Telegram did not take my answer" in desk.session.texts()[-1]
    assert "whether it reached the venue" not in desk.session.texts()[-1]


async def test_dismiss_renders_the_dismissed_card(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(state=SignalState.DRIFTED)
    gone = signal_of(state=SignalState.DISMISSED, rev=2, acted_at=START)
    desk.told.dismissed = SignalChange(done=True, signal=gone)

    await desk.tap("s:d:1:1")

    assert desk.told.commands == [DismissSignal(signal_id=1, rev=1, user_id=OWNER)]
    assert desk.session.of(AnswerCallbackQuery)[0].text == "Dismissing…"
    (edit,) = desk.session.of(EditMessageCaption)
    assert "🚫 Dismissed at 13:00 UTC. No money moved." in words(edit)


async def test_new_price_puts_the_new_signal_on_the_same_message(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(state=SignalState.DRIFTED, rev=3)
    desk.told.repriced = Repriced(signal=signal_of(id=2))

    await desk.tap("s:n:1:3")

    assert desk.told.commands == [UseNewPrice(signal_id=1, rev=3, user_id=OWNER)]
    (edit,) = desk.session.of(EditMessageCaption)
    assert (edit.message_id, datas(edit)[0]) == (55, "s:x:2:1")


async def test_refused_new_price_says_why(desk: ChatDesk) -> None:
    drifted = signal_of(state=SignalState.DRIFTED, rev=3)
    desk.told.repriced = Refused(signal=drifted, refusal=Refusal(code="q", text="No live price"))

    await desk.tap("s:n:1:3")

    (said,) = desk.session.texts()
    assert said == "Signal #1 stays as it is.\nNo live price. No money moved."


@pytest.mark.parametrize("action", ["x", "d", "v"])
async def test_unknown_signal_is_said_in_the_toast(desk: ChatDesk, action: str) -> None:
    await desk.tap(f"s:{action}:77:1")

    assert desk.session.of(AnswerCallbackQuery)[0].text == (
        "I have no such signal. No money moved."
    )


async def test_list_offers_open_signals_and_tells_what_became_of_others(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()
    desk.signals.rows[2] = signal_of(id=2, state=SignalState.EXPIRED)

    await desk.text("/signals")

    (sent,) = desk.session.of(SendMessage)
    assert "#1 BUY BTCUSD M1 · valid until 13:15 UTC" in words(sent)
    assert "#2 BUY BTCUSD M1 · expired" in words(sent)
    assert datas(sent) == ["s:v:1:1"]


async def test_shown_signal_is_a_new_card_that_edits_will_reach(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()

    await desk.tap("s:v:1:1", photo=False)

    (sent,) = desk.session.of(SendPhoto)
    assert labels(sent)[0] == "✅ Execute 0.02 · risk $2.00"
    (place,) = desk.signals.places
    assert (place.signal_id, place.chat_id, place.has_photo) == (1, OWNER, True)


async def test_viewer_sees_a_card_without_trade_buttons(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()

    await desk.tap("s:v:1:1", user=VIEWER)

    (sent,) = desk.session.of(SendPhoto)
    assert labels(sent) == []
