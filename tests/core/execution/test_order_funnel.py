"""The funnel's every no, each by its own code."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.execution.order_funnel import OrderFunnel
from core.model.order import IntentLeg, RiskApproved
from core.model.signal import Side
from core.model.values import Price, Quantity
from core.risk.limits import RiskLimits
from core.risk.trading_state import RECONCILIATION, TradingState
from tests.support.clock import ManualClock
from tests.support.desk_builders import BTC, StillMarket, intent_of, quote_of, rules_of


class Case:
    """A funnel over a quiet market, entries enabled."""

    def __init__(self, **limits: Any) -> None:
        self.state = TradingState()
        self.state.release(RECONCILIATION)
        self.market = StillMarket()
        self.clock = ManualClock()
        self.funnel = OrderFunnel(RiskLimits(**limits), self.state, self.market, self.clock)

    def code(self, **changes: Any) -> str | None:
        """Refusal code of the changed intent, None when approved."""
        quote = self.market.quote("BTCUSD")
        assert quote is not None
        answer = self.funnel.approve_entry(intent_of(**changes), BTC, rules_of(BTC), quote)
        return None if isinstance(answer, RiskApproved) else answer.code


def test_a_sound_entry_is_approved() -> None:
    assert Case().code() is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stop": None}, "no_stop"),
        ({"leg": IntentLeg.CLOSE}, "no_stop"),
        ({"stop": Price.of("96901.005")}, "off_grid"),
        ({"target": Price.of("97221.001")}, "off_grid"),
        ({"quantity": Quantity.of("0.015")}, "bad_size"),
        ({"quantity": Quantity.of("0")}, "bad_size"),
        ({"quantity": Quantity.of("51")}, "bad_size"),
        ({"quantity": Quantity.of("0.03")}, "lot_cap"),
        ({"stop": Price.of("97001.00")}, "stop_side"),
        ({"side": Side.SELL}, "stop_side"),
        ({"target": Price.of("96950.00")}, "target_side"),
        ({"stop": Price.of("96990.00")}, "stop_too_near"),
        ({"target": Price.of("97100.00")}, "reward_risk"),
        ({"reference": Price.of("97100.00")}, "collar"),
    ],
)
def test_an_unsound_entry_is_refused(changes: dict[str, Any], expected: str) -> None:
    assert Case().code(**changes) == expected


def test_short_entries_are_judged_mirrored() -> None:
    short = {"side": Side.SELL, "stop": Price.of("97100.00"), "target": Price.of("96780.00")}
    assert Case().code(**short) is None
    assert Case().code(**short | {"stop": Price.of("96990.00")}) == "stop_side"


def test_halted_and_locked_desks_refuse() -> None:
    case = Case()
    halted = TradingState()
    case.funnel = OrderFunnel(RiskLimits(), halted, case.market, case.clock)
    assert case.code() == "starting"


def test_unknown_volatility_refuses() -> None:
    case = Case()
    case.market.value = None
    assert case.code() == "no_volatility"


def test_wide_spread_pushes_the_stop_minimum_out() -> None:
    case = Case()
    case.market.current = quote_of(spread=80.0)
    assert case.code() == "stop_too_near"


def test_one_signal_gets_one_approval() -> None:
    case = Case()
    assert case.code() is None
    assert case.code() == "already_approved"


def test_entries_per_instrument_and_hour_are_limited() -> None:
    case = Case(entries_per_instrument_hour=2)
    assert [case.code(signal_id=n) for n in (1, 2, 3)] == [None, None, "throttle"]
    case.clock.tick(3601)
    assert case.code(signal_id=4) is None


def test_orders_per_minute_are_limited_closes_included() -> None:
    case = Case(orders_per_minute=2, entries_per_instrument_hour=9)
    case.funnel.approve_close(intent_of(leg=IntentLeg.CLOSE))
    assert case.code(signal_id=1) is None
    assert case.code(signal_id=2) == "throttle"
    case.clock.tick(61)
    assert case.code(signal_id=3) is None


def test_entries_per_day_are_limited() -> None:
    case = Case(entries_per_day=1)
    assert case.code(signal_id=1) is None
    case.clock.tick(4000)
    assert case.code(signal_id=2) == "throttle"


def test_refused_intents_use_up_no_throttle() -> None:
    case = Case(entries_per_day=1)
    assert case.code(quantity=Quantity.of("0.03")) == "lot_cap"
    assert case.code() is None


def test_closing_is_never_refused() -> None:
    case = Case()
    intent = replace(intent_of(), leg=IntentLeg.CLOSE, stop=None)
    for _ in range(50):
        assert case.funnel.approve_close(intent).intent is intent


def test_bigger_stops_level_of_the_venue_counts() -> None:
    case = Case()
    quote = case.market.quote("BTCUSD")
    assert quote is not None
    rules = replace(rules_of(BTC), stops_level=Decimal(200))
    answer = case.funnel.approve_entry(intent_of(), BTC, rules, quote)
    assert not isinstance(answer, RiskApproved)
    assert answer.code == "stop_too_near"
