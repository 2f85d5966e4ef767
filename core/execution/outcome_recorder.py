"""Writes down what the venue answered to an entry: used by the pipeline and by reconciliation."""

from core.clock import Clocks
from core.errors import JournalError
from core.event_bus import EventBus
from core.execution import notices
from core.model.events import NoticesQueued, PositionOpened, SignalChanged
from core.model.order import (
    IntentState,
    OrderFilled,
    OrderIntent,
    OrderRejected,
    OrderUnknown,
    Refusal,
    SubmitOutcome,
)
from core.model.outcome import Executed, ExecutionOutcome, Refused, Unresolved
from core.model.position import NewPosition
from core.model.signal import Signal, SignalKind, SignalState
from core.model.values import Money, Price
from core.ports.journal import OrderStore, SignalStore
from core.ports.outside import Reached
from core.risk.trading_state import TradingState

CHECKING = Refusal(
    code="unknown_order",
    text="An order on this instrument has no answer yet; the venue is being asked.",
)


class OutcomeRecorder:
    """Outcome -> journal (one transaction) -> events."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        bus: EventBus,
        signals: SignalStore,
        orders: OrderStore,
        state: TradingState,
        reached: Reached,
    ) -> None:
        self._clocks = clocks
        self._bus = bus
        self._signals = signals
        self._orders = orders
        self._state = state
        self._reached = reached

    async def record_entry(
        self, signal: Signal, intent: OrderIntent, outcome: SubmitOutcome
    ) -> ExecutionOutcome:
        """Commit the outcome of an entry and tell everybody.

        Without a journal the outcome is not lost: the venue's record and the committed intent stay,
        the instrument is locked, and reconciliation writes it down.
        """
        try:
            if isinstance(outcome, OrderFilled):
                return await self.record_fill(signal, intent, outcome)
            if isinstance(outcome, OrderRejected):
                return await self._rejected(signal, outcome)
            return await self._unknown(signal, intent, outcome)
        except JournalError as e:
            self._state.lock(intent.instrument, CHECKING)
            return Unresolved(signal=signal, text=f"The journal could not be written ({e}).")

    async def record_fill(self, signal: Signal, intent: OrderIntent, fill: OrderFilled) -> Executed:
        """Fill, position and signal in one transaction; safe to repeat."""
        now = self._clocks.wall.utc_now()
        position = await self._orders.record_entry(
            fill,
            self._new_position(signal, intent, fill),
            now,
            (notices.card_edit_of(signal.id, "filled"), notices.position_opened(intent.id)),
        )
        self._reached("outcome.committed")
        self._state.unlock(intent.instrument, CHECKING)
        changed = await self._signals.get(signal.id) or signal
        self._bus.publish(PositionOpened(at=now, position=position))
        self._announce(changed)
        return Executed(signal=changed, position=position)

    async def absent(self, intent: OrderIntent, text: str) -> None:
        """The venue provably never took this entry: the signal ends as rejected."""
        await self._problem(
            intent, IntentState.ABSENT, SignalState.REJECTED, code="absent", text=text
        )
        self._state.unlock(intent.instrument, CHECKING)

    async def _rejected(self, signal: Signal, outcome: OrderRejected) -> Refused:
        advice = f" {outcome.advice}" if outcome.advice else ""
        intent = await self._orders.intent(outcome.intent_id)
        if intent is not None:
            await self._problem(
                intent,
                IntentState.REJECTED,
                SignalState.REJECTED,
                code=outcome.code,
                text=outcome.text + advice,
            )
            self._state.unlock(intent.instrument, CHECKING)
        changed = await self._signals.get(signal.id) or signal
        refusal = Refusal(code=outcome.code, text=outcome.text, advice=outcome.advice)
        return Refused(signal=changed, refusal=refusal)

    async def _unknown(
        self, signal: Signal, intent: OrderIntent, outcome: OrderUnknown
    ) -> Unresolved:
        self._state.lock(intent.instrument, CHECKING)
        await self._problem(
            intent, IntentState.UNKNOWN, SignalState.UNKNOWN, code="unknown", text=outcome.text
        )
        changed = await self._signals.get(signal.id) or signal
        return Unresolved(signal=changed, text=outcome.text)

    async def _problem(
        self, intent: OrderIntent, state: IntentState, to: SignalState, *, code: str, text: str
    ) -> None:
        await self._orders.record_problem(
            intent.id,
            state,
            to,
            self._clocks.wall.utc_now(),
            code=code,
            text=text,
            notices=(
                notices.card_edit_of(intent.signal_id, code),
                notices.problem(intent.signal_id, code),
            ),
        )
        self._reached("outcome.committed")
        changed = await self._signals.get(intent.signal_id)
        if changed is not None:
            self._announce(changed)

    def _new_position(self, signal: Signal, intent: OrderIntent, fill: OrderFilled) -> NewPosition:
        stop = intent.stop or signal.stop.price
        return NewPosition(
            signal_id=signal.id,
            intent_id=intent.id,
            venue_position_id=fill.venue_position_id,
            instrument=intent.instrument,
            side=intent.side,
            quantity=fill.quantity,
            entry=fill.price,
            stop=stop,
            target=intent.target,
            risk=initial_risk(signal, fill, stop),
            opened_at=self._clocks.wall.utc_now(),
            opened_market_at=fill.filled_at,
            practice=signal.kind is SignalKind.PRACTICE,
        )

    def _announce(self, signal: Signal) -> None:
        now = self._clocks.wall.utc_now()
        self._bus.publish(SignalChanged(at=now, signal=signal))
        self._bus.publish(NoticesQueued(at=now))


def initial_risk(signal: Signal, fill: OrderFilled, stop: Price) -> Money:
    """1R in money: the card's risk scaled to the real fill price and size.

    Needs no venue call, so a fill can always be written down.
    """
    card = signal.stop_distance * signal.quantity.value
    real = abs(fill.price.value - stop.value) * fill.quantity.value
    return Money.of(signal.risk.amount * real / card)
