"""Everything the cache holds about one instrument, and the view of it that others may keep."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from core.market.bar_builder import BarBuilder
from core.market.quote_habits import QuoteHabits
from core.market.spike_guard import SpikeGuard
from core.market.trade_tape import TradeTape
from core.model.events import FeedStatus
from core.model.market import Book, Quote, TradeTick


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """One instrument's feed at one moment."""

    instrument: str
    status: FeedStatus
    detail: str
    """Why it is not live; empty when it is."""
    since: datetime | None
    """Wall time of the last change of status."""
    price_age_seconds: float | None
    """In market seconds; None while no quote has arrived."""
    quotes: int
    trades: int
    duplicates: int
    gaps: int
    missing_trades: int
    """Trades in gaps that could not be repaired and are still inside the tape."""
    rejects: tuple[tuple[str, int], ...]
    """(reason, count), most frequent first; duplicates not included."""
    history_problem: str | None
    """Why past bars are missing; None when the history is whole."""


@dataclass(slots=True, kw_only=True)
class FeedState:
    """The mutable inside of the cache; nobody else touches it."""

    tape: TradeTape | None
    bars: BarBuilder
    quote: Quote | None = None
    book: Book | None = None
    last_trade: TradeTick | None = None
    status: FeedStatus = FeedStatus.STARTING
    detail: str = "not connected yet"
    since: datetime | None = None
    quotes: int = 0
    trades: int = 0
    gaps: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    history_problem: str | None = None
    habits: QuoteHabits = field(default_factory=QuoteHabits)
    quote_guard: SpikeGuard = field(default_factory=SpikeGuard)
    trade_guard: SpikeGuard = field(default_factory=SpikeGuard)
