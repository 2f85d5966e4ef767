"""Puts the full answer about one instrument together from what the price cache knows now."""

from collections.abc import Sequence
from datetime import datetime

from core.analysis.indicators import WARM_UP_BARS, read_indicators
from core.analysis.levels import Levels, nearest_levels
from core.analysis.order_flow import fresh_book_share, read_flow
from core.analysis.sources import MarketView, SetupRule
from core.clock import Clock
from core.model.analysis import Analysis, FlowMissing, FlowReading, IndicatorReading
from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Bar, Quote, Timeframe
from core.model.signal import NoSetup, Setup


class Analyst:
    """Answers synchronously, within a few milliseconds, and changes nothing."""

    def __init__(self, view: MarketView, rules: Sequence[SetupRule], market: Clock) -> None:
        self._view = view
        self._rules = tuple(rules)
        self._market = market

    def analyse(self, instrument: Instrument, timeframe: Timeframe) -> Analysis:
        """Everything known about `instrument` on `timeframe` at this moment of market time."""
        symbol, view, now = instrument.symbol, self._view, self._market.utc_now()
        bars = view.bars(symbol, timeframe, WARM_UP_BARS)
        quote = view.quote(symbol)
        feed = view.feed(symbol).status
        indicators = read_indicators(bars)
        levels = _levels(bars, quote, indicators)
        return Analysis(
            instrument=instrument,
            timeframe=timeframe,
            at=now,
            bid=quote.bid if quote else None,
            ask=quote.ask if quote else None,
            price_age_seconds=view.price_age(symbol),
            feed=feed,
            indicators=indicators,
            flow=self._flow(instrument, feed, now),
            supports=levels.supports,
            resistances=levels.resistances,
            setup=self._setup(instrument, timeframe, bars, now),
            bars=bars,
            forming=view.forming(symbol, timeframe),
        )

    def _flow(
        self, instrument: Instrument, feed: FeedStatus, now: datetime
    ) -> FlowReading | FlowMissing:
        book = self._view.book(instrument.symbol)
        return read_flow(
            instrument,
            feed=feed,
            tape=self._view.tape(instrument.symbol),
            book_share=fresh_book_share(book, self._market.monotonic()),
            now=now,
        )

    def _setup(
        self, instrument: Instrument, timeframe: Timeframe, bars: tuple[Bar, ...], now: datetime
    ) -> Setup | NoSetup:
        """The first rule with a setup decides; else the first rule says what is missing."""
        fault = _stale(instrument, timeframe, bars, now)
        if fault is not None:
            return fault
        opinions = [rule.evaluate(instrument, timeframe, bars) for rule in self._rules]
        setups = (opinion for opinion in opinions if isinstance(opinion, Setup))
        nothing = NoSetup(reason="no_rule", detail="No strategy is switched on.")
        return next(setups, opinions[0] if opinions else nothing)


def _stale(
    instrument: Instrument, timeframe: Timeframe, bars: Sequence[Bar], now: datetime
) -> NoSetup | None:
    """A rule reads no clock, so somebody else must see that its bars are of yesterday."""
    if not bars:
        detail = f"{instrument.symbol} has no closed {timeframe} bars yet."
        return NoSetup(reason="no_bars", detail=detail)
    age = (now - bars[-1].close_time).total_seconds()
    if age < 2 * timeframe.seconds:
        return None
    detail = (
        f"The last closed {timeframe} bar of {instrument.symbol} ended "
        f"{bars[-1].close_time:%Y-%m-%d %H:%M} UTC; there is nothing newer."
    )
    return NoSetup(reason="stale_bars", detail=detail)


def _levels(
    bars: Sequence[Bar], quote: Quote | None, indicators: IndicatorReading | None
) -> Levels:
    if indicators is None:
        return Levels()
    price = quote.mid if quote else indicators.close
    return nearest_levels(bars, price, indicators.atr)
