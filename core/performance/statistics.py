"""What closed trades add up to, with the uncertainty of small numbers."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from math import sqrt
from operator import attrgetter

from core.model.position import Position, PositionState
from core.model.report import Statistics
from core.model.values import Money

Z_95 = 1.959964
NOTHING = Money.of(0)


def summarise(positions: Sequence[Position], since: datetime | None) -> Statistics:
    """Results of the positions closed at or after `since` (wall time; None: of all).

    A position counts once the venue's deals have given its profit. A profit of exactly zero is
    a trade, but neither a win nor a loss. Practice never enters the results.
    """
    closed = sorted((p for p in positions if _counts(p, since)), key=attrgetter("closed_at", "id"))
    real = [p for p in closed if not p.practice]
    profits = _profits(real)
    wins = sum(profit.amount > 0 for profit in profits)
    low, high = wilson_interval(wins, len(real)) if real else (None, None)
    results = [p.result_r for p in real if p.result_r is not None]
    return Statistics(
        trades=len(real),
        wins=wins,
        losses=sum(profit.amount < 0 for profit in profits),
        win_rate=wins / len(real) if real else None,
        win_rate_low=low,
        win_rate_high=high,
        profit_factor=_profit_factor(profits),
        expectancy_r=float(sum(results) / len(results)) if results else None,
        net=sum(profits, NOTHING),
        best_r=max(results, default=None),
        worst_r=min(results, default=None),
        max_drawdown=_max_drawdown(profits),
        practice_trades=len(closed) - len(real),
        practice_net=sum(_profits(p for p in closed if p.practice), NOTHING),
        since=since,
    )


def wilson_interval(wins: int, trades: int) -> tuple[float, float]:
    """95 % interval of a win rate, 0-1; `trades` must be positive."""
    rate, z2 = wins / trades, Z_95**2
    centre = (rate + z2 / (2 * trades)) / (1 + z2 / trades)
    spread = sqrt(rate * (1 - rate) / trades + z2 / (4 * trades**2))
    half = Z_95 * spread / (1 + z2 / trades)
    # At 0 and at all wins an end is the rate itself, which rounding would otherwise miss.
    low = 0.0 if wins == 0 else centre - half
    high = 1.0 if wins == trades else centre + half
    return low, high


def _counts(position: Position, since: datetime | None) -> bool:
    if position.state is not PositionState.CLOSED or position.closed_at is None:
        return False
    return position.profit is not None and (since is None or position.closed_at >= since)


def _profits(positions: Iterable[Position]) -> list[Money]:
    return [p.profit for p in positions if p.profit is not None]


def _profit_factor(profits: Sequence[Money]) -> float | None:
    won = sum((p.amount for p in profits if p.amount > 0), Decimal(0))
    lost = -sum((p.amount for p in profits if p.amount < 0), Decimal(0))
    return float(won / lost) if lost else None


def _max_drawdown(profits: Sequence[Money]) -> Money:
    """The largest fall from a peak of the running sum; the start, at zero, is the first peak."""
    equity = list(accumulate(profits, initial=NOTHING))
    peaks = accumulate(equity, max)
    return max(peak - value for peak, value in zip(peaks, equity, strict=True))
