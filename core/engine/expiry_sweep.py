"""Ends cards on time: buttons disappear at expiry, so most stale taps cannot happen."""

from core.clock import Clock
from core.event_bus import EventBus
from core.execution import notices
from core.model.events import NoticesQueued, SignalChanged
from core.model.signal import SignalState
from core.ports.journal import SignalStore

SWEEP_SECONDS = 1.0


class ExpirySweep:
    """Turns OPEN and DRIFTED signals past their time into EXPIRED."""

    def __init__(self, *, wall: Clock, bus: EventBus, signals: SignalStore) -> None:
        self._wall = wall
        self._bus = bus
        self._signals = signals

    async def run(self) -> None:
        """Sweep once a second."""
        while True:
            await self.sweep()
            await self._wall.sleep(SWEEP_SECONDS)

    async def sweep(self) -> int:
        """Expire what is due; how many cards ended."""
        ended = 0
        now = self._wall.utc_now()
        for signal in await self._signals.in_state(SignalState.OPEN, SignalState.DRIFTED):
            if signal.expires_at > now:
                continue
            claim = await self._signals.change(
                signal.id,
                expect=signal.state,
                to=SignalState.EXPIRED,
                at=now,
                rev=signal.rev,
                notices=(notices.card_edit(signal),),
            )
            if claim.won and claim.signal is not None:
                ended += 1
                self._bus.publish(SignalChanged(at=now, signal=claim.signal))
        if ended:
            self._bus.publish(NoticesQueued(at=now))
        return ended
