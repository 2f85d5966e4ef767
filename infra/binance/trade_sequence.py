"""Trade ids in order: what to drop, what is missing, what cannot be true; pure."""

from dataclasses import dataclass

from core.model.market import TradeTick

RESTART_AFTER_MS = 1_000
LEAP_MS = 10_000
"""A trade's time may run ahead of the last one's by the time passed here and this much."""
LEAP_IDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Missing:
    """A closed range of trade ids that was not seen."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Leap:
    """A trade far ahead of the last one, not believed before the next one agrees."""


class TradeSequence:
    """Follows one instrument's trade ids over all its connections."""

    __slots__ = ("_doubted", "_last_id", "_last_ms", "_last_received")

    def __init__(self) -> None:
        self._last_id: int | None = None
        self._last_ms = 0
        self._last_received = 0.0
        self._doubted: TradeTick | None = None

    def accept(self, tick: TradeTick) -> bool | Missing | Leap:
        """True: next in line. False: seen before or older, drop it. Missing: take it, mind the gap.

        Leap: drop it. A lower id that is clearly newer in time means that the venue restarted its
        numbering.
        """
        last = self._last_id
        if last is not None and tick.trade_id <= last:
            if tick.event_ms <= self._last_ms + RESTART_AFTER_MS:
                return False
            last = None
        if self._last_id is not None and self._leaps(tick):
            return Leap()
        self._last_id = tick.trade_id
        self._last_ms = tick.event_ms
        self._last_received = tick.received
        if last is None or tick.trade_id == last + 1:
            return True
        return Missing(last + 1, tick.trade_id - 1)

    def _leaps(self, tick: TradeTick) -> bool:
        """One wrong time or id must not poison everything after it."""
        passed_ms = max(tick.received - self._last_received, 0.0) * 1000
        if (
            tick.event_ms - self._last_ms <= passed_ms + LEAP_MS
            and tick.trade_id - (self._last_id or 0) <= LEAP_IDS
        ):
            self._doubted = None
            return False
        doubted, self._doubted = self._doubted, tick
        return doubted is None or not _agree(doubted, tick)


def _agree(first: TradeTick, second: TradeTick) -> bool:
    return (
        0 < second.trade_id - first.trade_id <= LEAP_IDS
        and abs(second.event_ms - first.event_ms) <= LEAP_MS
    )
