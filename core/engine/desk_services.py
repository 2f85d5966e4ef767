"""Small joints between the rooms of the core, as the chat and execution want to see them."""

from datetime import datetime

from core.analysis.analyst import Analyst
from core.analysis.indicators import average_true_range, columns
from core.analysis.picture import chart_request
from core.engine.practice import PracticeDesk
from core.engine.signal_publisher import SignalPublisher
from core.execution.execution_pipeline import ExecutionPipeline
from core.execution.signal_desk import SignalDesk
from core.market.feed_validator import FeedValidator
from core.market.price_cache import PriceCache
from core.model.analysis import Analysis
from core.model.chart import ChartRequest
from core.model.commands import DismissSignal, ExecuteSignal, UseNewPrice
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Bar, Quote, Timeframe
from core.model.order import Refusal
from core.model.outcome import ExecutionOutcome, RepriceOutcome, SignalChange
from core.model.report import FeedHealth, Statistics
from core.model.signal import Setup, Signal, SignalKind
from core.performance.statistics import summarise
from core.ports.journal import PositionStore

TRADES_COUNTED = 100_000
ATR_BARS = 600
"""More than enough for Wilder's ATR14 to forget where it began."""


class CachedMarket:
    """The price cache and its validator as execution's `LiveMarket`."""

    def __init__(self, cache: PriceCache, validator: FeedValidator) -> None:
        self.cache = cache
        self._validator = validator

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote."""
        return self.cache.quote(symbol)

    def atr(self, symbol: str, timeframe: Timeframe) -> float | None:
        """ATR14 of closed bars."""
        bars = self.cache.bars(symbol, timeframe, ATR_BARS)
        return average_true_range(columns(bars)) if bars else None

    def bars(self, symbol: str, timeframe: Timeframe, count: int | None = None) -> tuple[Bar, ...]:
        """Closed bars without holes, oldest first."""
        return self.cache.bars(symbol, timeframe, count)

    def check_entry(self, instrument: Instrument) -> Refusal | None:
        """Why the feed is not good enough for an entry, or None."""
        return self._validator.check_entry(instrument)


class ChatAnalyst:
    """Analyses and their pictures, every picture with the desk's watermark."""

    def __init__(self, analyst: Analyst, watermark: str) -> None:
        self._analyst = analyst
        self._watermark = watermark

    def analyse(self, instrument: Instrument, timeframe: Timeframe) -> Analysis:
        """The full answer about one instrument and timeframe."""
        return self._analyst.analyse(instrument, timeframe)

    def chart_request(self, analysis: Analysis, signal: Signal | None) -> ChartRequest:
        """Its picture, with the levels of `signal` when given."""
        return chart_request(analysis, watermark=self._watermark, levels_of=signal)


class ChatPublisher:
    """Where the chat asks for cards."""

    def __init__(self, publisher: SignalPublisher, practice: PracticeDesk) -> None:
        self._publisher = publisher
        self._practice = practice

    async def offer(self, setup: Setup, kind: SignalKind) -> Signal | Refusal:
        """A card for a setup."""
        return await self._publisher.offer(setup, kind)

    async def practice(self, instrument: Instrument) -> Signal | Refusal:
        """A card to rehearse with."""
        return await self._practice.offer(instrument)


class SignalTaps:
    """What the buttons of a signal card do."""

    def __init__(self, pipeline: ExecutionPipeline, desk: SignalDesk) -> None:
        self._pipeline = pipeline
        self._desk = desk

    async def execute(self, command: ExecuteSignal) -> ExecutionOutcome:
        """At most one order."""
        return await self._pipeline.execute(command)

    async def dismiss(self, command: DismissSignal) -> SignalChange:
        """Let it go."""
        return await self._desk.dismiss(command)

    async def reprice(self, command: UseNewPrice) -> RepriceOutcome:
        """The same idea at the live price."""
        return await self._desk.reprice(command)


class ClosedTrades:
    """What `/stats` counts."""

    def __init__(self, positions: PositionStore) -> None:
        self._positions = positions

    async def statistics(self, since: datetime | None) -> Statistics:
        """Results of the trades closed since a moment of wall time (None: of all)."""
        return summarise(await self._positions.closed(TRADES_COUNTED), since)


def feed_health(cache: PriceCache, registry: InstrumentRegistry) -> tuple[FeedHealth, ...]:
    """The feed part of `/health`, one line per instrument."""
    return tuple(_feed(cache, instrument.symbol) for instrument in registry)


def _feed(cache: PriceCache, symbol: str) -> FeedHealth:
    view = cache.feed(symbol)
    return FeedHealth(
        instrument=symbol,
        status=view.status,
        age_seconds=view.price_age_seconds,
        bars=len(cache.bars(symbol, Timeframe.M1)),
        duplicates=view.duplicates,
        gaps=view.gaps,
        rejects=sum(count for _, count in view.rejects),
        detail=view.detail or view.history_problem or "",
    )
