"""Signals: stored exactly, claimed once, changed by compare-and-set only."""

import asyncio
from dataclasses import asdict
from datetime import timedelta

import pytest

from core.errors import JournalError
from core.model.notice import CardPlace, NoticeTopic
from core.model.signal import Signal, SignalState
from db.connection import Journal
from tests.db.conftest import OWNER, TRADER
from tests.support.clock import START
from tests.support.journal_rows import new_signal, notice


async def add(journal: Journal, **changes: object) -> Signal:
    signal = await journal.signals.add(new_signal(**changes))
    assert signal is not None
    return signal


async def test_signal_is_stored_exactly(journal: Journal) -> None:
    new = new_signal()
    signal = await add(journal)
    stored = asdict(signal)
    for name, value in asdict(new).items():
        if name != "replaces":
            assert stored[name] == value, name
    assert (signal.state, signal.rev) == (SignalState.OPEN, 1)
    assert str(signal.entry.price) == "65000.10"
    assert await journal.signals.get(signal.id) == signal
    assert await journal.signals.get(999) is None


async def test_known_key_writes_nothing(peopled: Journal) -> None:
    await add(peopled)
    assert await peopled.signals.add(new_signal(), (notice("card"),)) is None
    assert len(await peopled.signals.recent(10)) == 1
    assert await peopled.outbox.waiting() == 0


async def test_notices_of_a_new_signal_carry_its_id(peopled: Journal) -> None:
    card = notice("card", topic=NoticeTopic.SIGNAL_CARD)
    first = await peopled.signals.add(new_signal(key="a"), (card,))
    second = await peopled.signals.add(new_signal(key="b"), (card, notice("other", 77)))
    assert first is not None
    assert second is not None
    items = await peopled.outbox.due(START, 100)
    assert [(i.chat_id, i.notice.key, i.notice.subject_id) for i in items] == [
        (OWNER, f"card:{first.id}", first.id),
        (TRADER, f"card:{first.id}", first.id),
        (OWNER, f"card:{second.id}", second.id),
        (TRADER, f"card:{second.id}", second.id),
        (OWNER, "other", 77),
        (TRADER, "other", 77),
    ]


async def test_replacing_signal_takes_over_the_cards(journal: Journal) -> None:
    old = await add(journal, key="a")
    place = CardPlace(signal_id=old.id, chat_id=OWNER, message_id=5, has_photo=True)
    await journal.signals.save_card(place)
    new = await add(journal, key="b", replaces=old.id)
    assert await journal.signals.cards(old.id) == ()
    assert await journal.signals.cards(new.id) == (
        CardPlace(signal_id=new.id, chat_id=OWNER, message_id=5, has_photo=True),
    )


async def test_card_is_remembered_once_per_chat(journal: Journal) -> None:
    signal = await add(journal)
    for message_id in (5, 5, 8):
        await journal.signals.save_card(
            CardPlace(
                signal_id=signal.id, chat_id=OWNER, message_id=message_id, has_photo=message_id == 5
            )
        )
    assert await journal.signals.cards(signal.id) == (
        CardPlace(signal_id=signal.id, chat_id=OWNER, message_id=8, has_photo=False),
    )
    with pytest.raises(JournalError):
        await journal.signals.save_card(
            CardPlace(signal_id=999, chat_id=OWNER, message_id=1, has_photo=False)
        )


async def test_fifty_taps_have_one_winner_and_all_are_recorded(journal: Journal) -> None:
    signal = await add(journal)
    claims = await asyncio.gather(
        *(journal.signals.claim(signal.id, 1, user, START) for user in range(50))
    )
    winners = [claim for claim in claims if claim.won]
    assert len(winners) == 1
    assert winners[0].signal is not None
    assert (winners[0].signal.state, winners[0].signal.rev) == (SignalState.EXECUTING, 2)
    now = await journal.signals.get(signal.id)
    assert now is not None
    assert now.acted_at == START
    assert all(claim.signal == now for claim in claims)
    taps = await journal.database.fetch_all("SELECT user_id, won FROM taps")
    assert sorted(tap["user_id"] for tap in taps) == list(range(50))
    assert [tap["user_id"] for tap in taps if tap["won"]] == [now.acted_by]


async def test_claim_is_lost_at_the_very_moment_of_expiry(journal: Journal) -> None:
    signal = await add(journal)
    claim = await journal.signals.claim(signal.id, 1, OWNER, signal.expires_at)
    assert not claim.won
    assert claim.signal == signal
    last = signal.expires_at - timedelta(microseconds=1)
    assert (await journal.signals.claim(signal.id, 1, OWNER, last)).won


async def test_claim_with_an_old_button_or_of_nothing_is_lost(journal: Journal) -> None:
    signal = await add(journal)
    assert not (await journal.signals.claim(signal.id, 2, OWNER, START)).won
    nothing = await journal.signals.claim(999, 1, OWNER, START)
    assert (nothing.won, nothing.signal) == (False, None)
    taps = await journal.database.fetch_all("SELECT signal_id, won FROM taps")
    assert [tuple(tap) for tap in taps] == [(signal.id, 0), (999, 0)]


async def test_change_needs_the_expected_state_and_rev(peopled: Journal) -> None:
    signal = await add(peopled)
    lost = await peopled.signals.change(
        signal.id,
        expect=SignalState.EXECUTING,
        to=SignalState.DRIFTED,
        at=START,
        notices=(notice("lost"),),
    )
    assert (lost.won, lost.signal) == (False, signal)
    stale = await peopled.signals.change(
        signal.id, expect=SignalState.OPEN, to=SignalState.DISMISSED, at=START, rev=9
    )
    assert not stale.won
    won = await peopled.signals.change(
        signal.id,
        expect=SignalState.OPEN,
        to=SignalState.DISMISSED,
        at=START,
        rev=1,
        user_id=OWNER,
        reason="too late in the day",
        notices=(notice("edit", signal.id),),
    )
    assert won.won
    assert won.signal is not None
    assert (won.signal.state, won.signal.rev) == (SignalState.DISMISSED, 2)
    assert (won.signal.acted_by, won.signal.acted_at) == (OWNER, START)
    assert won.signal.state_reason == "too late in the day"
    assert [i.notice.key for i in await peopled.outbox.due(START, 9)] == ["edit", "edit"]


async def test_change_without_a_person_keeps_who_acted(journal: Journal) -> None:
    signal = await add(journal)
    await journal.signals.claim(signal.id, 1, OWNER, START)
    later = START + timedelta(seconds=1)
    claim = await journal.signals.change(
        signal.id, expect=SignalState.EXECUTING, to=SignalState.DRIFTED, at=later, reason="moved"
    )
    assert claim.signal is not None
    assert (claim.signal.acted_by, claim.signal.acted_at) == (OWNER, START)


async def test_every_change_of_state_leaves_an_audit_line(journal: Journal) -> None:
    signal = await add(journal)
    await journal.signals.claim(signal.id, 1, OWNER, START)
    await journal.signals.claim(signal.id, 1, TRADER, START)
    await journal.signals.change(
        signal.id,
        expect=SignalState.EXECUTING,
        to=SignalState.REJECTED,
        at=START,
        reason="no money",
    )
    trail = [(e.kind, e.subject, e.user_id) for e in reversed(await journal.audit.recent(9))]
    subject = f"signal:{signal.id}"
    assert trail == [
        ("signal.created", subject, None),
        ("signal.executing", subject, OWNER),
        ("signal.rejected", subject, None),
    ]


async def test_lists_are_by_state_and_by_age(journal: Journal) -> None:
    ids = [(await add(journal, key=str(n))).id for n in range(4)]
    await journal.signals.claim(ids[1], 1, OWNER, START)
    opened = await journal.signals.in_state(SignalState.OPEN)
    both = await journal.signals.in_state(SignalState.OPEN, SignalState.EXECUTING)
    assert [s.id for s in opened] == [ids[0], ids[2], ids[3]]
    assert [s.id for s in both] == ids
    assert await journal.signals.in_state() == ()
    assert [s.id for s in await journal.signals.recent(2)] == [ids[3], ids[2]]
