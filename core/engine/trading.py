"""The trading part of the desk, wired in plain calls: the same for live, sandbox and simulation."""

from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clocks
from core.engine.boot import Boot
from core.engine.expiry_sweep import ExpirySweep
from core.engine.practice import PracticeDesk
from core.engine.signal_publisher import SignalPublisher
from core.engine.streaming_signal_engine import StreamingSignalEngine
from core.event_bus import EventBus
from core.execution.deal_booker import DealBooker
from core.execution.deal_watcher import DealWatcher
from core.execution.execution_chain import build_chain
from core.execution.execution_pipeline import ExecutionParts, ExecutionPipeline
from core.execution.intent_resolver import IntentResolver
from core.execution.live_market import LiveMarket
from core.execution.order_funnel import OrderFunnel
from core.execution.outcome_recorder import OutcomeRecorder
from core.execution.position_closer import PositionCloser
from core.execution.position_reconciliation import PositionReconciliation
from core.execution.signal_desk import SignalDesk
from core.execution.signal_maker import SignalMaker
from core.model.events import SignalChanged
from core.model.instrument import InstrumentRegistry, Venue
from core.model.signal import SignalState
from core.ports.broker import Broker
from core.ports.journal import OrderStore, OutboxStore, PositionStore, SettingStore, SignalStore
from core.ports.outside import Reached
from core.risk.limits import RiskLimits
from core.risk.trading_state import TradingState
from core.strategies.protocol import Strategy
from core.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingInputs:
    """Everything trading needs from outside."""

    clocks: Clocks
    bus: EventBus
    registry: InstrumentRegistry
    market: LiveMarket
    broker: Broker
    signals: SignalStore
    orders: OrderStore
    positions: PositionStore
    outbox: OutboxStore
    settings: SettingStore
    limits: RiskLimits
    origin: Venue
    """The venue whose prices signals are computed from."""
    strategies: tuple[Strategy, ...]
    min_confidence: float
    validity: timedelta
    quarantine: timedelta
    """How long an unanswered order may still turn up at the venue."""
    reached: Reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """The wired parts."""

    state: TradingState
    pipeline: ExecutionPipeline
    desk: SignalDesk
    closer: PositionCloser
    publisher: SignalPublisher
    practice: PracticeDesk
    reconciliation: PositionReconciliation
    deals: DealWatcher
    expiry: ExpirySweep
    boot: Boot
    engine: StreamingSignalEngine

    async def begin(self, supervisor: Supervisor) -> None:
        """The only start-up path: reconcile and put cards right, then let everything run."""
        await self.boot.run()
        supervisor.keep("heartbeat", self.boot.heartbeat)
        supervisor.keep("deals", self.deals.run)
        supervisor.keep("reconciliation", self.reconciliation.run)
        supervisor.keep("expiry", self.expiry.run)
        supervisor.keep("signal engine", self.engine.run)


def assemble_trading(inputs: TradingInputs) -> Trading:
    """Wire it; nothing runs yet and entries are halted until the first reconciliation."""
    clocks, bus, broker, market = inputs.clocks, inputs.bus, inputs.broker, inputs.market
    signals, orders, positions = inputs.signals, inputs.orders, inputs.positions
    state = TradingState()
    maker = SignalMaker(
        clocks=clocks, registry=inputs.registry, market=market, broker=broker,
        limits=inputs.limits, origin=inputs.origin, validity=inputs.validity,
    )  # fmt: skip
    publisher = SignalPublisher(
        wall=clocks.wall, bus=bus, signals=signals, positions=positions, maker=maker
    )
    recorder = OutcomeRecorder(
        clocks=clocks, bus=bus, signals=signals, orders=orders, state=state,
        reached=inputs.reached,
    )  # fmt: skip
    booker = DealBooker(clocks=clocks, bus=bus, broker=broker, orders=orders, positions=positions)
    funnel = OrderFunnel(inputs.limits, state, market, clocks.wall)
    reconciliation = _reconciliation(inputs, state, recorder, booker)
    return Trading(
        state=state,
        pipeline=_pipeline(inputs, state, funnel, recorder),
        desk=SignalDesk(clocks=clocks, bus=bus, market=market, signals=signals, maker=maker),
        closer=PositionCloser(
            clocks=clocks, broker=broker, orders=orders, positions=positions, funnel=funnel,
            booker=booker, reached=inputs.reached,
        ),
        publisher=publisher,
        practice=PracticeDesk(
            registry=inputs.registry, market=market, market_clock=clocks.market,
            publisher=publisher,
        ),
        reconciliation=reconciliation,
        deals=DealWatcher(bus=bus, broker=broker, booker=booker),
        expiry=ExpirySweep(wall=clocks.wall, bus=bus, signals=signals),
        boot=Boot(
            wall=clocks.wall, bus=bus, reconciliation=reconciliation, signals=signals,
            positions=positions, outbox=inputs.outbox, settings=inputs.settings,
        ),
        engine=StreamingSignalEngine(
            market=clocks.market, bus=bus, registry=inputs.registry, live=market, state=state,
            strategies=inputs.strategies, publisher=publisher, min_confidence=inputs.min_confidence,
        ),
    )  # fmt: skip


def _pipeline(
    inputs: TradingInputs, state: TradingState, funnel: OrderFunnel, recorder: OutcomeRecorder
) -> ExecutionPipeline:
    parts = ExecutionParts(
        clocks=inputs.clocks,
        bus=inputs.bus,
        registry=inputs.registry,
        market=inputs.market,
        broker=inputs.broker,
        signals=inputs.signals,
        orders=inputs.orders,
        funnel=funnel,
        recorder=recorder,
        chain=build_chain(inputs.limits, state, inputs.market),
        limits=inputs.limits,
        reached=inputs.reached,
    )
    return ExecutionPipeline(parts)


def _reconciliation(
    inputs: TradingInputs, state: TradingState, recorder: OutcomeRecorder, booker: DealBooker
) -> PositionReconciliation:
    resolver = IntentResolver(
        clocks=inputs.clocks, signals=inputs.signals, orders=inputs.orders,
        positions=inputs.positions, recorder=recorder, state=state, quarantine=inputs.quarantine,
    )  # fmt: skip
    reconciliation = PositionReconciliation(
        clocks=inputs.clocks, broker=inputs.broker, signals=inputs.signals, orders=inputs.orders,
        positions=inputs.positions, resolver=resolver, booker=booker, state=state,
    )  # fmt: skip
    inputs.bus.subscribe(SignalChanged, lambda event: _poke_when_unknown(reconciliation, event))
    return reconciliation


def _poke_when_unknown(reconciliation: PositionReconciliation, event: SignalChanged) -> None:
    if event.signal.state is SignalState.UNKNOWN:
        reconciliation.poke()
