"""The latest of everything, per instrument: written by the stream, read by everybody else."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from core.clock import Clock, from_millis
from core.event_bus import EventBus
from core.market.bar_builder import BarBuilder
from core.market.bar_sequence import BarHole
from core.market.feed_state import FeedState, FeedView
from core.market.quote_habits import QuoteHabits
from core.market.trade_tape import TradeTape
from core.model.events import BarClosed, FeedChanged, FeedStatus
from core.model.instrument import FlowSupport, InstrumentRegistry
from core.model.market import Bar, Book, Quote, Timeframe, TradeTick

DUPLICATE_TRADE = "duplicate_trade"
CROSSED = "crossed"
SPIKE = "spike"
EARLIER_TRADES = 1_000
"""Fetched from before the first streamed trade, so that windows are whole from the start."""
CATCH_UP_MARGIN = timedelta(seconds=2)
"""A minute that ended less than this ago may still be on its way."""


class PriceCache:
    """Satisfies `core.ports.market.MarketSink`. Reading an unknown symbol raises KeyError."""

    def __init__(
        self, registry: InstrumentRegistry, market: Clock, wall: Clock, bus: EventBus
    ) -> None:
        self._market = market
        self._wall = wall
        self._bus = bus
        self._quote_listeners: list[Callable[[Quote], None]] = []
        self._need_listeners: list[Callable[[], None]] = []
        self._feeds = {
            instrument.symbol: FeedState(
                tape=None if instrument.flow is FlowSupport.NONE else TradeTape(),
                bars=BarBuilder(instrument.symbol),
            )
            for instrument in registry
        }

    # What the stream says.

    def on_trade(self, tick: TradeTick) -> None:
        """Keep the trade, unless its price is one that nobody confirms."""
        feed = self._feeds[tick.instrument]
        if not feed.trade_guard.accept(tick.price, tick.received):
            feed.rejects[SPIKE] += 1
            return
        first = feed.last_trade is None
        feed.last_trade = tick
        feed.trades += 1
        if feed.tape is not None:
            feed.tape.append(tick)
            if first:
                feed.tape.expect_earlier(max(tick.trade_id - EARLIER_TRADES, 1), tick.trade_id - 1)
                self._tell_needs()

    def on_quote(self, quote: Quote) -> None:
        """Keep the quote, then tell those who act on every quote."""
        feed = self._feeds[quote.instrument]
        bid, ask = quote.bid, quote.ask
        if bid >= ask:
            feed.rejects[CROSSED] += 1
            return
        if not feed.quote_guard.accept((bid + ask) / 2, quote.received):
            feed.rejects[SPIKE] += 1
            return
        feed.quote = quote
        feed.quotes += 1
        feed.habits.note(ask - bid, quote.received)
        for listener in self._quote_listeners:
            listener(quote)

    def on_book(self, book: Book) -> None:
        """Keep the newest book, unless its prices are far from the quotes (which are counted)."""
        feed = self._feeds[book.instrument]
        middle = (book.bids[0][0] + book.asks[0][0]) / 2
        if not feed.quote_guard.doubts(middle, book.received):
            feed.book = book

    def on_bar(self, bar: Bar) -> None:
        """Grow the bars; BarClosed is published after they are readable here.

        A bar whose extremes no quote confirms is left out; the venue's history has the truth.
        """
        feed, now = self._feeds[bar.instrument], self._market.monotonic()
        if feed.quote_guard.doubts(bar.high, now) or feed.quote_guard.doubts(bar.low, now):
            feed.rejects[SPIKE] += 1
            return
        self._publish(feed.bars.update(bar))
        if feed.bars.holes():
            self._tell_needs()

    def on_status(self, instrument: str, status: FeedStatus, detail: str) -> None:
        """Remember the status; a feed that comes (back) to life may have missed bars."""
        feed = self._feeds[instrument]
        changed = feed.status is not status or feed.since is None
        feed.status, feed.detail = status, detail
        if not changed:
            return
        feed.since = self._wall.utc_now()
        if status is FeedStatus.LIVE:
            feed.bars.expect_until(self._market.utc_now() - CATCH_UP_MARGIN)
            self._tell_needs()
        self._bus.publish(
            FeedChanged(at=feed.since, instrument=instrument, status=status, detail=detail)
        )

    def on_gap(self, instrument: str, first_missing_id: int, last_missing_id: int) -> None:
        """Mark the hole on the tape until it is repaired or has aged out."""
        feed = self._feeds[instrument]
        feed.gaps += 1
        if feed.tape is not None:
            feed.tape.mark_gap(first_missing_id, last_missing_id)
            self._tell_needs()

    def count_reject(self, instrument: str | None, reason: str) -> None:
        """The stream did not believe a frame; frames of nobody are not counted here."""
        if instrument is not None:
            self._feeds[instrument].rejects[reason] += 1

    # What others ask.

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote."""
        return self._feeds[symbol].quote

    def book(self, symbol: str) -> Book | None:
        """The latest depth snapshot."""
        return self._feeds[symbol].book

    def last_trade(self, symbol: str) -> TradeTick | None:
        """The latest trade."""
        return self._feeds[symbol].last_trade

    def tape(self, symbol: str) -> TradeTape | None:
        """The last 15 minutes of trades; None where no trades can be had."""
        return self._feeds[symbol].tape

    def habits(self, symbol: str) -> QuoteHabits:
        """What is usual for this instrument's quotes."""
        return self._feeds[symbol].habits

    def price_age(self, symbol: str) -> float | None:
        """Market seconds: the worse of the quote's event age and its receive age; never < 0."""
        quote = self._feeds[symbol].quote
        if quote is None:
            return None
        age = self._market.monotonic() - quote.received
        if quote.event_ms is not None:
            event_age = self._market.utc_now() - from_millis(quote.event_ms)
            age = max(age, event_age.total_seconds())
        return max(age, 0.0)

    def bars(self, symbol: str, timeframe: Timeframe, count: int | None = None) -> tuple[Bar, ...]:
        """The last `count` closed bars (None: all), oldest first, without holes."""
        return self._feeds[symbol].bars.closed(timeframe, count)

    def forming(self, symbol: str, timeframe: Timeframe) -> Bar | None:
        """The unfinished bar, or None while its beginning is not known."""
        return self._feeds[symbol].bars.forming(timeframe)

    def feed(self, symbol: str) -> FeedView:
        """Status, age and counters of one feed."""
        feed = self._feeds[symbol]
        gaps = feed.tape.gaps() if feed.tape is not None else ()
        return FeedView(
            instrument=symbol,
            status=feed.status,
            detail=feed.detail,
            since=feed.since,
            price_age_seconds=self.price_age(symbol),
            quotes=feed.quotes,
            trades=feed.trades,
            duplicates=feed.rejects[DUPLICATE_TRADE],
            gaps=feed.gaps,
            missing_trades=sum(last - first + 1 for first, last in gaps),
            rejects=tuple(
                (reason, count)
                for reason, count in feed.rejects.most_common()
                if count and reason != DUPLICATE_TRADE
            ),
            history_problem=feed.history_problem,
        )

    def listen_quotes(self, listener: Callable[[Quote], None]) -> None:
        """Call `listener` with every quote, after it is readable here; it must be quick."""
        self._quote_listeners.append(listener)

    # What keeps the history whole.

    def listen_needs(self, listener: Callable[[], None]) -> None:
        """Call `listener` when bars or trades are missing."""
        self._need_listeners.append(listener)

    def bar_holes(self, symbol: str) -> tuple[BarHole, ...]:
        """The first hole of each timeframe that has one, M1 first."""
        return self._feeds[symbol].bars.holes()

    def load_bars(self, symbol: str, timeframe: Timeframe, bars: Sequence[Bar]) -> None:
        """Put history underneath one timeframe; publishes nothing."""
        self._feeds[symbol].bars.load(timeframe, bars)

    def fill_bars(self, hole: BarHole, bars: Sequence[Bar]) -> None:
        """Close a hole with the venue's bars, then publish the bars that had to wait for it."""
        self._publish(self._feeds[hole.instrument].bars.fill(hole, bars))

    def fill_trades(self, symbol: str, first_id: int, trades: Sequence[TradeTick]) -> bool:
        """Close a hole in the tape; False when `trades` is not exactly what is missing."""
        tape = self._feeds[symbol].tape
        return tape is not None and tape.fill_gap(first_id, trades)

    def note_history(self, symbol: str, problem: str | None) -> None:
        """Remember why past bars are missing (None: they are not)."""
        self._feeds[symbol].history_problem = problem

    def _publish(self, bars: Sequence[Bar]) -> None:
        """Only the newest of each timeframe: older ones of a back-fill are history, not news."""
        newest = {bar.timeframe: bar for bar in bars}
        for bar in newest.values():
            self._bus.publish(BarClosed(at=self._wall.utc_now(), bar=bar))

    def _tell_needs(self) -> None:
        for listener in self._need_listeners:
            listener()
