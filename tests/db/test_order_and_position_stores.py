"""Intents, fills, positions and deals: one transaction each, repeatable, never taken back."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import JournalError
from core.model.order import IntentState, OrderIntent
from core.model.position import CloseReason, DealEntry, Position, PositionState
from core.model.signal import SignalState
from core.model.values import Money, Price, Quantity
from db.connection import Journal
from tests.db.conftest import OWNER, TRADER
from tests.support.clock import START
from tests.support.journal_rows import (
    close_intent,
    entry_intent,
    fill_of,
    new_position,
    new_signal,
    notice,
    out_deal,
)

LATER = START + timedelta(minutes=6)


async def committed(journal: Journal, key: str = "a") -> OrderIntent:
    """A claimed signal with its committed entry."""
    signal = await journal.signals.add(new_signal(key=key))
    assert signal is not None
    await journal.signals.claim(signal.id, 1, OWNER, START)
    intent = entry_intent(signal.id)
    await journal.orders.commit_intent(intent)
    return intent


async def opened(journal: Journal, key: str = "a", deal_id: int = 1) -> Position:
    intent = await committed(journal, key)
    return await journal.orders.record_entry(
        fill_of(intent, deal_id), new_position(intent), START, (notice(f"opened:{intent.id}"),)
    )


async def state_of(journal: Journal, signal_id: int) -> SignalState:
    signal = await journal.signals.get(signal_id)
    assert signal is not None
    return signal.state


async def table(journal: Journal, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await journal.database.fetch_all(sql)]


async def test_intent_is_stored_exactly_and_unresolved(journal: Journal) -> None:
    intent = await committed(journal)
    assert await journal.orders.intent(intent.id) == intent
    assert await journal.orders.unresolved() == (intent,)
    assert await journal.orders.intent("nothing") is None


async def test_the_same_intent_cannot_be_committed_twice(journal: Journal) -> None:
    intent = await committed(journal)
    with pytest.raises(JournalError, match="already"):
        await journal.orders.commit_intent(intent)
    assert len(await journal.orders.unresolved()) == 1


@pytest.mark.parametrize("state", [IntentState.COMMITTED, IntentState.UNKNOWN])
async def test_second_entry_of_a_signal_is_refused_while_the_first_may_live(
    journal: Journal, state: IntentState
) -> None:
    intent = await committed(journal)
    if state is not IntentState.COMMITTED:
        await journal.orders.record_problem(intent.id, state, None, START, code="x", text="x")
    with pytest.raises(JournalError, match="already has an entry"):
        await journal.orders.commit_intent(entry_intent(intent.signal_id, attempt=2))


async def test_second_entry_is_allowed_after_a_refused_one(journal: Journal) -> None:
    intent = await committed(journal)
    await journal.orders.record_problem(
        intent.id, IntentState.REJECTED, None, START, code="x", text="x"
    )
    second = entry_intent(intent.signal_id, attempt=2)
    await journal.orders.commit_intent(second)
    assert await journal.orders.unresolved() == (second,)


async def test_recorded_entry_moves_everything_at_once(peopled: Journal) -> None:
    position = await opened(peopled)
    intent = await peopled.orders.intent(position.intent_id)
    assert intent is not None
    assert intent.state is IntentState.FILLED
    assert await peopled.orders.unresolved() == ()
    assert await state_of(peopled, position.signal_id) is SignalState.EXECUTED
    assert position.state is PositionState.OPEN
    assert position.stop == position.stop_initial == Price.of("64800.00")
    assert await peopled.positions.get(position.id) == position
    assert await peopled.positions.open() == (position,)
    assert await peopled.positions.entry_deal_quantity(position.id) == Quantity.of("0.02")
    assert await table(peopled, "SELECT venue_order_id, state FROM orders") == [("o1", "filled")]
    items = await peopled.outbox.due(START, 9)
    assert [(i.chat_id, i.notice.subject_id) for i in items] == [
        (OWNER, position.id),
        (TRADER, position.id),
    ]
    assert {i.notice.key for i in items} == {f"opened:{intent.id}"}


async def test_recording_an_entry_again_changes_nothing(peopled: Journal) -> None:
    first = await opened(peopled)
    intent = await peopled.orders.intent(first.intent_id)
    assert intent is not None
    trail = await peopled.audit.recent(99)
    again = await peopled.orders.record_entry(
        fill_of(intent, 9), new_position(intent), LATER, (notice("again"),)
    )
    assert again == first
    assert await peopled.audit.recent(99) == trail
    assert await peopled.outbox.waiting() == 2
    assert await table(peopled, "SELECT deal_id FROM fills") == [("1",)]


async def test_twenty_concurrent_records_make_one_position(journal: Journal) -> None:
    intent = await committed(journal)
    answers = await asyncio.gather(
        *(
            journal.orders.record_entry(fill_of(intent), new_position(intent), START)
            for _ in range(20)
        )
    )
    assert len(set(answers)) == 1
    assert await journal.positions.open() == (answers[0],)


async def test_entry_without_its_intent_is_refused_whole(journal: Journal) -> None:
    intent = entry_intent(77)
    with pytest.raises(JournalError, match="not in the journal"):
        await journal.orders.record_entry(fill_of(intent), new_position(intent), START)
    assert await journal.positions.open() == ()


async def test_rejected_entry_ends_its_signal_with_the_reason(peopled: Journal) -> None:
    intent = await committed(peopled)
    await peopled.orders.record_problem(
        intent.id,
        IntentState.REJECTED,
        SignalState.REJECTED,
        START,
        code="no_money",
        text="Not enough free margin.",
        notices=(notice("problem", intent.signal_id),),
    )
    signal = await peopled.signals.get(intent.signal_id)
    assert signal is not None
    assert (signal.state, signal.state_reason) == (
        SignalState.REJECTED,
        "Not enough free margin.",
    )
    assert signal.rev == 3
    assert await peopled.orders.unresolved() == ()
    assert await table(peopled, "SELECT state, code FROM orders") == [("rejected", "no_money")]
    assert await peopled.outbox.waiting() == 2


async def test_unknown_entry_stays_unresolved_until_it_is_found(journal: Journal) -> None:
    intent = await committed(journal)
    await journal.orders.record_problem(
        intent.id, IntentState.UNKNOWN, SignalState.UNKNOWN, START, code="unknown", text="No answer"
    )
    assert [i.state for i in await journal.orders.unresolved()] == [IntentState.UNKNOWN]
    position = await journal.orders.record_entry(fill_of(intent), new_position(intent), LATER)
    assert await state_of(journal, position.signal_id) is SignalState.EXECUTED
    assert await table(journal, "SELECT state, code FROM orders") == [("filled", None)]


async def test_late_fill_of_an_absent_entry_is_adopted(journal: Journal) -> None:
    intent = await committed(journal)
    await journal.orders.record_problem(
        intent.id, IntentState.ABSENT, SignalState.REJECTED, START, code="absent", text="Not found"
    )
    position = await journal.orders.record_entry(fill_of(intent), new_position(intent), LATER)
    assert await state_of(journal, position.signal_id) is SignalState.EXECUTED


async def test_a_fill_is_never_taken_back(peopled: Journal) -> None:
    position = await opened(peopled)
    await peopled.orders.record_problem(
        position.intent_id,
        IntentState.UNKNOWN,
        SignalState.UNKNOWN,
        LATER,
        code="unknown",
        text="late",
        notices=(notice("late"),),
    )
    intent = await peopled.orders.intent(position.intent_id)
    assert intent is not None
    assert intent.state is IntentState.FILLED
    assert await state_of(peopled, position.signal_id) is SignalState.EXECUTED
    assert await peopled.outbox.waiting() == 2
    with pytest.raises(JournalError, match="not in the journal"):
        await peopled.orders.record_problem(
            "nothing", IntentState.UNKNOWN, None, LATER, code="x", text="x"
        )


async def test_close_is_claimed_once_and_can_be_given_back(journal: Journal) -> None:
    position = await opened(journal)
    claims = await asyncio.gather(
        *(journal.positions.claim_close(position.id, 1, LATER) for _ in range(10))
    )
    (winner,) = [claim for claim in claims if claim is not None]
    assert (winner.state, winner.rev) == (PositionState.CLOSING, 2)
    assert await journal.positions.open() == (winner,)
    await journal.positions.release_close(position.id, LATER)
    back = await journal.positions.get(position.id)
    assert back is not None
    assert (back.state, back.rev) == (PositionState.OPEN, 3)
    assert await journal.positions.claim_close(position.id, 1, LATER) is None
    assert await journal.positions.claim_close(999, 1, LATER) is None


async def test_stop_out_closes_the_position_net_of_all_costs(peopled: Journal) -> None:
    position = await opened(peopled)
    deal = out_deal(position, 2)
    told = (notice(f"closed:{position.id}", position.id),)
    closed = await peopled.positions.record_deal(deal, position.id, LATER, told)
    assert closed is not None
    assert closed.state is PositionState.CLOSED
    assert closed.profit == Money.of("-4.23")  # -4.02 gross, -0.10 in, -0.10 out, -0.01 swap
    assert (closed.close_price, closed.close_reason) == (Price.of("64800.00"), CloseReason.STOP)
    assert (closed.closed_at, closed.closed_market_at) == (LATER, deal.time)
    assert await peopled.positions.open() == ()
    assert await peopled.positions.closed(5) == (closed,)
    assert await peopled.positions.last_deal_id() == 2
    keys = [i.notice.key for i in await peopled.outbox.due(LATER, 9)]
    assert keys.count(f"closed:{position.id}") == 2


async def test_deal_is_stored_once(peopled: Journal) -> None:
    position = await opened(peopled)
    deal = out_deal(position, 2)
    first = await peopled.positions.record_deal(deal, position.id, LATER)
    assert first is not None
    waiting = await peopled.outbox.waiting()
    again = await peopled.positions.record_deal(deal, position.id, LATER, (notice("again"),))
    assert again is None
    assert await peopled.outbox.waiting() == waiting
    assert await peopled.positions.get(position.id) == first


async def test_partial_exits_close_at_the_full_size_with_all_profits(peopled: Journal) -> None:
    position = await opened(peopled)
    half = Quantity.of("0.01")
    one = out_deal(position, 2, quantity=half, profit=Money.of("1.00"))
    two = out_deal(position, 3, quantity=half, profit=Money.of("2.00"))
    told = (notice("closed"),)
    waiting = await peopled.outbox.waiting()
    assert await peopled.positions.record_deal(one, position.id, LATER, told) is None
    assert await peopled.outbox.waiting() == waiting
    closed = await peopled.positions.record_deal(two, position.id, LATER, told)
    assert closed is not None
    assert closed.profit == Money.of("2.68")  # 3.00 - 0.10 in - 2 x 0.11 out
    assert await peopled.outbox.waiting() == waiting + 2


async def test_in_deals_and_foreign_deals_are_stored_and_close_nothing(journal: Journal) -> None:
    position = await opened(journal)
    entry = out_deal(position, 2, entry=DealEntry.IN, reason=None, client_id=position.intent_id)
    foreign = out_deal(position, 3, position_id="elsewhere", client_id=None)
    assert await journal.positions.record_deal(entry, position.id, LATER) is None
    assert await journal.positions.record_deal(foreign, None, LATER) is None
    assert await journal.positions.open() == (position,)
    assert await journal.positions.last_deal_id() == 3


async def test_deal_that_came_before_its_entry_closes_the_position_later(journal: Journal) -> None:
    intent = await committed(journal)
    ahead = new_position(intent)
    stub = Position(
        id=0,
        **{name: getattr(ahead, name) for name in ahead.__slots__},
        stop_initial=ahead.stop,
        state=PositionState.OPEN,
        rev=1,
    )
    assert await journal.positions.record_deal(out_deal(stub, 2), None, LATER) is None
    position = await journal.orders.record_entry(fill_of(intent), ahead, LATER)
    assert position.state is PositionState.CLOSED
    assert position.profit == Money.of("-4.23")


async def test_deal_of_a_requested_close_resolves_its_intent(journal: Journal) -> None:
    position = await opened(journal)
    claimed = await journal.positions.claim_close(position.id, 1, LATER)
    assert claimed is not None
    intent = close_intent(claimed)
    await journal.orders.commit_intent(intent)
    assert await journal.orders.unresolved() == (intent,)
    deal = out_deal(position, 2, client_id=intent.id, reason=CloseReason.MANUAL)
    closed = await journal.positions.record_deal(deal, position.id, LATER)
    assert closed is not None
    assert closed.close_reason is CloseReason.MANUAL
    assert await journal.orders.unresolved() == ()
    await journal.positions.release_close(position.id, LATER)
    assert await journal.positions.get(position.id) == closed


async def test_closed_positions_come_newest_first(journal: Journal) -> None:
    first = await opened(journal, "a", 1)
    second = await opened(journal, "b", 2)
    await journal.positions.record_deal(out_deal(second, 3), second.id, START)
    await journal.positions.record_deal(out_deal(first, 4), first.id, LATER)
    assert [p.id for p in await journal.positions.closed(9)] == [first.id, second.id]
    assert [p.id for p in await journal.positions.closed(1)] == [first.id]
    assert await journal.positions.last_deal_id() == 4


async def test_a_fresh_journal_knows_no_deal(journal: Journal) -> None:
    assert await journal.positions.last_deal_id() == 0
    assert await journal.positions.entry_deal_quantity(1) == Quantity.of(0)
