"""The chart as it is usually written: a new pyplot figure, one artist per candle, tight layout."""

from io import BytesIO

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from core.model.chart import ChartRequest
from infra.charts.columns import VISIBLE_BARS

UP, DOWN = "#22c08a", "#f4495f"
DPI = 100
SIZE_INCHES = (10.8, 12.0)


def naive_png(request: ChartRequest) -> bytes:
    """A PNG of the same size with the same candles, lines, levels, volume and delta."""
    mpl.use("Agg")
    plt.style.use("dark_background")
    figure, (prices, volumes, deltas) = plt.subplots(
        3, 1, sharex=True, figsize=SIZE_INCHES, dpi=DPI, height_ratios=(6, 1.4, 0.6)
    )
    _candles(prices, volumes, deltas, request)
    _lines_and_levels(prices, request)
    _axes(prices, request)
    figure.tight_layout()
    out = BytesIO()
    figure.savefig(out, format="png", dpi=DPI)
    plt.close(figure)
    return out.getvalue()


def _candles(prices: Axes, volumes: Axes, deltas: Axes, request: ChartRequest) -> None:
    for place, bar in enumerate(request.bars[-VISIBLE_BARS:]):
        colour = UP if bar.close >= bar.open else DOWN
        prices.plot([place, place], [bar.low, bar.high], color=colour, linewidth=1.5)
        bottom, height = min(bar.open, bar.close), abs(bar.close - bar.open)
        prices.add_patch(Rectangle((place - 0.35, bottom), 0.7, height, color=colour))
        volumes.bar(place, bar.volume, width=0.7, color=colour, alpha=0.6)
        deltas.bar(place, bar.delta, width=0.7, color=UP if bar.delta > 0 else DOWN)


def _lines_and_levels(prices: Axes, request: ChartRequest) -> None:
    for name, values in request.lines:
        shown = [float("nan") if value is None else value for value in values[-VISIBLE_BARS:]]
        prices.plot(range(len(shown)), shown, linewidth=2.5, label=name)
    for level in request.levels:
        prices.axhline(level.price, linewidth=1.5, linestyle="--")
        text = f"{level.label} {level.price:,.{request.price_digits}f}"
        prices.text(1.01, level.price, text, transform=prices.get_yaxis_transform(), fontsize=16)


def _axes(prices: Axes, request: ChartRequest) -> None:
    shown = request.bars[-VISIBLE_BARS:]
    ticks = range(0, len(shown), 24)
    labels = [f"{shown[place].open_time:%H:%M}" for place in ticks]
    prices.set_xticks(list(ticks), labels)
    prices.set_title(f"{request.title}   {request.stamp}", loc="left", fontsize=24)
    prices.text(
        0.5,
        0.5,
        request.watermark,
        transform=prices.transAxes,
        fontsize=90,
        alpha=0.08,
        ha="center",
    )
    prices.grid(alpha=0.3)
    prices.legend(loc="upper left", fontsize=16)
    prices.tick_params(labelsize=16)
