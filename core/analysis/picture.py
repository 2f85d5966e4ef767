"""What the chart of an analysis shows."""

from core.analysis.indicators import FAST_PERIOD, SLOW_PERIOD, columns, ema
from core.model.analysis import Analysis
from core.model.chart import ChartLevel, ChartRequest, LevelKind
from core.model.signal import Setup, Signal

SHOWN_BARS = 100


def chart_request(
    analysis: Analysis, *, watermark: str, levels_of: Signal | None = None
) -> ChartRequest:
    """The picture: the last 100 closed bars and the forming one, EMA20, EMA50, levels.

    Labels name a level; its price is written by who draws it. The plan is that of
    the signal `levels_of`, else of the analysis's own setup, if any.
    """
    forming = () if analysis.forming is None else (analysis.forming,)
    bars = (*analysis.bars[-SHOWN_BARS:], *forming)
    return ChartRequest(
        title=f"{analysis.instrument.symbol} · {analysis.timeframe}",
        stamp=f"{analysis.at:%Y-%m-%d %H:%M} UTC",
        watermark=watermark,
        price_digits=analysis.instrument.price_digits,
        bars=bars,
        lines=_lines(analysis, len(forming)),
        levels=(*_surroundings(analysis), *_plan(analysis, levels_of)),
    )


def _lines(analysis: Analysis, forming: int) -> tuple[tuple[str, tuple[float | None, ...]], ...]:
    """Means over the whole history, cut to the bars shown; they end at the last closed bar."""
    closes = columns(analysis.bars).close
    blank = (None,) * forming
    return tuple(
        (f"EMA{period}", (*ema(closes, period)[-SHOWN_BARS:], *blank))
        for period in (FAST_PERIOD, SLOW_PERIOD)
    )


def _surroundings(analysis: Analysis) -> tuple[ChartLevel, ...]:
    """Support, resistance and the price now."""
    supports = _numbered(LevelKind.SUPPORT, "S", analysis.supports)
    resistances = _numbered(LevelKind.RESISTANCE, "R", analysis.resistances)
    if analysis.mid is None:
        return (*supports, *resistances)
    price = ChartLevel(kind=LevelKind.PRICE, price=analysis.mid, label="Price")
    return (*supports, *resistances, price)


def _plan(analysis: Analysis, signal: Signal | None) -> tuple[ChartLevel, ...]:
    """Entry, stop and targets."""
    if signal is not None:
        entry, stop = float(signal.entry.price.value), float(signal.stop.price.value)
        targets = tuple(float(target.price.value) for target in signal.targets)
    elif isinstance(analysis.setup, Setup):
        entry, stop, targets = analysis.setup.entry, analysis.setup.stop, analysis.setup.targets
    else:
        return ()
    return (
        ChartLevel(kind=LevelKind.ENTRY, price=entry, label="Entry"),
        ChartLevel(kind=LevelKind.STOP, price=stop, label="Stop"),
        *_numbered(LevelKind.TARGET, "TP", targets),
    )


def _numbered(kind: LevelKind, name: str, prices: tuple[float, ...]) -> tuple[ChartLevel, ...]:
    return tuple(
        ChartLevel(kind=kind, price=price, label=f"{name}{number}")
        for number, price in enumerate(prices, start=1)
    )
