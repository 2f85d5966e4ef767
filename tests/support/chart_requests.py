"""Chart requests with values that tests can reason about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.model.chart import ChartLevel, ChartMark, ChartRequest, LevelKind, Theme
from core.model.market import Bar, Timeframe

CHART_START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def chart_bar(
    place: int,
    open_: float,
    close: float,
    *,
    timeframe: Timeframe = Timeframe.M15,
    closed: bool = True,
    buy_share: float = 0.6,
) -> Bar:
    """The bar at `place`, with wicks one tenth of the price's thousandth beyond the body."""
    wick = abs(open_) * 1e-4
    return Bar(
        instrument="BTCUSD",
        timeframe=timeframe,
        open_time=CHART_START + timedelta(seconds=timeframe.seconds * place),
        open=open_,
        high=max(open_, close) + wick,
        low=min(open_, close) - wick,
        close=close,
        volume=10.0 + place % 7,
        buy_volume=(10.0 + place % 7) * buy_share,
        trades=5,
        closed=closed,
    )


def chart_bars(count: int, timeframe: Timeframe = Timeframe.M15) -> tuple[Bar, ...]:
    """A zigzag around 64,000 with rising and falling bars."""
    closes = [64_000.0 + 40.0 * (place % 9) - 15.0 * (place % 4) for place in range(count + 1)]
    return tuple(
        chart_bar(place, closes[place], closes[place + 1], timeframe=timeframe)
        for place in range(count)
    )


def chart_level(kind: LevelKind, price: float, label: str = "") -> ChartLevel:
    """A level."""
    return ChartLevel(kind=kind, price=price, label=label)


def chart_request(
    bars: tuple[Bar, ...],
    *,
    levels: Sequence[ChartLevel] = (),
    marks: Sequence[ChartMark] = (),
    lines: Sequence[tuple[str, tuple[float | None, ...]]] = (),
    theme: Theme = Theme.DARK,
    digits: int = 1,
) -> ChartRequest:
    """A request around `bars`."""
    return ChartRequest(
        title="BTCUSD · M15",
        stamp="2026-03-03 13:00 UTC",
        watermark="SIMULATED",
        price_digits=digits,
        bars=bars,
        lines=tuple(lines),
        levels=tuple(levels),
        marks=tuple(marks),
        theme=theme,
    )
