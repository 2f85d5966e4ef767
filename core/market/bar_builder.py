"""All timeframes of one instrument from its closed M1 bars; UTC boundaries, no silent gaps."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime, timedelta

from core.market.bar_sequence import BarHole, BarSequence
from core.model.market import Bar, Timeframe

HIGHER = tuple(timeframe for timeframe in Timeframe if timeframe is not Timeframe.M1)


class _Growing:
    """A longer bar while its minutes arrive; plain attributes because it changes all the time."""

    __slots__ = ("buy_volume", "close", "end", "high", "low", "open", "start", "trades", "volume")

    def __init__(self, minute: Bar, timeframe: Timeframe) -> None:
        self.start = timeframe.open_time(minute.open_time)
        self.end = self.start + timedelta(seconds=timeframe.seconds)
        self.open, self.high = minute.open, minute.high
        self.low, self.close = minute.low, minute.close
        self.volume, self.buy_volume = minute.volume, minute.buy_volume
        self.trades = minute.trades

    def add(self, minute: Bar) -> None:
        """One more minute."""
        self.high = max(self.high, minute.high)
        self.low = min(self.low, minute.low)
        self.close = minute.close
        self.volume += minute.volume
        self.buy_volume += minute.buy_volume
        self.trades += minute.trades

    def bar(self, instrument: str, timeframe: Timeframe, *, closed: bool) -> Bar:
        """The bar as it stands."""
        return Bar(
            instrument=instrument,
            timeframe=timeframe,
            open_time=self.start,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            buy_volume=self.buy_volume,
            trades=self.trades,
            closed=closed,
        )


class _Aggregator:
    """Grows one longer bar out of minutes that arrive in order and without holes."""

    def __init__(self, instrument: str, timeframe: Timeframe) -> None:
        self._instrument = instrument
        self._timeframe = timeframe
        self._growing: _Growing | None = None
        self._whole = False
        self._any_before = False

    def add(self, minute: Bar) -> list[tuple[Bar, bool]]:
        """Bars that closed, each with whether all of its minutes were seen."""
        closed = []
        growing = self._growing
        if growing is not None and minute.open_time >= growing.end:
            # The period's last minutes do not exist at the venue.
            closed.append(self._finish(growing))
            growing = None
        if growing is None:
            growing = self._growing = _Growing(minute, self._timeframe)
            self._whole = self._any_before or minute.open_time == growing.start
        else:
            growing.add(minute)
        self._any_before = True
        if minute.close_time == growing.end:
            closed.append(self._finish(growing))
        return closed

    def forming(self, minute: Bar | None) -> Bar | None:
        """The unfinished bar, with the forming minute in it; None when its start was not seen."""
        growing = self._growing
        if growing is None or (minute is not None and minute.open_time >= growing.end):
            return self._started(minute)
        if not self._whole:
            return None
        view = copy(growing)
        if minute is not None:
            view.add(minute)
        return view.bar(self._instrument, self._timeframe, closed=False)

    def _started(self, minute: Bar | None) -> Bar | None:
        if minute is None:
            return None
        growing = _Growing(minute, self._timeframe)
        if not (self._any_before or minute.open_time == growing.start):
            return None
        return growing.bar(self._instrument, self._timeframe, closed=False)

    def _finish(self, growing: _Growing) -> tuple[Bar, bool]:
        self._growing = None
        return growing.bar(self._instrument, self._timeframe, closed=True), self._whole


class BarBuilder:
    """Every timeframe's closed bars and the forming ones."""

    def __init__(self, instrument: str) -> None:
        self._sequences = {tf: BarSequence(instrument, tf) for tf in Timeframe}
        self._instrument = instrument
        self._aggregators = self._fresh_aggregators()
        self._minute: Bar | None = None

    def update(self, bar: Bar) -> list[Bar]:
        """Take an M1 bar from the stream; returns the bars that closed, M1 first."""
        minutes = self._sequences[Timeframe.M1]
        if not bar.closed:
            self._minute = bar
            minutes.expect(bar.open_time - timedelta(seconds=Timeframe.M1.seconds))
            return []
        if self._minute is not None and self._minute.open_time <= bar.open_time:
            self._minute = None
        return self._grow(minutes.offer(bar))

    def fill(self, hole: BarHole, bars: Sequence[Bar]) -> list[Bar]:
        """Close a hole with the venue's history; returns all bars that joined."""
        joined = self._sequences[hole.timeframe].fill(hole, bars)
        return self._grow(joined) if hole.timeframe is Timeframe.M1 else joined

    def load(self, timeframe: Timeframe, bars: Sequence[Bar]) -> None:
        """Put history underneath one timeframe; announces nothing."""
        self._sequences[timeframe].load(bars)
        if timeframe is Timeframe.M1:
            self._aggregators = self._fresh_aggregators()
            self._grow(self._sequences[Timeframe.M1].latest(None))

    def expect_until(self, now: datetime) -> None:
        """Every minute before `now` is closed; those that are not here are missing."""
        minute = timedelta(minutes=1)
        self._sequences[Timeframe.M1].expect(Timeframe.M1.open_time(now) - minute)

    def holes(self) -> tuple[BarHole, ...]:
        """The first hole of each timeframe that has one, M1 first."""
        found = (sequence.hole() for sequence in self._sequences.values())
        return tuple(hole for hole in found if hole is not None)

    def closed(self, timeframe: Timeframe, count: int | None) -> tuple[Bar, ...]:
        """The last `count` closed bars (None: all), oldest first."""
        return self._sequences[timeframe].latest(count)

    def forming(self, timeframe: Timeframe) -> Bar | None:
        """The unfinished bar, or None while its beginning is not known."""
        newest = self._sequences[Timeframe.M1].last
        minute = self._minute
        if newest is not None and minute is not None and minute.open_time <= newest.open_time:
            minute = None
        if timeframe is Timeframe.M1:
            return minute
        if newest is not None and minute is not None and minute.open_time > newest.close_time:
            return None
        return self._aggregators[timeframe].forming(minute)

    def _fresh_aggregators(self) -> dict[Timeframe, _Aggregator]:
        return {timeframe: _Aggregator(self._instrument, timeframe) for timeframe in HIGHER}

    def _grow(self, minutes: Sequence[Bar]) -> list[Bar]:
        joined = list(minutes)
        for minute in minutes:
            for timeframe, aggregator in self._aggregators.items():
                for bar, whole in aggregator.add(minute):
                    joined += self._take(self._sequences[timeframe], bar, whole)
        return joined

    def _take(self, sequence: BarSequence, bar: Bar, whole: bool) -> list[Bar]:
        if whole:
            return sequence.offer(bar)
        sequence.expect(bar.open_time)
        return []
