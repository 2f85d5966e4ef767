"""Why the paper venue says no, as a broker would: a code, a sentence, and what to do. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from core.model.instrument import Instrument
from core.model.market import Quote
from core.model.order import OrderIntent
from core.model.values import Money, Price, Quantity
from infra.paper.model import PaperPosition
from infra.paper.pricing import exit_price

MARKET_CLOSED_AFTER_SECONDS = 300.0
"""A feed silent for longer means that nobody trades, not that a packet is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """The venue's no."""

    code: str
    text: str
    advice: str | None = None


def duplicate(client_id: str) -> Denial:
    """The last line of defence against sending one order twice.

    A real broker would fill the second one too; this venue has seen the id and does not.
    """
    return Denial(
        code="duplicate_client_id",
        text=f"An order with the id {client_id} was already received; this one was not executed.",
        advice="See /positions and /journal for what became of the first one.",
    )


def unknown_instrument(symbol: str) -> Denial:
    """No such instrument here."""
    return Denial(code="unknown_instrument", text=f"{symbol} is not traded on the paper account.")


def no_conversion(instrument: Instrument, currency: str) -> Denial:
    """Profit could not be counted."""
    return Denial(
        code="no_conversion_rate",
        text=f"There is no {instrument.quote} to {currency} rate yet, "
        f"so {instrument.symbol} cannot be valued.",
        advice="Wait until the rate's own feed is live, see /health.",
    )


def no_quote(symbol: str) -> Denial:
    """Nothing to fill on."""
    return Denial(
        code="no_quote",
        text=f"There is no price for {symbol} yet.",
        advice="Wait for the feed, see /health.",
    )


def age_problem(symbol: str, age: float, limit: float) -> Denial | None:
    """A price too old to fill on."""
    if age > MARKET_CLOSED_AFTER_SECONDS:
        return Denial(
            code="market_closed",
            text=f"The market for {symbol} looks closed: no price for {age / 60:.0f} min.",
            advice="Try again when it is open.",
        )
    if age > limit:
        return Denial(
            code="stale_quote",
            text=f"The last price for {symbol} is {age:.1f} s old; the limit is {limit:g} s.",
            advice="Wait for the feed, see /health.",
        )
    return None


def volume_problem(instrument: Instrument, quantity: Quantity) -> Denial | None:
    """Size below the minimum, above the maximum, or between steps."""
    lots = quantity.value
    if lots < instrument.lot_min:
        return Denial(
            code="volume_below_min",
            text=f"{quantity} lots is below the minimum of {instrument.lot_min}.",
            advice="Raise the risk or use a nearer stop.",
        )
    if lots > instrument.lot_max:
        return Denial(
            code="volume_above_max",
            text=f"{quantity} lots is above the maximum of {instrument.lot_max}.",
            advice="Lower the size.",
        )
    return _step_problem(instrument, lots)


def stops_problem(instrument: Instrument, intent: OrderIntent, quote: Quote) -> Denial | None:
    """Stop or target off the grid, on the wrong side of the price, or too near to it."""
    live = exit_price(instrument, intent.side, quote)
    for what, level, sign in (("stop", intent.stop, -1), ("target", intent.target, 1)):
        if level is None:
            continue
        problem = _level_problem(instrument, what, level, live, sign * intent.side.sign)
        if problem is not None:
            return problem
    return None


def money_problem(needed: Money, free: Money, currency: str) -> Denial | None:
    """Not enough free margin."""
    if needed <= free:
        return None
    return Denial(
        code="no_money",
        text=f"Not enough free margin: {needed} {currency} needed, {free} {currency} free.",
        advice="Close something or lower the size.",
    )


def already_closed() -> Denial:
    """A stop, a target or another close was faster."""
    return Denial(code="position_closed", text="The position is already closed.")


def close_problem(
    instrument: Instrument, intent: OrderIntent, position: PaperPosition
) -> Denial | None:
    """A close that does not fit its position; it could otherwise open or flip one."""
    if intent.side is not position.side.opposite or intent.instrument != position.instrument:
        return Denial(
            code="invalid_close",
            text=f"The order does not close this {position.side} position "
            f"of {position.instrument}.",
        )
    if intent.quantity > position.quantity:
        return Denial(
            code="volume_above_position",
            text=f"{intent.quantity} lots is more than the {position.quantity} lots open.",
            advice="Close at most what is open.",
        )
    if intent.quantity == position.quantity:
        return None
    return volume_problem(instrument, intent.quantity)


def _step_problem(instrument: Instrument, lots: Decimal) -> Denial | None:
    if lots % instrument.lot_step == 0:
        return None
    return Denial(
        code="volume_off_step",
        text=f"{lots} lots is not a multiple of the step {instrument.lot_step}.",
        advice="Use a size on the step.",
    )


def _level_problem(
    instrument: Instrument, what: str, level: Price, live: Price, sign: int
) -> Denial | None:
    if not instrument.on_grid(level):
        return Denial(
            code="invalid_price",
            text=f"The {what} {level} is not a multiple of the tick {instrument.tick_size}.",
        )
    distance = (level.value - live.value) * sign
    if distance <= 0:
        return Denial(
            code="invalid_stops",
            text=f"The {what} {level} is on the wrong side of the live price {live}.",
            advice="Ask for a fresh analysis; the price has moved.",
        )
    if distance < instrument.stops_level:
        return Denial(
            code="invalid_stops",
            text=f"The {what} {level} is {distance} from the live price {live}; "
            f"the least is {instrument.stops_level}.",
            advice="Use a wider level.",
        )
    return None
