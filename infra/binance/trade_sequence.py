"""Trade ids in order: what to drop, what is missing; pure."""

from dataclasses import dataclass

from core.model.market import TradeTick

RESTART_AFTER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Missing:
    """A closed range of trade ids that was not seen."""

    first: int
    last: int


class TradeSequence:
    """Follows one instrument's trade ids over all its connections."""

    __slots__ = ("_last_id", "_last_ms")

    def __init__(self) -> None:
        self._last_id: int | None = None
        self._last_ms = 0

    def accept(self, tick: TradeTick) -> bool | Missing:
        """True: next in line. False: seen before or older, drop it. Missing: take it, mind the gap.

        A lower id that is clearly newer in time means that the venue restarted its numbering.
        """
        last = self._last_id
        if last is not None and tick.trade_id <= last:
            if tick.event_ms <= self._last_ms + RESTART_AFTER_MS:
                return False
            last = None
        self._last_id = tick.trade_id
        self._last_ms = tick.event_ms
        if last is None or tick.trade_id == last + 1:
            return True
        return Missing(last + 1, tick.trade_id - 1)
