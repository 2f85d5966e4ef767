"""What execution needs to know of the market, live."""

from decimal import Decimal
from typing import Protocol

from core.model.instrument import Instrument
from core.model.market import Bar, Quote, Timeframe
from core.model.order import Refusal


class LiveMarket(Protocol):
    """The price cache, its validator and the volatility, seen from execution."""

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote."""
        ...

    def atr(self, symbol: str, timeframe: Timeframe) -> float | None:
        """ATR14 of closed bars; None without enough history."""
        ...

    def bars(self, symbol: str, timeframe: Timeframe, count: int | None = None) -> tuple[Bar, ...]:
        """Closed bars without holes, oldest first."""
        ...

    def check_entry(self, instrument: Instrument) -> Refusal | None:
        """Why the feed is not good enough for an entry, or None."""
        ...


def decimal_price(value: float) -> Decimal:
    """The shortest decimal that reads as this float: exact enough to compare, never sent."""
    return Decimal(repr(float(value)))
