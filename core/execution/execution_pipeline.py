"""One tap, at most one order: claim, look again, check, commit the intent, send, record.

The signal's row in the journal decides; everything here may be interrupted at any line and the
start-up path (position_reconciliation) finishes the story.
"""

import asyncio
import logging
from dataclasses import dataclass

from core.clock import Clocks
from core.errors import InvalidValueError, UnknownInstrumentError, VenueError
from core.event_bus import EventBus
from core.execution import notices
from core.execution.context import ExecutionContext, exposure_of, live_quantity
from core.execution.drift import entry_side_price, has_drifted
from core.execution.execution_chain import Link, run_chain
from core.execution.live_market import LiveMarket
from core.execution.order_funnel import OrderFunnel
from core.execution.outcome_recorder import OutcomeRecorder
from core.ids import intent_id
from core.model.commands import ExecuteSignal
from core.model.events import NoticesQueued, SignalChanged
from core.model.instrument import InstrumentRegistry
from core.model.market import Quote
from core.model.order import IntentLeg, OrderIntent, OrderUnknown, Refusal, RiskApproved
from core.model.outcome import Drifted, ExecutionOutcome, NotWon, Refused
from core.model.position import VenuePosition
from core.model.signal import Signal, SignalState
from core.model.values import Quantity
from core.ports.broker import Broker
from core.ports.journal import OrderStore, SignalStore
from core.ports.outside import Reached
from core.risk.exposure_guard import Exposure
from core.risk.limits import RiskLimits

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionParts:
    """What the pipeline works with."""

    clocks: Clocks
    bus: EventBus
    registry: InstrumentRegistry
    market: LiveMarket
    broker: Broker
    signals: SignalStore
    orders: OrderStore
    funnel: OrderFunnel
    recorder: OutcomeRecorder
    chain: tuple[Link, ...]
    limits: RiskLimits
    reached: Reached


class ExecutionPipeline:
    """Executes approved signals."""

    def __init__(self, parts: ExecutionParts) -> None:
        self._parts = parts
        self._checking = asyncio.Lock()
        self._in_flight: dict[int, Exposure] = {}

    async def execute(self, command: ExecuteSignal) -> ExecutionOutcome:
        """Do what the tap asks, once; every other tap of the same card gets `NotWon`."""
        parts = self._parts
        parts.reached("tap.received")
        now = parts.clocks.wall.utc_now()
        claim = await parts.signals.claim(command.signal_id, command.rev, command.user_id, now)
        if not claim.won or claim.signal is None:
            return NotWon(signal=claim.signal)
        parts.reached("signal.claimed")
        signal = claim.signal
        self._announce(signal)
        try:
            return await self._decide(signal)
        finally:
            self._in_flight.pop(signal.id, None)

    async def _decide(self, signal: Signal) -> ExecutionOutcome:
        try:
            decision = await self._prepare(signal)
        except (VenueError, UnknownInstrumentError, InvalidValueError) as e:
            log.warning("not sent", extra={"signal_id": signal.id, "why": str(e)})
            decision = Refusal(code="not_checked", text=f"{e.user_text} ({e})")
        if isinstance(decision, Drifted):
            return await self._drift(signal, decision.live_price)
        if isinstance(decision, Refusal):
            return await self._refuse(signal, decision)
        return await self._send(signal, decision)

    async def _prepare(self, signal: Signal) -> RiskApproved | Refusal | Drifted:
        """Look at the world again and run every gate; the lock makes aggregate limits hold."""
        parts = self._parts
        quote = parts.market.quote(signal.instrument)
        if quote is None:
            return Refusal(code="no_quote", text=f"No live price for {signal.instrument}.")
        async with self._checking:
            context = await self._context(signal, quote)
            quote = context.quote
            if has_drifted(signal, quote, parts.limits.min_reward_risk):
                return Drifted(signal=signal, live_price=entry_side_price(signal.side, quote))
            quantity = run_chain(parts.chain, context) or live_quantity(context)
            if isinstance(quantity, Refusal):
                return quantity
            intent = self._intent(signal, context, quantity)
            approved = parts.funnel.approve_entry(
                intent, context.instrument, context.rules, context.quote
            )
            if isinstance(approved, RiskApproved):
                self._in_flight[signal.id] = context.exposure(quantity)
                parts.reached("risk.approved")
            return approved

    async def _context(self, signal: Signal, quote: Quote) -> ExecutionContext:
        parts = self._parts
        instrument = parts.registry.get(signal.instrument)
        account = await parts.broker.account()
        positions = await parts.broker.positions()
        held = [await self._exposure(position) for position in positions]
        rules = await parts.broker.rules(instrument)
        return ExecutionContext(
            signal=signal,
            instrument=instrument,
            quote=parts.market.quote(signal.instrument) or quote,
            account=account,
            rules=rules,
            venue_positions=positions,
            held=(*held, *self._in_flight.values()),
        )

    async def _exposure(self, position: VenuePosition) -> Exposure:
        instrument = self._parts.registry.get(position.instrument)
        return exposure_of(instrument, await self._parts.broker.rules(instrument), position)

    def _intent(self, signal: Signal, context: ExecutionContext, quantity: Quantity) -> OrderIntent:
        return OrderIntent(
            id=intent_id(signal.id),
            leg=IntentLeg.ENTRY,
            signal_id=signal.id,
            position_id=None,
            instrument=signal.instrument,
            side=signal.side,
            quantity=quantity,
            stop=signal.stop.price,
            target=signal.targets[0].price if signal.targets else None,
            reference=context.instrument.price(context.quote.mid),
            created_at=self._parts.clocks.wall.utc_now(),
            created_market_at=self._parts.clocks.market.utc_now(),
        )

    async def _send(self, signal: Signal, approved: RiskApproved) -> ExecutionOutcome:
        parts = self._parts
        await parts.orders.commit_intent(approved.intent)
        parts.reached("intent.committed")
        try:
            outcome = await parts.broker.submit(approved)
        except VenueError as e:
            outcome = OrderUnknown(intent_id=approved.intent.id, text=str(e) or e.user_text)
        parts.reached("order.answered")
        return await parts.recorder.record_entry(signal, approved.intent, outcome)

    async def _drift(self, signal: Signal, live_price: float) -> ExecutionOutcome:
        changed = await self._end(signal, SignalState.DRIFTED, reason=f"live {live_price}")
        return Drifted(signal=changed, live_price=live_price)

    async def _refuse(self, signal: Signal, refusal: Refusal) -> ExecutionOutcome:
        reason = refusal.text if refusal.advice is None else f"{refusal.text} {refusal.advice}"
        changed = await self._end(signal, SignalState.REJECTED, reason=reason)
        return Refused(signal=changed, refusal=refusal)

    async def _end(self, signal: Signal, to: SignalState, *, reason: str) -> Signal:
        claim = await self._parts.signals.change(
            signal.id,
            expect=SignalState.EXECUTING,
            to=to,
            at=self._parts.clocks.wall.utc_now(),
            reason=reason,
            notices=(notices.card_edit(signal),),
        )
        changed = claim.signal or signal
        self._announce(changed)
        return changed

    def _announce(self, signal: Signal) -> None:
        now = self._parts.clocks.wall.utc_now()
        self._parts.bus.publish(SignalChanged(at=now, signal=signal))
        self._parts.bus.publish(NoticesQueued(at=now))
