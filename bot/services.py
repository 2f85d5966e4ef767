"""What the chat edge is given: the desk's services, through narrow protocols."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.pairing_gate import Claim, nobody_pairs
from core.clock import Clocks
from core.model.analysis import Analysis
from core.model.chart import ChartRequest
from core.model.commands import ClosePosition, DismissSignal, ExecuteSignal, UseNewPrice
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Quote, Timeframe
from core.model.order import Refusal
from core.model.outcome import CloseOutcome, ExecutionOutcome, RepriceOutcome, SignalChange
from core.model.report import HealthReport, Statistics
from core.model.signal import Setup, Signal, SignalKind
from core.ports.broker import Broker
from core.ports.journal import OutboxStore, PositionStore, SignalStore, UserStore
from core.ports.outside import ChartRenderer


class Analyst(Protocol):
    """Reads the market on request."""

    def analyse(self, instrument: Instrument, timeframe: Timeframe) -> Analysis:
        """Everything known now; raises FeedError when nothing useful is known."""
        ...

    def chart_request(self, analysis: Analysis, signal: Signal | None) -> ChartRequest:
        """The picture of an analysis, with the levels of `signal` when given."""
        ...


class Publisher(Protocol):
    """Turns a setup into a journalled signal whose card is queued in the outbox."""

    async def offer(self, setup: Setup, kind: SignalKind) -> Signal | Refusal:
        """The new signal, or why there is none."""
        ...

    async def practice(self, instrument: Instrument) -> Signal | Refusal:
        """A practice signal at the live price, or why there is none."""
        ...


class Pipeline(Protocol):
    """Handles taps on signal cards."""

    async def execute(self, command: ExecuteSignal) -> ExecutionOutcome:
        """At most one order for a signal."""
        ...

    async def dismiss(self, command: DismissSignal) -> SignalChange:
        """Let a signal go."""
        ...

    async def reprice(self, command: UseNewPrice) -> RepriceOutcome:
        """The same idea at the live price."""
        ...


class Closer(Protocol):
    """Handles taps on Close."""

    async def close(self, command: ClosePosition) -> CloseOutcome:
        """Close a whole position once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a handler may use; injected by aiogram as the keyword `services`."""

    registry: InstrumentRegistry
    clocks: Clocks
    mode: str
    """'sandbox', 'paper', 'live-<account>'."""
    watermark: str
    """'SIMULATED', 'PAPER', 'LIVE'; stands on every card."""
    analyst: Analyst
    charts: ChartRenderer
    publisher: Publisher
    pipeline: Pipeline
    closer: Closer
    signals: SignalStore
    positions: PositionStore
    outbox: OutboxStore
    users: UserStore
    broker: Broker
    statistics: Callable[[datetime | None], Awaitable[Statistics]]
    """Results of the trades closed since a moment (None: all)."""
    health: Callable[[], Awaitable[HealthReport]]
    quotes: Callable[[str], Quote | None]
    """The newest quote of a symbol."""
    start_job: Callable[[str, Coroutine[Any, Any, None]], None]
    """Hands a coroutine to the supervisor."""
    pair: Claim = nobody_pairs
    """Makes the bearer of the right pairing code the owner."""

    @property
    def real_money(self) -> bool:
        """Whether orders of this desk move real money."""
        return self.mode.startswith("live")
