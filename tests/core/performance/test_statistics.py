"""Statistics of closed trades against values worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.position import Position, PositionState
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from core.performance.statistics import summarise, wilson_interval

START = datetime(2026, 3, 3, tzinfo=UTC)


def a_trade(
    number: int,
    profit: str | None,
    *,
    risk: str = "10",
    practice: bool = False,
    state: PositionState = PositionState.CLOSED,
) -> Position:
    """A position that closed `number` hours after START."""
    return Position(
        id=number,
        signal_id=number,
        intent_id=f"td{number}-entry-1",
        venue_position_id=str(number),
        instrument="BTCUSD",
        side=Side.BUY,
        quantity=Quantity.of("0.01"),
        entry=Price.of(100),
        stop=Price.of(90),
        stop_initial=Price.of(90),
        target=None,
        risk=Money.of(risk),
        opened_at=START,
        opened_market_at=START,
        practice=practice,
        state=state,
        rev=1,
        profit=None if profit is None else Money.of(profit),
        closed_at=START + timedelta(hours=number) if state is PositionState.CLOSED else None,
    )


def test_a_small_series_by_hand() -> None:
    trades = [
        a_trade(number, profit)
        for number, profit in enumerate(["20", "-10", "-10", "5.50", "0", "-2.25"], start=1)
    ]
    result = summarise(trades, None)
    assert (result.trades, result.wins, result.losses) == (6, 2, 3)
    assert result.win_rate == pytest.approx(2 / 6)
    assert result.win_rate_low == pytest.approx(0.0968, abs=1e-4)
    assert result.win_rate_high == pytest.approx(0.7000, abs=1e-4)
    assert result.profit_factor == pytest.approx(25.5 / 22.25)
    assert result.expectancy_r == pytest.approx(3.25 / 10 / 6)
    assert result.net == Money.of("3.25")
    assert (result.best_r, result.worst_r) == (Decimal(2), Decimal(-1))
    assert result.max_drawdown == Money.of(20)


def test_drawdown_starts_at_zero() -> None:
    falling_first = [a_trade(1, "-30"), a_trade(2, "50"), a_trade(3, "-20"), a_trade(4, "-5")]
    assert summarise(falling_first, None).max_drawdown == Money.of(30)
    rising = [a_trade(1, "5"), a_trade(2, "0"), a_trade(3, "7")]
    assert summarise(rising, None).max_drawdown == Money.of(0)


def test_drawdown_follows_the_order_of_closing_not_of_opening() -> None:
    opened_first = replace(a_trade(3, "-10"), id=1)
    opened_second = replace(a_trade(1, "-10"), id=2)
    opened_third = replace(a_trade(2, "20"), id=3)
    result = summarise([opened_first, opened_second, opened_third], None)
    assert result.max_drawdown == Money.of(10)


def test_practice_is_counted_apart() -> None:
    trades = [a_trade(1, "10"), a_trade(2, "-99", practice=True), a_trade(3, "4", practice=True)]
    result = summarise(trades, None)
    assert (result.trades, result.net) == (1, Money.of(10))
    assert (result.practice_trades, result.practice_net) == (2, Money.of(-95))
    assert result.max_drawdown == Money.of(0)
    assert result.worst_r == Decimal(1)


def test_only_positions_closed_since_then_and_with_a_profit_count() -> None:
    trades = [
        a_trade(1, "10"),
        a_trade(2, "20"),
        a_trade(3, "30"),
        a_trade(4, None),
        a_trade(5, None, state=PositionState.OPEN),
        a_trade(6, None, state=PositionState.CLOSING),
    ]
    since = START + timedelta(hours=2)
    result = summarise(trades, since)
    assert (result.trades, result.net, result.since) == (2, Money.of(50), since)


def test_without_trades_nothing_is_claimed() -> None:
    result = summarise([], None)
    assert (result.trades, result.net, result.max_drawdown) == (0, Money.of(0), Money.of(0))
    for name in (
        "win_rate",
        "win_rate_low",
        "win_rate_high",
        "profit_factor",
        "expectancy_r",
        "best_r",
        "worst_r",
    ):
        assert getattr(result, name) is None


def test_without_losses_there_is_no_profit_factor_and_without_wins_it_is_zero() -> None:
    assert summarise([a_trade(1, "5")], None).profit_factor is None
    assert summarise([a_trade(1, "-5")], None).profit_factor == 0.0


def test_r_is_each_trades_own_initial_risk() -> None:
    trades = [a_trade(1, "10", risk="5"), a_trade(2, "-8", risk="16"), a_trade(3, "3", risk="0")]
    result = summarise(trades, None)
    assert result.expectancy_r == pytest.approx((2 - 0.5) / 2)
    assert (result.best_r, result.worst_r) == (Decimal(2), Decimal("-0.5"))


@pytest.mark.parametrize(
    ("wins", "trades", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (12, 20, 0.3866, 0.7812),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_wilson_interval_against_published_values(
    wins: int, trades: int, low: float, high: float
) -> None:
    assert wilson_interval(wins, trades) == pytest.approx((low, high), abs=1e-4)


@given(st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=30))
def test_the_parts_agree_with_the_whole(cents: list[int]) -> None:
    trades = [
        a_trade(number, str(Decimal(value) / 100)) for number, value in enumerate(cents, start=1)
    ]
    result = summarise(trades, None)
    assert result.net == Money.of(Decimal(sum(cents)) / 100)
    assert result.wins + result.losses <= result.trades == len(cents)
    assert result.win_rate is not None
    assert result.win_rate_low is not None
    assert result.win_rate_high is not None
    assert 0 <= result.win_rate_low <= result.win_rate <= result.win_rate_high <= 1
    falls = [sum(cents[i:j]) for i in range(len(cents)) for j in range(i + 1, len(cents) + 1)]
    assert result.max_drawdown == Money.of(Decimal(max(0, -min(falls))) / 100)
