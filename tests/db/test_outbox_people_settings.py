"""The outbox, the listed people, the settings."""

from datetime import timedelta

import pytest

from core.errors import JournalError
from core.model.notice import NoticePriority
from core.model.people import Role
from db.connection import Journal
from tests.db.conftest import OWNER, TRADER, VIEWER
from tests.support.clock import START
from tests.support.journal_rows import notice

MINUTE = timedelta(minutes=1)


async def test_notices_go_to_subscribed_chats_once_per_key(peopled: Journal) -> None:
    await peopled.outbox.queue((notice("a"), notice("a")), START)
    await peopled.outbox.queue((notice("a", text="other"),), START + MINUTE)
    items = await peopled.outbox.due(START + MINUTE, 9)
    assert [(i.chat_id, i.notice, i.created_at, i.attempts) for i in items] == [
        (OWNER, notice("a"), START, 0),
        (TRADER, notice("a"), START, 0),
    ]


async def test_due_is_by_priority_then_age_and_limited(peopled: Journal) -> None:
    await peopled.users.subscribe(TRADER, False)
    for key, priority in (
        ("info", NoticePriority.INFO),
        ("signal", NoticePriority.SIGNAL),
        ("money1", NoticePriority.MONEY),
        ("money2", NoticePriority.MONEY),
    ):
        await peopled.outbox.queue((notice(key, priority=priority),), START)
    keys = [i.notice.key for i in await peopled.outbox.due(START, 9)]
    assert keys == ["money1", "money2", "signal", "info"]
    assert [i.notice.key for i in await peopled.outbox.due(START, 1)] == ["money1"]


async def test_expired_notices_are_marked_and_left_out(peopled: Journal) -> None:
    await peopled.outbox.queue((notice("a", time_to_live=MINUTE), notice("b")), START)
    item = (await peopled.outbox.due(START, 9))[0]
    assert item.expires_at == START + MINUTE
    assert item.notice.time_to_live == MINUTE
    due = await peopled.outbox.due(START + MINUTE, 9)
    assert [i.notice.key for i in due] == ["b", "b"]
    assert await peopled.outbox.waiting() == 2
    rows = await peopled.database.fetch_all("SELECT DISTINCT state FROM outbox WHERE key = 'a'")
    assert [row["state"] for row in rows] == ["expired"]


async def test_sent_failed_and_postponed_items(peopled: Journal) -> None:
    await peopled.users.subscribe(TRADER, False)
    await peopled.outbox.queue((notice("a"), notice("b"), notice("c")), START)
    a, b, c = await peopled.outbox.due(START, 9)
    await peopled.outbox.sent(a.id, START, 55)
    await peopled.outbox.fail(b.id, START, "400 chat not found")
    await peopled.outbox.postpone(c.id, START + MINUTE, "429")
    assert await peopled.outbox.due(START, 9) == ()
    assert await peopled.outbox.waiting() == 1
    (later,) = await peopled.outbox.due(START + MINUTE, 9)
    assert (later.notice.key, later.attempts) == ("c", 1)
    await peopled.outbox.postpone(a.id, START, "too late")
    assert await peopled.outbox.waiting() == 1
    rows = await peopled.database.fetch_all("SELECT state, error, message_id FROM outbox")
    assert [tuple(row) for row in rows] == [
        ("sent", None, 55),
        ("failed", "400 chat not found", None),
        ("waiting", "429", None),
    ]


async def test_people_are_listed_with_their_roles(peopled: Journal) -> None:
    people = {p.user_id: (p.role, p.subscribed) for p in await peopled.users.all()}
    assert people == {
        OWNER: (Role.OWNER, True),
        TRADER: (Role.TRADER, True),
        VIEWER: (Role.VIEWER, False),
    }
    assert await peopled.users.get(404) is None


async def test_saving_again_changes_role_and_name_only(peopled: Journal) -> None:
    await peopled.users.subscribe(TRADER, False)
    saved = await peopled.users.save(TRADER, Role.VIEWER, "Tomek", START + MINUTE)
    assert (saved.role, saved.name) == (Role.VIEWER, "Tomek")
    assert (saved.subscribed, saved.added_at) == (False, START)
    assert await peopled.users.get(TRADER) == saved


async def test_subscribing_is_audited_once(peopled: Journal) -> None:
    for _ in range(3):
        await peopled.users.subscribe(VIEWER, True)
    await peopled.users.subscribe(404, True)
    kinds = [entry.kind for entry in await peopled.audit.recent(9)]
    assert kinds.count("user.subscribed") == 1
    person = await peopled.users.get(VIEWER)
    assert person is not None
    assert person.subscribed


async def test_settings_are_replaced(journal: Journal) -> None:
    assert await journal.settings.get("mode") is None
    await journal.settings.put("mode", "ask", START)
    await journal.settings.put("mode", "auto", START)
    assert await journal.settings.get("mode") == "auto"


async def test_text_the_file_cannot_hold_is_a_plain_error(journal: Journal) -> None:
    with pytest.raises(JournalError, match="did not take"):
        await journal.settings.put("name", "\ud83d", START)
    await journal.settings.put("name", "ok 🧪", START)
    assert await journal.settings.get("name") == "ok 🧪"
