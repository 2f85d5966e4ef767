"""From a tap to a closed trade: lost answers, early stops, restarts and disagreements."""

import asyncio
from datetime import timedelta
from pathlib import Path

from core.model.commands import ClosePosition, ExecuteSignal
from core.model.events import PositionClosed, PositionOpened
from core.model.notice import NoticeTopic
from core.model.outcome import (
    Closed,
    CloseNotWon,
    CloseUnresolved,
    Executed,
    NotWon,
    Refused,
    Unresolved,
)
from core.model.position import CloseReason, PositionState
from core.model.signal import Signal, SignalKind, SignalState
from tests.simulation.broker_model import Faults
from tests.support.desk_builders import setup_of
from tests.support.trading_desk import OWNER, DeskOnTheBench, trading_desk


async def executed(desk: DeskOnTheBench) -> Executed:
    outcome = await desk.trading.pipeline.execute(await new_tap(desk))
    assert isinstance(outcome, Executed)
    return outcome


async def new_tap(desk: DeskOnTheBench) -> ExecuteSignal:
    signal = await desk.trading.publisher.offer(setup_of(), SignalKind.STRATEGY)
    assert isinstance(signal, Signal)
    return ExecuteSignal(signal_id=signal.id, rev=signal.rev, user_id=OWNER)


async def test_many_taps_at_once_make_one_order(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        tap = await new_tap(desk)
        outcomes = await asyncio.gather(*(desk.trading.pipeline.execute(tap) for _ in range(20)))
        assert sum(isinstance(o, Executed) for o in outcomes) == 1
        assert sum(isinstance(o, NotWon) for o in outcomes) == 19
        assert len(desk.record.entries) == 1


async def test_a_fill_is_journalled_protected_and_told(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        heard: list[PositionOpened] = []
        desk.bus.subscribe(PositionOpened, heard.append)
        outcome = await executed(desk)
        assert outcome.signal.state is SignalState.EXECUTED
        (venue_position,) = desk.record.positions.values()
        assert venue_position.stop == outcome.position.stop
        assert outcome.position.stop_initial == outcome.position.stop
        assert [e.position.id for e in heard] == [outcome.position.id]
        topics = {i.notice.topic for i in await desk.journal.outbox.due(desk.clock.utc_now(), 20)}
        assert topics >= {NoticeTopic.POSITION_OPENED, NoticeTopic.SIGNAL_EDIT}


async def test_closing_books_the_deal_once(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        position = (await executed(desk)).position
        heard: list[PositionClosed] = []
        desk.bus.subscribe(PositionClosed, heard.append)
        close = ClosePosition(position_id=position.id, rev=position.rev, user_id=OWNER)
        first, second = await asyncio.gather(
            desk.trading.closer.close(close), desk.trading.closer.close(close)
        )
        assert {type(first), type(second)} == {Closed, CloseNotWon}
        assert len(heard) == 1
        assert desk.record.positions == {}
        (closed,) = await desk.journal.positions.closed(5)
        assert (closed.state, closed.close_reason) == (PositionState.CLOSED, CloseReason.MANUAL)


async def test_a_stop_at_the_venue_is_believed_by_its_deal(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        position = (await executed(desk)).position
        desk.broker.stop_out(position.venue_position_id)
        report = await desk.trading.reconciliation.run_once()
        assert [p.id for p in report.closed] == [position.id]
        (closed,) = await desk.journal.positions.closed(5)
        assert closed.close_reason is CloseReason.STOP


async def test_a_close_after_the_stop_was_faster_is_harmless(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        position = (await executed(desk)).position
        desk.broker.stop_out(position.venue_position_id)
        close = ClosePosition(position_id=position.id, rev=position.rev, user_id=OWNER)
        outcome = await desk.trading.closer.close(close)
        assert isinstance(outcome, Closed)
        assert outcome.position.close_reason is CloseReason.STOP
        assert await desk.journal.orders.unresolved() == ()


async def test_a_lost_answer_is_found_not_repeated(tmp_path: Path) -> None:
    async with trading_desk(tmp_path, faults=Faults(reply_lost=1.0)) as desk:
        outcome = await desk.trading.pipeline.execute(await new_tap(desk))
        assert isinstance(outcome, Unresolved)
        assert desk.trading.state.check("BTCUSD") is not None
        report = await desk.trading.reconciliation.run_once()
        assert len(report.resolved) == 1
        assert len(desk.record.entries) == 1
        (position,) = await desk.journal.positions.open()
        assert position.venue_position_id in desk.record.positions
        assert desk.trading.state.check("BTCUSD") is None


async def test_absence_needs_the_quarantine_and_two_looks(tmp_path: Path) -> None:
    async with trading_desk(tmp_path, faults=Faults(request_lost=1.0)) as desk:
        tap = await new_tap(desk)
        assert isinstance(await desk.trading.pipeline.execute(tap), Unresolved)
        assert (await desk.trading.reconciliation.run_once()).unresolved == 1
        desk.clock.tick(6)
        assert (await desk.trading.reconciliation.run_once()).unresolved == 1
        assert (await desk.trading.reconciliation.run_once()).unresolved == 0
        signal = await desk.journal.signals.get(tap.signal_id)
        assert signal is not None
        assert signal.state is SignalState.REJECTED
        assert "No money moved" in (signal.state_reason or "")
        assert desk.trading.state.check("BTCUSD") is None


async def test_a_lost_close_is_found(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        position = (await executed(desk)).position
        desk.broker._faults = Faults(reply_lost=1.0)
        close = ClosePosition(position_id=position.id, rev=position.rev, user_id=OWNER)
        assert isinstance(await desk.trading.closer.close(close), CloseUnresolved)
        await desk.trading.reconciliation.run_once()
        assert await desk.journal.positions.open() == ()
        assert await desk.journal.orders.unresolved() == ()


async def test_a_rejected_order_ends_the_signal_and_frees_the_instrument(tmp_path: Path) -> None:
    async with trading_desk(tmp_path, faults=Faults(rejected=1.0)) as desk:
        outcome = await desk.trading.pipeline.execute(await new_tap(desk))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "no_money"
        assert desk.trading.state.check("BTCUSD") is None


async def test_a_silent_venue_halts_entries_until_it_answers(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        desk.broker._faults = Faults(query_fails=1.0)
        assert await desk.trading.reconciliation.attempt() is None
        assert desk.trading.state.halted is not None
        desk.broker._faults = Faults()
        assert await desk.trading.reconciliation.attempt() is not None
        assert desk.trading.state.halted is None


async def test_a_position_the_journal_lost_is_a_break_that_locks(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        position = (await executed(desk)).position
        del desk.record.positions[position.venue_position_id]
        first = await desk.trading.reconciliation.run_once()
        second = await desk.trading.reconciliation.run_once()
        assert first.breaks == ()
        assert len(second.breaks) == 1
        assert "no deal proves its close" in second.breaks[0]
        assert desk.trading.state.locked() == {"BTCUSD"}


async def test_a_tap_cut_off_before_its_intent_is_ended_at_boot(tmp_path: Path) -> None:
    async with trading_desk(tmp_path, booted=False) as desk:
        tap = await new_tap(desk)
        before = desk.clock.utc_now() - timedelta(seconds=1)
        assert (await desk.journal.signals.claim(tap.signal_id, tap.rev, OWNER, before)).won
        await desk.trading.boot.run()
        signal = await desk.journal.signals.get(tap.signal_id)
        assert signal is not None
        assert signal.state is SignalState.REJECTED
        assert "before anything was sent" in (signal.state_reason or "")


async def test_a_restart_says_how_long_it_was_away(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        now = desk.clock.utc_now()
        await desk.journal.settings.put("heartbeat", (now - timedelta(hours=2)).isoformat(), now)
        await desk.trading.boot.run()
        texts = [i.notice.text for i in await desk.journal.outbox.due(now, 10)]
        assert any(text and "away for 2 h 0 min" in text for text in texts)
