"""Everything one execution is checked against, gathered fresh at the tap."""

from dataclasses import dataclass

from core.model.instrument import Instrument
from core.model.market import Quote
from core.model.order import Refusal
from core.model.position import AccountState, InstrumentRules, VenuePosition
from core.model.signal import Side, Signal
from core.model.values import Money, Price, Quantity
from core.risk.exposure_guard import Exposure
from core.risk.sizing import risk_of, size_position


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionContext:
    """One approved signal and the world at this moment."""

    signal: Signal
    instrument: Instrument
    quote: Quote
    account: AccountState
    rules: InstrumentRules
    venue_positions: tuple[VenuePosition, ...]
    held: tuple[Exposure, ...]
    """Open and in-flight exposure."""

    @property
    def entry_price(self) -> Price:
        """What a market order would pay now: ask to buy, bid to sell."""
        raw = self.quote.ask if self.signal.side is Side.BUY else self.quote.bid
        return self.instrument.price(raw)

    def exposure(self, quantity: Quantity) -> Exposure:
        """The exposure `quantity` of this signal would add at the live price."""
        stop = self.signal.stop.price
        return Exposure(
            instrument=self.instrument,
            risk=risk_of(self.rules, quantity, self.entry_price, stop),
            notional=notional_of(self.rules, quantity, self.entry_price),
        )


def notional_of(rules: InstrumentRules, quantity: Quantity, price: Price) -> Money:
    """Account-currency value of `quantity` at `price`, by the venue's tick value."""
    return Money.of(quantity.value * price.value / rules.tick_size * rules.tick_value)


def live_quantity(context: ExecutionContext) -> Quantity | Refusal:
    """The card's size, made smaller where the live price would risk more than the budget."""
    signal = context.signal
    sizing = size_position(
        context.instrument,
        context.rules,
        context.account.equity,
        context.entry_price,
        signal.stop.price,
    )
    if isinstance(sizing, Refusal):
        return sizing
    return min(signal.quantity, sizing.quantity)


def exposure_of(
    instrument: Instrument, rules: InstrumentRules, position: VenuePosition
) -> Exposure:
    """Exposure of an open position; without a stop its whole value is at risk."""
    notional = notional_of(rules, position.quantity, position.entry)
    risk = (
        notional
        if position.stop is None
        else risk_of(rules, position.quantity, position.entry, position.stop)
    )
    return Exposure(instrument=instrument, risk=risk, notional=notional)
