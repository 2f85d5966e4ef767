"""Watches stops and targets on the stream: a few float comparisons per open position and quote."""

from dataclasses import dataclass

from core.clock import Clock
from core.model.instrument import Instrument
from core.model.market import Quote
from core.model.position import CloseReason
from core.model.signal import Side
from infra.paper.model import PaperPosition, Trigger
from infra.paper.pricing import exit_price, usable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """A position's levels as floats: a price's text and its Decimal give the same float."""

    position: PaperPosition
    instrument: Instrument
    stop: float | None
    target: float | None

    def touched(self, quote: Quote) -> CloseReason | None:
        """Longs leave on the bid, shorts on the ask; when both are touched the stop counts."""
        if self.position.side is Side.BUY:
            if self.stop is not None and quote.bid <= self.stop:
                return CloseReason.STOP
            if self.target is not None and quote.bid >= self.target:
                return CloseReason.TARGET
            return None
        if self.stop is not None and quote.ask >= self.stop:
            return CloseReason.STOP
        if self.target is not None and quote.ask <= self.target:
            return CloseReason.TARGET
        return None


class StopWatch:
    """Positions with levels, by instrument, and what has been touched but is not yet booked."""

    def __init__(self, market: Clock) -> None:
        self._market = market
        self._watched: dict[str, tuple[_Watched, ...]] = {}
        self._pending: dict[int, Trigger] = {}

    def add(self, position: PaperPosition, instrument: Instrument) -> None:
        """Watch a position from the next quote on."""
        entry = _Watched(
            position=position,
            instrument=instrument,
            stop=None if position.stop is None else float(position.stop.value),
            target=None if position.target is None else float(position.target.value),
        )
        known = self._watched.get(position.instrument, ())
        self._watched[position.instrument] = (*known, entry)

    def forget(self, position: PaperPosition) -> None:
        """The position is closed on record."""
        self._pending.pop(position.id, None)
        self._drop(position)

    def on_quote(self, quote: Quote) -> bool:
        """Mark what this quote touches, once; whether there was something."""
        watched = self._watched.get(quote.instrument)
        if not watched or usable(quote) is None:
            return False
        fired = False
        for entry in watched:
            reason = entry.touched(quote)
            if reason is not None:
                self._fire(entry, reason, quote)
                fired = True
        return fired

    def pending(self) -> tuple[Trigger, ...]:
        """What was touched and is not booked yet, oldest first."""
        return tuple(self._pending.values())

    def trigger(self, position_id: int) -> Trigger | None:
        """The trigger of one position, if its stop or target was touched."""
        return self._pending.get(position_id)

    def _fire(self, entry: _Watched, reason: CloseReason, quote: Quote) -> None:
        """A stop leaves at the quote (the stop price or worse), a target at its own price."""
        position = entry.position
        price = exit_price(entry.instrument, position.side, quote)
        if reason is CloseReason.TARGET and position.target is not None:
            price = position.target
        self._pending[position.id] = Trigger(
            position_id=position.id, reason=reason, price=price, at=self._market.utc_now()
        )
        self._drop(position)

    def _drop(self, position: PaperPosition) -> None:
        rest = self._watched.get(position.instrument, ())
        self._watched[position.instrument] = tuple(e for e in rest if e.position.id != position.id)
