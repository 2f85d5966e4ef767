"""Sizing never exceeds the budget and never rounds up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.model.order import Refusal
from core.model.values import Money, Price
from core.risk.sizing import Sizing, loss_per_lot, size_position
from tests.support.desk_builders import BTC, EURUSD, rules_of


def test_budget_decides_the_size_when_no_cap_binds() -> None:
    sizing = size_position(
        EURUSD, rules_of(EURUSD), Money.of(1000), Price.of("1.08500"), Price.of("1.08100")
    )
    assert isinstance(sizing, Sizing)
    # 1000 x 1.25 % = 12.50; one lot loses 0.00400 x 100,000 = 400; 0.03125 lots -> 0.03
    assert sizing.quantity.value == Decimal("0.03")
    assert sizing.risk == Money.of("12.00")
    assert sizing.asked == Money.of("12.50")
    assert not sizing.capped


def test_lot_cap_is_said() -> None:
    sizing = size_position(
        BTC, rules_of(BTC), Money.of(10_000), Price.of("97000"), Price.of("96900")
    )
    assert isinstance(sizing, Sizing)
    assert sizing.quantity.value == Decimal("0.02")
    assert (sizing.risk, sizing.asked, sizing.capped) == (Money.of(2), Money.of(75), True)


def test_too_small_an_account_is_refused_with_the_arithmetic() -> None:
    refused = size_position(BTC, rules_of(BTC), Money.of(10), Price.of("97000"), Price.of("96000"))
    assert isinstance(refused, Refusal)
    assert refused.code == "size_below_minimum"
    assert "one lot loses 1000.00" in refused.text


def test_zero_distance_is_refused() -> None:
    refused = size_position(
        BTC, rules_of(BTC), Money.of(10_000), Price.of("97000"), Price.of("97000")
    )
    assert isinstance(refused, Refusal)
    assert refused.code == "no_stop_distance"


@given(
    equity=st.decimals(min_value=0, max_value=10_000_000, places=2),
    distance=st.integers(min_value=1, max_value=2_000_000),
    factor=st.sampled_from([Decimal(1), Decimal("0.75"), Decimal("0.25"), Decimal(0)]),
)
def test_risk_is_never_above_the_budget(equity: Decimal, distance: int, factor: Decimal) -> None:
    entry = Price.of("97000.00")
    stop = Price.of(entry.value - distance * BTC.tick_size)
    sizing = size_position(BTC, rules_of(BTC), Money.of(equity), entry, stop, factor)
    if isinstance(sizing, Refusal):
        return
    budget = equity * BTC.risk_percent / 100 * factor
    per_lot = loss_per_lot(rules_of(BTC), entry, stop)
    assert sizing.quantity.value * per_lot <= budget
    assert BTC.lot_min <= sizing.quantity.value <= BTC.lot_max
    assert sizing.quantity.value % BTC.lot_step == 0
