"""A phone chart from the warm worker, against the same picture drawn naively with matplotlib."""

import asyncio
import random
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from benchmarks.naive_chart import naive_png
from benchmarks.report import Report
from core.model.chart import ChartLevel, ChartRequest, LevelKind
from core.model.market import Bar, Timeframe
from infra.charts.columns import VISIBLE_BARS
from infra.charts.renderer import ProcessChartRenderer
from infra.live_clock import WallClock

BARS = 120
ROUNDS = 15
SEED = 7


def run() -> Report:
    """Alternate both ways of drawing for `ROUNDS` rounds; medians of wall time."""
    return asyncio.run(_compare())


def sample_request() -> ChartRequest:
    """A seeded market with two averages and a full trade plan."""
    bars = _bars(random.Random(SEED))
    close = bars[-1].close
    levels = (
        (LevelKind.PRICE, 0.0, ""),
        (LevelKind.ENTRY, 10.0, "ENTRY"),
        (LevelKind.STOP, -160.0, "STOP"),
        (LevelKind.TARGET, 270.0, "TARGET"),
    )
    return ChartRequest(
        title="BTCUSD · M15",
        stamp="2026-03-03 13:00 UTC",
        watermark="SIMULATED",
        price_digits=1,
        bars=bars,
        lines=(("EMA20", _average(bars, 20)), ("EMA50", _average(bars, 50))),
        levels=tuple(
            ChartLevel(kind=kind, price=close + distance, label=label)
            for kind, distance, label in levels
        ),
    )


async def _compare() -> Report:
    clock = WallClock()
    renderer = ProcessChartRenderer(clock)
    try:
        started = clock.monotonic()
        await renderer.start()
        start_ms = (clock.monotonic() - started) * 1000
        return await _measure(clock, renderer, start_ms)
    finally:
        await renderer.close()


async def _measure(clock: WallClock, renderer: ProcessChartRenderer, start_ms: float) -> Report:
    request = sample_request()
    started = clock.monotonic()
    picture = await renderer.candles(request)
    first_ms = (clock.monotonic() - started) * 1000
    naive_png(request)
    moments = []
    for place in range(ROUNDS):
        changed = replace(request, stamp=f"2026-03-03 13:{place:02d} UTC")
        moments.append(clock.monotonic())
        await renderer.candles(changed)
        moments.append(clock.monotonic())
        naive_png(changed)
    moments.append(clock.monotonic())
    spent = [(after - before) * 1000 for before, after in pairwise(moments)]
    ms, naive_ms = statistics.median(spent[::2]), statistics.median(spent[1::2])
    kib = len(picture) / 1024
    figures = {
        "ms": round(ms, 1),
        "naive_ms": round(naive_ms, 1),
        "ratio": round(naive_ms / ms, 2),
        "kib": round(kib, 1),
        "first_ms": round(first_ms, 1),
        "start_ms": round(start_ms, 1),
    }
    rows = (
        ("worker, warm", f"{ms:.1f} ms (first {first_ms:.1f}, process start {start_ms:.0f})"),
        ("naive matplotlib", f"{naive_ms:.1f} ms"),
        ("ratio", f"{naive_ms / ms:.1f} times faster"),
        ("picture", f"{kib:.0f} KiB"),
    )
    return Report(
        title=f"chart: {BARS} bars, both draw the last {VISIBLE_BARS}; median of {ROUNDS} rounds",
        rows=rows,
        figures=figures,
    )


def _bars(dice: random.Random) -> tuple[Bar, ...]:
    start = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    price, bars = 64_000.0, []
    for place in range(BARS):
        close = price + dice.gauss(0.0, 60.0)
        volume = dice.lognormvariate(4.0, 0.6)
        bars.append(
            Bar(
                instrument="BTCUSD",
                timeframe=Timeframe.M15,
                open_time=start + timedelta(minutes=15 * place),
                open=price,
                high=max(price, close) + abs(dice.gauss(0.0, 25.0)),
                low=min(price, close) - abs(dice.gauss(0.0, 25.0)),
                close=close,
                volume=volume,
                buy_volume=volume * dice.uniform(0.3, 0.7),
                trades=100,
                closed=place < BARS - 1,
            )
        )
        price = close
    return tuple(bars)


def _average(bars: tuple[Bar, ...], length: int) -> tuple[float | None, ...]:
    value = bars[0].close
    values = []
    for bar in bars:
        value += (bar.close - value) * 2 / (length + 1)
        values.append(value)
    return (*(None,) * (length - 1), *values[length - 1 :])
