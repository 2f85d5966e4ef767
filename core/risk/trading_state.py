"""Whether new risk may be taken. Starts disabled; exits never ask here."""

from core.model.order import Refusal

RECONCILIATION = "reconciliation"
"""The halt that stands until the journal has been compared with the venue."""

_STARTING = Refusal(
    code="starting",
    text="The desk is still comparing its journal with the venue.",
    advice="Try again in a few seconds.",
)


class TradingState:
    """The one switch for entries: named halts for everything, locks for single instruments."""

    def __init__(self) -> None:
        self._halts: dict[str, Refusal] = {RECONCILIATION: _STARTING}
        self._locks: dict[tuple[str, str], Refusal] = {}

    @property
    def halted(self) -> Refusal | None:
        """Why nothing may be opened, or None."""
        return next(iter(self._halts.values()), None)

    def halt(self, name: str, reason: Refusal) -> None:
        """No entries until the halt of this name is released."""
        self._halts[name] = reason

    def release(self, name: str) -> None:
        """Take one halt away; others keep standing."""
        self._halts.pop(name, None)

    def lock(self, instrument: str, reason: Refusal) -> None:
        """No entries on one instrument until this reason (by its code) is unlocked."""
        self._locks[instrument, reason.code] = reason

    def unlock(self, instrument: str, reason: Refusal) -> None:
        """Take one reason away; others keep standing."""
        self._locks.pop((instrument, reason.code), None)

    def locked(self) -> frozenset[str]:
        """Instruments locked now."""
        return frozenset(instrument for instrument, _ in self._locks)

    def check(self, instrument: str) -> Refusal | None:
        """Why an entry on `instrument` is not allowed, or None."""
        lock = next((r for (i, _), r in self._locks.items() if i == instrument), None)
        return self.halted or lock
