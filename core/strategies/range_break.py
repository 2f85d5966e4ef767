"""Range break: a plain, transparent demonstration rule. Its edge is not shown (see docs)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

from core.analysis.indicators import average_true_range, columns
from core.model.instrument import Instrument
from core.model.market import Bar, Timeframe
from core.model.signal import NoSetup, Setup, Side
from core.strategies.continuity import first_hole

ATR_BARS = 15
LEAST_CONFIDENCE = 0.6
VOLUME_BONUS = 0.15
"""Given in full to a bar with three times the mean volume."""
BODY_BONUS = 0.15
"""Given in full to a bar that is all body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeBreakParameters:
    """The numbers of the rule."""

    timeframes: tuple[Timeframe, ...] = (Timeframe.M1,)
    lookback: int = 20
    """Bars that make the range; the breaking bar is not one of them."""
    range_factor: float = 1.0
    """The breaking bar's high - low must reach this many means of the lookback."""
    volume_factor: float = 1.0
    """The breaking bar's volume must reach this many means of the lookback."""
    stop_atr: float = 2.5
    """Distance of the stop from the entry, in ATR14."""
    reward_risk: float = 2.0
    """Distance of the target from the entry, in distances of the stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The last bar measured against the bars before it."""

    bar: Bar
    high: float
    low: float
    range_ratio: float
    volume_ratio: float
    atr: float

    @property
    def side(self) -> Side | None:
        """The side the bar broke out on."""
        if self.bar.close > self.high:
            return Side.BUY
        return Side.SELL if self.bar.close < self.low else None

    def body_share(self, side: Side) -> float:
        """Share of the bar's range that its body covers towards `side`, 0-1."""
        body = (self.bar.close - self.bar.open) * side.sign
        return min(max(body / (self.bar.high - self.bar.low), 0.0), 1.0)


class RangeBreak:
    """A close outside the range of the last bars, on a bar at least as wide and busy as usual."""

    name = "range_break"

    def __init__(self, parameters: RangeBreakParameters) -> None:
        self.parameters = parameters

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The timeframes whose bar closes it watches."""
        return self.parameters.timeframes

    def evaluate(
        self, instrument: Instrument, timeframe: Timeframe, bars: Sequence[Bar]
    ) -> Setup | NoSetup:
        """The opinion after the last of the closed `bars` (oldest first), and only from them."""
        reading = self._read(instrument, bars)
        if isinstance(reading, NoSetup):
            return reading
        if reading.side is None:
            return self._inside(instrument, timeframe, reading)
        return self._too_quiet(reading) or self._setup(instrument, timeframe, reading, reading.side)

    def _read(self, instrument: Instrument, bars: Sequence[Bar]) -> _Reading | NoSetup:
        """Measure, or say why these bars cannot be measured."""
        needed = max(self.parameters.lookback + 1, ATR_BARS)
        if len(bars) < needed:
            return _refusal("history", instrument, f"needs {needed - len(bars)} more closed bars")
        if not bars[-1].closed:
            return _refusal("open_bar", instrument, "has a last bar that has not closed")
        hole = first_hole(bars[-needed:], instrument.asset_class)
        if hole is not None:
            text = f"lacks bars from {hole[0]:%Y-%m-%d %H:%M} to {hole[1]:%Y-%m-%d %H:%M} UTC"
            return _refusal("hole", instrument, text)
        bar, before = bars[-1], bars[-1 - self.parameters.lookback : -1]
        mean_range = fmean(each.high - each.low for each in before)
        mean_volume = fmean(each.volume for each in before)
        atr = average_true_range(columns(bars))
        if atr is None or not _positive(atr, mean_range):
            return _refusal(
                "flat", instrument, "does not move measurably: there is no range to break"
            )
        if not _positive(mean_volume):
            return _refusal("no_volume", instrument, "has bars without volume")
        return _Reading(
            bar=bar,
            high=max(each.high for each in before),
            low=min(each.low for each in before),
            range_ratio=(bar.high - bar.low) / mean_range,
            volume_ratio=bar.volume / mean_volume,
            atr=atr,
        )

    def _inside(self, instrument: Instrument, timeframe: Timeframe, reading: _Reading) -> NoSetup:
        digits = instrument.price_digits
        detail = (
            f"{instrument.symbol} must close above {reading.high:,.{digits}f} or below "
            f"{reading.low:,.{digits}f} on {timeframe}; it closed at "
            f"{reading.bar.close:,.{digits}f}."
        )
        return NoSetup(reason="inside_range", detail=detail)

    def _too_quiet(self, reading: _Reading) -> NoSetup | None:
        """A break without a wide and busy bar is not taken."""
        for code, name, ratio, factor in (
            ("small_range", "range", reading.range_ratio, self.parameters.range_factor),
            ("low_volume", "volume", reading.volume_ratio, self.parameters.volume_factor),
        ):
            if not ratio >= factor:
                detail = (
                    f"The close left the {self.parameters.lookback}-bar range, but the bar's "
                    f"{name} is {ratio:.2f} x its mean; it must be at least {factor:g} x."
                )
                return NoSetup(reason=code, detail=detail)
        return None

    def _setup(
        self, instrument: Instrument, timeframe: Timeframe, reading: _Reading, side: Side
    ) -> Setup | NoSetup:
        entry = reading.bar.close
        distance = self.parameters.stop_atr * reading.atr
        stop = entry - side.sign * distance
        target = entry + side.sign * distance * self.parameters.reward_risk
        on_losing_side = (entry - stop) * side.sign > 0
        if not _positive(entry, stop, target) or not on_losing_side:
            return _refusal("levels", instrument, "moves too much for a stop at a positive price")
        return Setup(
            strategy=self.name,
            instrument=instrument.symbol,
            timeframe=timeframe,
            side=side,
            entry=entry,
            stop=stop,
            targets=(target,),
            confidence=_confidence(reading, side),
            reasons=self._reasons(instrument, reading, side),
            bar_close=reading.bar.close_time,
        )

    def _reasons(self, instrument: Instrument, reading: _Reading, side: Side) -> tuple[str, ...]:
        digits, lookback = instrument.price_digits, self.parameters.lookback
        edge, place = (
            (reading.high, f"above the {lookback}-bar high")
            if side is Side.BUY
            else (reading.low, f"below the {lookback}-bar low")
        )
        return (
            f"Close {reading.bar.close:,.{digits}f} {place} {edge:,.{digits}f}",
            f"Range {reading.range_ratio:.1f} x its {lookback}-bar mean",
            f"Volume {reading.volume_ratio:.1f} x its {lookback}-bar mean",
            f"Body {reading.body_share(side):.0%} of the bar",
        )


def _confidence(reading: _Reading, side: Side) -> float:
    """A grade of the bar from 0.6 to 0.9; not a probability of winning."""
    volume = min(max((reading.volume_ratio - 1) / 2, 0.0), 1.0)
    body = reading.body_share(side)
    return round(LEAST_CONFIDENCE + VOLUME_BONUS * volume + BODY_BONUS * body, 3)


def _positive(*numbers: float) -> bool:
    return all(isfinite(number) and number > 0 for number in numbers)


def _refusal(reason: str, instrument: Instrument, text: str) -> NoSetup:
    return NoSetup(reason=reason, detail=f"{instrument.symbol} {text}.")
