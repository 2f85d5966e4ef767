"""/positions, live cards, Close."""

from datetime import timedelta

import pytest
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage

from core.model.commands import ClosePosition
from core.model.order import Refusal
from core.model.outcome import Closed, CloseNotWon, CloseRefused, CloseUnresolved
from core.model.position import CloseReason, Position, PositionState
from core.model.values import Money, Price
from tests.support.bot_desk import OWNER, VIEWER, ChatDesk, held, position_of
from tests.support.clock import START
from tests.support.telegram_session import datas, labels, words

DONE: Position = position_of(
    state=PositionState.CLOSED,
    rev=3,
    close_price=Price.of("97202.00"),
    close_reason=CloseReason.MANUAL,
    profit=Money.of("4.00"),
    closed_at=START,
)


async def test_list_is_a_narrow_table_with_a_button_each(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    desk.told.floating = (held("1.98"),)

    await desk.text("/p")

    (sent,) = desk.session.of(SendMessage)
    assert words(sent) == (
        "💼 Open positions: 1\n"
        "# Market Side    R P/L $\n"
        "7 BTCUSD  buy +1.0 +1.98\n"
        "Together +$1.98\n"
        "Updated 13:00:00 UTC"
    )
    assert labels(sent) == ["#7 BTCUSD +1.0R", "🔄 Refresh"]


async def test_empty_list_says_so(desk: ChatDesk) -> None:
    await desk.text("💼 Positions")

    assert desk.session.texts() == [
        "💼 Nothing is open. New ideas arrive as cards; /signals lists them."
    ]


async def test_silent_venue_leaves_money_open_but_shows_r(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    desk.told.venue_silent = True

    await desk.text("/positions")

    (said,) = desk.session.texts()
    assert "The venue is not answering" in said
    assert "+1.0" in said


async def test_live_card_is_edited_every_five_seconds_for_two_minutes(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    await desk.tap("p:v:7:1", photo=False)
    (sent,) = desk.session.of(SendMessage)
    assert labels(sent) == ["✖ Close 0.02", "🔄 Refresh"]

    for _ in range(30):
        await desk.wall.advance(5)
    edits = desk.session.of(EditMessageText)
    assert len(edits) == 24
    assert edits[0].message_id == 1001
    assert desk.jobs[0].done()


async def test_refresh_prolongs_the_same_job(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    await desk.tap("p:r:7:1", photo=False)
    await desk.wall.advance(60)
    await desk.tap("p:r:7:1", photo=False)

    assert len(desk.jobs) == 1
    await desk.wall.advance(100)
    assert not desk.jobs[0].done()


async def test_live_card_stops_when_the_position_has_ended(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    await desk.tap("p:v:7:1", photo=False)
    desk.positions.rows[7] = DONE

    await desk.wall.advance(5)

    assert desk.jobs[0].done()
    (edit,) = desk.session.of(EditMessageText)
    assert "🏁 Closed: +$4.00 (+2.0R), closed by hand" in words(edit)
    assert labels(edit) == []


async def test_close_sends_one_command_and_shows_the_result(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    desk.told.closed = Closed(position=DONE)

    await desk.tap("p:c:7:1", photo=False)

    assert desk.told.commands == [ClosePosition(position_id=7, rev=1, user_id=OWNER)]
    assert desk.session.of(AnswerCallbackQuery)[0].text == "⏳ Closing…"


async def test_second_tap_on_close_hears_the_truth(desk: ChatDesk) -> None:
    desk.positions.rows[7] = DONE
    desk.told.closed = CloseNotWon(position=DONE)

    await desk.tap("p:c:7:1", photo=False)

    assert desk.session.of(AnswerCallbackQuery)[0].text == (
        "Already closed. Nothing was sent again."
    )
    assert desk.session.texts() == []


async def test_refused_close_says_that_the_stop_stands(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    refusal = Refusal(code="off", text="The market is closed", advice="Try again on Monday")
    desk.told.closed = CloseRefused(position=position_of(), refusal=refusal)

    await desk.tap("p:c:7:1", photo=False)

    (said,) = desk.session.texts()
    assert said == (
        "❌ Position #7 was not closed.\n"
        "The market is closed.\n"
        "It is still open, and its stop at 96,902.00 still stands.\n"
        "Try again on Monday."
    )


async def test_unresolved_close_promises_not_to_send_twice(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of(state=PositionState.CLOSING)
    desk.told.closed = CloseUnresolved(position=position_of(), text="No answer")

    await desk.tap("p:c:7:1", photo=False)

    assert "nothing will be sent twice" in desk.session.texts()[0]


@pytest.mark.parametrize("said", ["/close btc", "close btc", "/close 7", "/close #7", "/close"])
async def test_close_by_text_only_opens_the_card(desk: ChatDesk, said: str) -> None:
    desk.positions.rows[7] = position_of()

    await desk.text(said)

    assert desk.told.commands == []
    (sent,) = desk.session.of(SendMessage)
    assert datas(sent)[0] == "p:c:7:1"


async def test_close_of_something_not_open_lists_what_is(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()

    await desk.text("/close eurusd")

    (sent,) = desk.session.of(SendMessage)
    assert words(sent).startswith("I have no open position “eurusd”.")
    assert datas(sent)[0] == "p:v:7:1"


async def test_close_with_nothing_open(desk: ChatDesk) -> None:
    await desk.text("close btc")

    assert desk.session.texts() == ["Nothing is open, so there is nothing to close."]


async def test_money_command_from_before_an_outage_is_refused(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()
    sent_at = desk.wall.utc_now() - timedelta(minutes=5)

    await desk.text("/close btc", date=int(sent_at.timestamp()))

    (said,) = desk.session.texts()
    assert said.startswith("I did not act on that.\nYour message is 5 min old")


async def test_viewer_gets_no_close_button_and_no_close_command(desk: ChatDesk) -> None:
    desk.positions.rows[7] = position_of()

    await desk.tap("p:v:7:1", user=VIEWER, photo=False)
    await desk.text("/close btc", user=VIEWER)

    card, refusal = desk.session.of(SendMessage)
    assert labels(card) == ["🔄 Refresh"]
    assert "viewer" in words(refusal)
