"""Refuses a price that nobody else confirms: a jump far beyond the last minute's movement."""

import math

SIGMAS = 10.0
LEAST_SHARE = 0.01
"""A move of this share of the price is never a spike, however calm the minute was."""
CONFIRMATIONS = 5
CONFIRM_SECONDS = 1.0
FORGET_SECONDS = 60.0

_MINUTE_SECONDS = 60.0


class SpikeGuard:
    """O(1) per price. A real jump is believed after a second of prices that agree with it."""

    __slots__ = ("_agreeing", "_last", "_moment", "_rival", "_rival_since", "_variance")

    def __init__(self) -> None:
        self._last = 0.0
        self._moment = -math.inf
        self._variance = 0.0
        """Of the price change over one second."""
        self._rival = 0.0
        self._rival_since = 0.0
        self._agreeing = 0

    def accept(self, price: float, now: float) -> bool:
        """Whether to believe `price` at `now` (market-clock monotonic seconds)."""
        elapsed = now - self._moment
        change = price - self._last
        if elapsed > FORGET_SECONDS:
            self._believe(price, now)
            return True
        if self._is_jump(change):
            return self._confirmed(price, now)
        self._agreeing = 0
        if elapsed >= 1.0:
            self._learn(change * change / elapsed, elapsed)
            self._last, self._moment = price, now
        return True

    def doubts(self, price: float, now: float) -> bool:
        """Whether `price` is far from what is believed now; changes nothing."""
        return now - self._moment <= FORGET_SECONDS and self._is_jump(price - self._last)

    def _is_jump(self, change: float) -> bool:
        # The common case must not pay for a square root.
        return abs(change) > LEAST_SHARE * self._last and abs(change) > self._limit()

    def _limit(self) -> float:
        return SIGMAS * math.sqrt(self._variance * _MINUTE_SECONDS)

    def _learn(self, variance: float, elapsed: float) -> None:
        weight = min(1.0, elapsed / _MINUTE_SECONDS)
        self._variance += weight * (variance - self._variance)

    def _confirmed(self, price: float, now: float) -> bool:
        if not self._agreeing or abs(price - self._rival) > LEAST_SHARE * self._rival:
            self._rival, self._rival_since, self._agreeing = price, now, 0
        self._agreeing += 1
        if self._agreeing < CONFIRMATIONS or now - self._rival_since < CONFIRM_SECONDS:
            return False
        self._believe(price, now)
        return True

    def _believe(self, price: float, now: float) -> None:
        self._last, self._moment, self._agreeing = price, now, 0
