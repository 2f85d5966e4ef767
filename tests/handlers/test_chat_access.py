"""Who is heard: strangers, groups, floods, a journal that is down."""

import pytest
from aiogram.methods import AnswerCallbackQuery, SendMessage

from core.errors import JournalError
from tests.support.bot_desk import OWNER, STRANGER, VIEWER, ChatDesk
from tests.support.desk_builders import signal_of


async def test_stranger_gets_one_neutral_line_a_day(desk: ChatDesk) -> None:
    await desk.text("/start", user=STRANGER)
    await desk.text("hello?", user=STRANGER)
    assert desk.session.texts() == ["This is a private trading desk."]

    desk.wall.tick(86_401)
    await desk.text("and now?", user=STRANGER)
    assert len(desk.session.texts()) == 2


async def test_tap_of_a_stranger_changes_nothing(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()

    await desk.tap("s:x:1:1", user=STRANGER)

    assert desk.told.commands == []
    (answer,) = desk.session.of(AnswerCallbackQuery)
    assert answer.text == "This is a private trading desk."


async def test_message_without_sender_is_ignored(desk: ChatDesk) -> None:
    await desk.text("/start", sender=False)

    assert desk.session.calls == []


async def test_owner_cannot_trade_from_a_group(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of()

    await desk.tap("s:x:1:1", id=-5, type="supergroup", title="g")

    assert desk.told.commands == []
    (answer,) = desk.session.of(AnswerCallbackQuery)
    assert answer.text == "I work in our private chat only."


async def test_group_hears_once_that_the_desk_is_private(desk: ChatDesk) -> None:
    group = {"id": -5, "type": "supergroup", "title": "g"}
    await desk.text("/positions", chat=group)
    await desk.text("/positions", chat=group)
    await desk.text("nice weather", chat=group)
    await desk.text("/positions", user=STRANGER, chat=group)

    assert desk.session.texts() == ["I work in our private chat only."]


async def test_flood_of_a_listed_person_is_answered_once_then_dropped(desk: ChatDesk) -> None:
    for _ in range(60):
        await desk.text("/help")

    texts = desk.session.texts()
    assert len(texts) == 41
    assert texts[-1].startswith("That was a lot at once")

    desk.wall.tick(11)
    await desk.text("/help")
    assert len(desk.session.texts()) == 42


async def test_without_a_journal_known_people_are_told_and_strangers_hear_nothing(
    desk: ChatDesk,
) -> None:
    await desk.text("/help")
    desk.users.fails = JournalError("disk")

    await desk.text("/stop")
    assert desk.session.texts()[-1] == ("My journal is not available, so I will not open anything.")
    said = len(desk.session.texts())
    await desk.tap("s:x:1:1", user=STRANGER)
    assert len(desk.session.texts()) == said


@pytest.mark.parametrize("data", ["s:x:1:1", "s:d:1:1", "s:n:1:1", "p:c:7:1", "m:p", "zzz"])
async def test_viewer_may_not_change_anything(desk: ChatDesk, data: str) -> None:
    await desk.tap(data, user=VIEWER)

    assert desk.told.commands == []
    assert "viewer" in desk.session.of(AnswerCallbackQuery)[0].text


async def test_removed_person_is_a_stranger_at_once(desk: ChatDesk) -> None:
    await desk.text("/help")
    del desk.users.people[OWNER]

    await desk.text("/help")

    assert [call.text for call in desk.session.of(SendMessage)][-1] == (
        "This is a private trading desk."
    )
