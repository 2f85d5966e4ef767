"""Paper arithmetic, pure and exact: fill prices, profit, margin, conversion of currencies."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from core.clock import Clock, from_millis
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Quote
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from infra.paper.model import PaperPosition, PaperTerms

Quotes = Callable[[str], Quote | None]
"""The latest quote of an instrument, None before the first."""


def usable(quote: Quote | None) -> Quote | None:
    """The quote if both of its prices can be traded on."""
    if quote is None or not (0 < quote.bid <= quote.ask and math.isfinite(quote.ask)):
        return None
    return quote


def quote_age(quote: Quote, market: Clock) -> float:
    """Seconds since the quote: the worse of receive time and, where known, event time."""
    received = market.monotonic() - quote.received
    if quote.event_ms is None:
        return received
    return max(received, (market.utc_now() - from_millis(quote.event_ms)).total_seconds())


def market_price(instrument: Instrument, side: Side, quote: Quote, slippage_ticks: int) -> Price:
    """What a market order pays: ask when buying, bid when selling, slippage against it."""
    touch = instrument.price(quote.ask if side is Side.BUY else quote.bid).value
    slipped = touch + side.sign * slippage_ticks * instrument.tick_size
    return Price.of(max(slipped, instrument.tick_size))


def exit_price(instrument: Instrument, side: Side, quote: Quote) -> Price:
    """Where a position on `side` could leave now: longs on the bid, shorts on the ask."""
    return market_price(instrument, side.opposite, quote, 0)


def gross(
    instrument: Instrument, side: Side, entry: Price, leave: Price, quantity: Quantity
) -> Decimal:
    """Profit of a move in the quote currency, exact: price x lots x contract size."""
    move = (leave.value - entry.value) * side.sign
    return move * quantity.value * instrument.contract_size


def commission(terms: PaperTerms, quantity: Quantity) -> Money:
    """The cost of one deal: negative or zero."""
    return Money.of(-(terms.commission_per_lot.amount * quantity.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Account currency per unit of another one. Both directions cost the spread."""

    gain: Decimal
    loss: Decimal

    def convert(self, amount: Decimal) -> Decimal:
        """`amount` in the account's currency, not rounded."""
        return amount * (self.gain if amount >= 0 else self.loss)


def flat_rate(rate: Decimal) -> Rate:
    """One known rate for both directions."""
    return Rate(gain=rate, loss=rate)


class Converter:
    """Finds the rate of a currency from the live quotes (JPY through USDJPY)."""

    def __init__(self, registry: InstrumentRegistry, quotes: Quotes, currency: str) -> None:
        self._registry = registry
        self._quotes = quotes
        self._currency = currency

    def rate(self, currency: str) -> Rate | None:
        """The rate of `currency`, None when no instrument links the two or it has no price."""
        if currency == self._currency:
            return flat_rate(Decimal(1))
        for instrument in self._registry:
            quote = usable(self._quotes(instrument.symbol))
            if quote is None:
                continue
            bid, ask = instrument.price(quote.bid).value, instrument.price(quote.ask).value
            if (instrument.base, instrument.quote) == (self._currency, currency):
                return Rate(gain=1 / ask, loss=1 / bid)
            if (instrument.base, instrument.quote) == (currency, self._currency):
                return Rate(gain=bid, loss=ask)
        return None


def margin(
    instrument: Instrument, price: Price, quantity: Quantity, rate: Decimal, leverage: int
) -> Money:
    """Money held against a position of `quantity` at `price`."""
    notional = price.value * quantity.value * instrument.contract_size
    return Money.of(notional * rate / leverage)


def floating(instrument: Instrument, position: PaperPosition, quote: Quote, rate: Rate) -> Money:
    """Profit if the position were closed now, before commission."""
    leave = exit_price(instrument, position.side, quote)
    result = gross(instrument, position.side, position.entry, leave, position.quantity)
    return Money.of(rate.convert(result))
