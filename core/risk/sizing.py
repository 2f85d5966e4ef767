"""Position sizing: never above the risk budget, never rounded up."""

from dataclasses import dataclass
from decimal import Decimal

from core.model.instrument import Instrument
from core.model.order import Refusal
from core.model.position import InstrumentRules
from core.model.values import Money, Price, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """A size and what it risks."""

    quantity: Quantity
    risk: Money
    """Loss at the stop for `quantity`, before costs."""
    asked: Money
    """The budget: equity x risk percent."""
    capped: bool
    """A lot cap, not the budget, decided the size."""


def loss_per_lot(rules: InstrumentRules, entry: Price, stop: Price) -> Decimal:
    """Account-currency loss of one lot from `entry` to `stop`, by the venue's own tick value."""
    return abs(entry.value - stop.value) / rules.tick_size * rules.tick_value


def risk_of(rules: InstrumentRules, quantity: Quantity, entry: Price, stop: Price) -> Money:
    """Loss of `quantity` at the stop."""
    return Money.of(quantity.value * loss_per_lot(rules, entry, stop))


def size_position(
    instrument: Instrument,
    rules: InstrumentRules,
    equity: Money,
    entry: Price,
    stop: Price,
    risk_factor: Decimal = Decimal(1),
) -> Sizing | Refusal:
    """Size = floor_to_step(equity x risk % x factor / loss per lot), within every lot cap.

    Below the smallest lot it is refused with the arithmetic shown: never lifted to the minimum.
    """
    per_lot = loss_per_lot(rules, entry, stop)
    if per_lot <= 0:
        return Refusal(
            code="no_stop_distance", text="The stop is at the entry, so nothing to size."
        )
    budget = equity.amount * instrument.risk_percent / 100 * risk_factor
    affordable = max(budget, Decimal(0)) / per_lot
    cap = min(instrument.lot_max, rules.volume_max)
    quantity = instrument.quantity(min(affordable, cap))
    smallest = max(instrument.lot_min, rules.volume_min)
    if quantity.value < smallest:
        return Refusal(
            code="size_below_minimum",
            text=(
                f"{equity} x {instrument.risk_percent}% = {budget:.2f} to risk, one lot loses"
                f" {per_lot:.2f} at the stop: {affordable:.4f} lots, the smallest is {smallest}."
            ),
            advice="A nearer stop or a larger account would be needed.",
        )
    return Sizing(
        quantity=quantity,
        risk=Money.of(quantity.value * per_lot),
        asked=Money.of(budget),
        capped=affordable > cap,
    )
