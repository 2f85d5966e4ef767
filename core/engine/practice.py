"""The practice card: a real card at the live price, smallest size, never in the statistics."""

from core.clock import Clock
from core.engine.signal_publisher import SignalPublisher
from core.execution.live_market import LiveMarket
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Timeframe
from core.model.order import Refusal
from core.model.signal import Setup, Side, Signal, SignalKind

STOP_ATR = 1.0
REWARD_RISK = 2.0
TIMEFRAME = Timeframe.M15
INTRODUCE_AFTER_SECONDS = 20.0
INTRODUCE_RETRY_SECONDS = 2.0
INTRODUCE_TRIES = 15
SETTLED = frozenset({"card_open", "already_in"})
"""Refusals that mean: there is something to try already."""


class PracticeDesk:
    """Offers a card to rehearse Execute with."""

    def __init__(
        self,
        *,
        registry: InstrumentRegistry,
        market: LiveMarket,
        market_clock: Clock,
        publisher: SignalPublisher,
    ) -> None:
        self._registry = registry
        self._market = market
        self._clock = market_clock
        self._publisher = publisher

    async def introduce(self, wall: Clock) -> None:
        """Soon after the start, offer the first card; the newcomer may have asked before."""
        instrument = next(iter(self._registry))
        await wall.sleep(INTRODUCE_AFTER_SECONDS)
        for _ in range(INTRODUCE_TRIES):
            answer = await self.offer(instrument)
            if isinstance(answer, Signal) or answer.code in SETTLED:
                return
            await wall.sleep(INTRODUCE_RETRY_SECONDS)

    async def offer(self, instrument: Instrument) -> Signal | Refusal:
        """A practice card on `instrument`, or why there can be none right now."""
        quote = self._market.quote(instrument.symbol)
        atr = self._market.atr(instrument.symbol, TIMEFRAME)
        if quote is None or not atr:
            return Refusal(code="no_data", text=f"No live {instrument.symbol} data yet.")
        risk = STOP_ATR * atr
        setup = Setup(
            strategy="practice",
            instrument=instrument.symbol,
            timeframe=TIMEFRAME,
            side=Side.BUY,
            entry=quote.ask,
            stop=quote.ask - risk,
            targets=(quote.ask + REWARD_RISK * risk,),
            confidence=0.0,
            reasons=(),
            bar_close=self._clock.utc_now(),
        )
        return await self._publisher.offer(setup, SignalKind.PRACTICE)
