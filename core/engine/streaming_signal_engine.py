"""The loop that watches: at each bar close the strategies look, and setups become signals."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from core.clock import Clock
from core.engine.signal_publisher import SignalPublisher
from core.event_bus import EventBus
from core.execution.live_market import LiveMarket
from core.model.events import BarClosed
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Bar
from core.model.order import Refusal
from core.model.signal import NoSetup, SignalKind
from core.risk.trading_state import TradingState
from core.strategies.protocol import Strategy

log = logging.getLogger(__name__)

MAX_BAR_AGE = timedelta(seconds=5)
"""A card is made only from a bar that closed this recently (market time)."""


class StreamingSignalEngine:
    """Runs the strategies on closed bars, counts every reason a scan stopped for."""

    def __init__(
        self,
        *,
        market: Clock,
        bus: EventBus,
        registry: InstrumentRegistry,
        live: LiveMarket,
        strategies: Sequence[Strategy],
        publisher: SignalPublisher,
        state: TradingState,
        min_confidence: float,
    ) -> None:
        self._market = market
        self._registry = registry
        self._live = live
        self._strategies = tuple(strategies)
        self._publisher = publisher
        self._state = state
        self._min_confidence = min_confidence
        self._mailbox = bus.mailbox(BarClosed)
        self.scans: Counter[str] = Counter()

    async def run(self) -> None:
        """Scan after each bar close, for ever."""
        async for event in self._mailbox:
            if isinstance(event, BarClosed):
                await self._scan(event.bar)

    async def _scan(self, bar: Bar) -> None:
        instrument = self._registry.get(bar.instrument)
        for strategy in self._strategies:
            if bar.timeframe in strategy.timeframes:
                outcome = await self._evaluate(strategy, instrument, bar)
                self.scans[outcome] += 1

    async def _evaluate(self, strategy: Strategy, instrument: Instrument, bar: Bar) -> str:
        """The signal's fate as one word: 'signal' or the code of what stopped it."""
        if self._market.utc_now() - bar.close_time > MAX_BAR_AGE:
            return "bar_too_old"
        refusal = self._state.check(instrument.symbol) or self._live.check_entry(instrument)
        if refusal is not None:
            return refusal.code
        bars = self._live.bars(instrument.symbol, bar.timeframe)
        setup = strategy.evaluate(instrument, bar.timeframe, bars)
        if isinstance(setup, NoSetup):
            return setup.reason
        if setup.confidence < self._min_confidence:
            return "low_confidence"
        offered = await self._publisher.offer(setup, SignalKind.STRATEGY)
        if isinstance(offered, Refusal):
            return offered.code
        log.info("signal", extra={"signal_id": offered.id, "key": offered.key})
        return "signal"
