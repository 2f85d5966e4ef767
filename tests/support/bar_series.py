"""Instruments and bars for tests: seeded walks and bars written by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from core.model.instrument import AssetClass, FlowSupport, Instrument
from core.model.market import Bar, Timeframe

FIRST_OPEN = datetime(2026, 3, 3, tzinfo=UTC)
"""A Tuesday."""


def an_instrument(
    symbol: str = "BTCUSD",
    *,
    asset_class: AssetClass = AssetClass.CRYPTO,
    price_digits: int = 2,
    flow: FlowSupport = FlowSupport.FULL,
) -> Instrument:
    """An instrument with plausible facts."""
    tick = Decimal(1).scaleb(-price_digits)
    return Instrument(
        symbol=symbol,
        name=symbol,
        asset_class=asset_class,
        base=symbol[:3],
        quote=symbol[3:],
        price_digits=price_digits,
        tick_size=tick,
        pip=tick,
        contract_size=Decimal(1),
        lot_step=Decimal("0.01"),
        lot_min=Decimal("0.01"),
        lot_max=Decimal(1),
        stops_level=Decimal(0),
        risk_percent=Decimal(1),
        flow=flow,
        silence_limit_seconds=3.0,
        venue_symbols=(),
    )


def a_bar(
    open_: float,
    high: float,
    low: float,
    close: float,
    *,
    volume: float = 10.0,
    opens_at: datetime = FIRST_OPEN,
    timeframe: Timeframe = Timeframe.M1,
    closed: bool = True,
) -> Bar:
    """One bar of BTCUSD."""
    return Bar(
        instrument="BTCUSD",
        timeframe=timeframe,
        open_time=opens_at,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        buy_volume=volume / 2,
        trades=10,
        closed=closed,
    )


def bars_of(
    columns: Sequence[tuple[float, float, float, float, float]],
    *,
    timeframe: Timeframe = Timeframe.M1,
    first_open: datetime = FIRST_OPEN,
) -> tuple[Bar, ...]:
    """Consecutive closed bars from (open, high, low, close, volume) rows."""
    step = timedelta(seconds=timeframe.seconds)
    return tuple(
        a_bar(o, h, low, c, volume=v, opens_at=first_open + i * step, timeframe=timeframe)
        for i, (o, h, low, c, v) in enumerate(columns)
    )


def random_walk(
    seed: int, count: int, *, start: float = 100_000.0, timeframe: Timeframe = Timeframe.M1
) -> tuple[Bar, ...]:
    """`count` bars of a walk without drift; busier bars are wider, as in real markets."""
    random = np.random.default_rng(seed)
    steps = random.normal(scale=1e-4, size=(count, 30))
    ticks = start * np.exp(np.cumsum(steps.ravel())).reshape(count, 30)
    opens = np.concatenate([[start], ticks[:-1, -1]])
    highs, lows = np.maximum(ticks.max(1), opens), np.minimum(ticks.min(1), opens)
    volumes = 1e4 * (highs - lows) / opens * np.exp(0.8 * random.normal(size=count))
    rows = np.column_stack([opens, highs, lows, ticks[:, -1], volumes]).tolist()
    return bars_of([(o, h, low, c, v) for o, h, low, c, v in rows], timeframe=timeframe)
