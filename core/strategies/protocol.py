"""What a strategy is."""

from typing import Protocol

from core.analysis.sources import SetupRule
from core.model.market import Timeframe


class Strategy(SetupRule, Protocol):
    """A rule with frozen parameters that turns closed bars into a setup or a reason for none.

    It places no orders, reads no clock and keeps no state between calls: equal bars give equal
    answers in live trading, replay and back-test.
    """

    @property
    def name(self) -> str:
        """Short stable name; part of every signal's key."""
        ...

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The timeframes whose bar closes it watches; it can be asked about any other."""
        ...
