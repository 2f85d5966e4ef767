"""May an entry trust this feed right now? Each no has its own reason."""

from dataclasses import dataclass

from core.market.price_cache import PriceCache
from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Timeframe
from core.model.order import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """When a feed is too poor for an entry."""

    least_age_seconds: float = 2.0
    """A quote younger than this is always fresh enough."""
    most_age_seconds: float = 15.0
    """A quote older than this never is, however rarely the instrument ticks."""
    spread_multiple: float = 3.0
    """Of the last hour's median spread."""


class FeedValidator:
    """Checks the instrument's own feed; comparisons with another venue are another's business."""

    def __init__(self, cache: PriceCache, limits: FeedLimits | None = None) -> None:
        self._cache = cache
        self._limits = limits or FeedLimits()

    def check_entry(self, instrument: Instrument) -> Refusal | None:
        """None when an entry may use this price; otherwise the first thing that is wrong."""
        return (
            self._check_status(instrument)
            or self._check_age(instrument)
            or self._check_spread(instrument)
            or self._check_history(instrument)
        )

    def age_limit(self, symbol: str) -> float:
        """Market seconds a quote may be old: what is usual for the instrument, within bounds."""
        usual = self._cache.habits(symbol).usual_longest_gap() or 0.0
        return min(max(self._limits.least_age_seconds, usual), self._limits.most_age_seconds)

    def _check_status(self, instrument: Instrument) -> Refusal | None:
        feed = self._cache.feed(instrument.symbol)
        if feed.status is FeedStatus.LIVE:
            return None
        why = f" ({feed.detail})" if feed.detail else ""
        return _refusal("feed_not_live", f"The {instrument.symbol} feed is {feed.status}{why}.")

    def _check_age(self, instrument: Instrument) -> Refusal | None:
        age = self._cache.price_age(instrument.symbol)
        if age is None:
            return _refusal("no_quote", f"There is no price of {instrument.symbol} yet.")
        limit = self.age_limit(instrument.symbol)
        if age <= limit:
            return None
        text = f"The {instrument.symbol} price is {age:.1f} s old; the limit is {limit:.1f} s."
        return _refusal("stale_quote", text)

    def _check_spread(self, instrument: Instrument) -> Refusal | None:
        quote = self._cache.quote(instrument.symbol)
        if quote is None or quote.bid >= quote.ask:
            return _refusal("crossed_quote", f"{instrument.symbol}: the bid is not below the ask.")
        usual = self._cache.habits(instrument.symbol).usual_spread()
        limit = None if usual is None else usual * self._limits.spread_multiple
        if limit is None or quote.spread <= limit:
            return None
        digits = instrument.price_digits
        text = (
            f"The {instrument.symbol} spread is {quote.spread:.{digits}f}, more than "
            f"{self._limits.spread_multiple:g} times the usual {usual:.{digits}f}."
        )
        return _refusal("wide_spread", text)

    def _check_history(self, instrument: Instrument) -> Refusal | None:
        holes = self._cache.bar_holes(instrument.symbol)
        if not any(hole.timeframe is Timeframe.M1 for hole in holes):
            return None
        text = f"Bars of {instrument.symbol} are missing; they are being fetched."
        return _refusal("bars_missing", text)


def _refusal(code: str, text: str) -> Refusal:
    return Refusal(code=code, text=text, advice="Nothing was sent. Try again in a moment.")
