"""How a signal is born, expires, is dismissed, drifts and lives again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from core.model.commands import DismissSignal, ExecuteSignal, UseNewPrice
from core.model.notice import NoticeTopic
from core.model.order import Refusal
from core.model.outcome import Drifted, Executed, NotWon, Refused, Repriced
from core.model.signal import NewSignal, Side, Signal, SignalKind, SignalState
from core.model.values import Money, Quantity
from tests.support.desk_builders import BTC, level, quote_of, setup_of
from tests.support.trading_desk import OWNER, DeskOnTheBench, trading_desk


async def offered(desk: DeskOnTheBench, **changes: Any) -> Signal:
    signal = await desk.trading.publisher.offer(setup_of(**changes), SignalKind.STRATEGY)
    assert isinstance(signal, Signal)
    return signal


def tap(signal: Signal) -> ExecuteSignal:
    return ExecuteSignal(signal_id=signal.id, rev=signal.rev, user_id=OWNER)


async def test_a_setup_becomes_a_sized_signal_with_its_card_queued(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        assert (signal.state, signal.rev) == (SignalState.OPEN, 1)
        assert signal.quantity == Quantity.of("0.02")
        assert (signal.risk, signal.risk_asked) == (Money.of(2), Money.of(75))
        assert signal.expires_at == desk.clock.utc_now() + timedelta(minutes=15)
        (item,) = await desk.journal.outbox.due(desk.clock.utc_now(), 10)
        assert (item.notice.topic, item.notice.subject_id) == (NoticeTopic.SIGNAL_CARD, signal.id)


async def test_the_same_setup_is_never_offered_twice(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        dismissal = DismissSignal(signal_id=signal.id, rev=1, user_id=OWNER)
        await desk.trading.desk.dismiss(dismissal)
        again = await desk.trading.publisher.offer(setup_of(), SignalKind.STRATEGY)
        assert isinstance(again, Refusal)
        assert again.code == "repeated"


async def test_one_open_card_per_instrument(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        await offered(desk)
        second = setup_of(strategy="another")
        refused = await desk.trading.publisher.offer(second, SignalKind.STRATEGY)
        assert isinstance(refused, Refusal)
        assert refused.code == "card_open"


async def test_a_practice_card_is_small_and_may_stand_beside_a_real_one(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        await offered(desk)
        card = await desk.trading.practice.offer(BTC)
        assert isinstance(card, Signal)
        assert (card.kind, card.quantity) == (SignalKind.PRACTICE, Quantity.of("0.01"))
        outcome = await desk.trading.pipeline.execute(tap(card))
        assert isinstance(outcome, Executed)
        assert outcome.position.practice


async def test_bad_setups_are_refused_with_their_reason(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        codes = {}
        cases: dict[str, dict[str, Any]] = {
            "wrong side": {"stop": 97_100.0},
            "poor reward": {"targets": (97_100.0,)},
            "far stop": {"stop": 96_500.0, "targets": (99_000.0,)},
            "near stop": {"stop": 96_999.0, "targets": (97_100.0,)},
            "not a number": {"stop": float("nan")},
        }
        for name, changes in cases.items():
            answer = await desk.trading.publisher.offer(setup_of(**changes), SignalKind.STRATEGY)
            codes[name] = answer.code if isinstance(answer, Refusal) else "signal"
        assert codes == {
            "wrong side": "stop_side",
            "poor reward": "reward_risk",
            "far stop": "stop_too_far",
            "near stop": "stop_too_near",
            "not a number": "not_sized",
        }


async def test_a_card_ends_on_time_and_its_button_with_it(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        desk.clock.tick(899)
        assert await desk.trading.expiry.sweep() == 0
        desk.clock.tick(2)
        late = await desk.trading.pipeline.execute(tap(signal))
        assert isinstance(late, NotWon)
        assert await desk.trading.expiry.sweep() == 1
        ended = await desk.journal.signals.get(signal.id)
        assert ended is not None
        assert ended.state is SignalState.EXPIRED
        assert desk.record.entries == []


async def test_a_dismissed_card_cannot_be_executed(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        dismissal = DismissSignal(signal_id=signal.id, rev=signal.rev, user_id=OWNER)
        assert (await desk.trading.desk.dismiss(dismissal)).done
        assert not (await desk.trading.desk.dismiss(dismissal)).done
        assert isinstance(await desk.trading.pipeline.execute(tap(signal)), NotWon)
        assert desk.record.entries == []


async def test_a_drifted_card_sends_nothing_and_lives_again_at_the_new_price(
    tmp_path: Path,
) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        desk.market.current = quote_of(97_060.0)
        outcome = await desk.trading.pipeline.execute(tap(signal))
        assert isinstance(outcome, Drifted)
        assert outcome.signal.state is SignalState.DRIFTED
        assert desk.record.entries == []

        again = UseNewPrice(signal_id=signal.id, rev=outcome.signal.rev, user_id=OWNER)
        repriced = await desk.trading.desk.reprice(again)
        assert isinstance(repriced, Repriced)
        fresh = repriced.signal
        assert str(fresh.entry.price) == "97061.00"
        assert fresh.stop_distance == signal.stop_distance
        assert isinstance(await desk.trading.desk.reprice(again), NotWon)
        assert isinstance(await desk.trading.pipeline.execute(tap(fresh)), Executed)
        assert len(desk.record.entries) == 1


async def test_a_refused_tap_says_why_and_sends_nothing(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        desk.market.refusal = Refusal(code="stale_quote", text="The price is 9 s old.")
        outcome = await desk.trading.pipeline.execute(tap(signal))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "stale_quote"
        assert outcome.signal.state is SignalState.REJECTED
        assert outcome.signal.state_reason == "The price is 9 s old."
        assert desk.record.entries == []


async def test_no_price_means_no_order(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        signal = await offered(desk)
        desk.market.absent = True
        outcome = await desk.trading.pipeline.execute(tap(signal))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "no_quote"


async def test_nothing_is_opened_before_the_first_reconciliation(tmp_path: Path) -> None:
    async with trading_desk(tmp_path, booted=False) as desk:
        signal = await offered(desk)
        outcome = await desk.trading.pipeline.execute(tap(signal))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "starting"


async def test_an_opposite_position_is_not_half_hedged(tmp_path: Path) -> None:
    async with trading_desk(tmp_path) as desk:
        bought = await offered(desk)
        sold = await desk.journal.signals.add(_mirrored(bought))
        assert sold is not None
        await desk.trading.pipeline.execute(tap(bought))
        outcome = await desk.trading.pipeline.execute(tap(sold))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "opposite_position"
        assert len(desk.record.entries) == 1


def _mirrored(signal: Signal) -> NewSignal:
    return NewSignal(
        key="mirrored",
        kind=signal.kind,
        strategy=signal.strategy,
        instrument=signal.instrument,
        timeframe=signal.timeframe,
        side=Side.SELL,
        entry=level("96999.00"),
        stop=level("97099.00"),
        targets=(level("96779.00"),),
        quantity=signal.quantity,
        risk=signal.risk,
        risk_asked=signal.risk_asked,
        confidence=signal.confidence,
        reasons=(),
        warnings=(),
        drift_limit=signal.drift_limit,
        created_at=signal.created_at,
        created_market_at=signal.created_market_at,
        expires_at=signal.expires_at,
    )
