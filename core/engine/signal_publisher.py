"""Makes a setup a signal: size it, journal it with its card in the outbox, tell the bus."""

from core.clock import Clock
from core.event_bus import EventBus
from core.execution.signal_maker import SignalMaker
from core.model.events import NoticesQueued, SignalCreated
from core.model.notice import Notice, NoticePriority, NoticeTopic
from core.model.order import Refusal
from core.model.signal import NewSignal, Setup, Signal, SignalKind, SignalState
from core.ports.journal import PositionStore, SignalStore


class SignalPublisher:
    """The only way a signal is born. One open card per instrument, one signal per key, ever."""

    def __init__(
        self,
        *,
        wall: Clock,
        bus: EventBus,
        signals: SignalStore,
        positions: PositionStore,
        maker: SignalMaker,
    ) -> None:
        self._wall = wall
        self._bus = bus
        self._signals = signals
        self._positions = positions
        self._maker = maker

    async def offer(self, setup: Setup, kind: SignalKind) -> Signal | Refusal:
        """Journal the setup as a signal; its card goes out through the outbox."""
        refusal = await self._already(setup, kind)
        if refusal is not None:
            return refusal
        made = await self._maker.make(setup, kind)
        if isinstance(made, Refusal):
            return made
        signal = await self._signals.add(made, (_card(made, self._wall),))
        if signal is None:
            return Refusal(code="repeated", text="This very signal was already shown.")
        now = self._wall.utc_now()
        self._bus.publish(SignalCreated(at=now, signal=signal))
        self._bus.publish(NoticesQueued(at=now))
        return signal

    async def _already(self, setup: Setup, kind: SignalKind) -> Refusal | None:
        for signal in await self._signals.in_state(SignalState.OPEN, SignalState.DRIFTED):
            if signal.instrument != setup.instrument:
                continue
            practice = SignalKind.PRACTICE
            if (signal.kind is practice) == (kind is practice):
                return Refusal(
                    code="card_open", text=f"Card #{signal.id} on {setup.instrument} is still open."
                )
        for position in await self._positions.open():
            if position.instrument == setup.instrument:
                return Refusal(
                    code="already_in", text=f"{setup.instrument} is already open: /positions"
                )
        return None


def _card(made: NewSignal, wall: Clock) -> Notice:
    return Notice(
        key="card",
        topic=NoticeTopic.SIGNAL_CARD,
        subject_id=0,
        priority=NoticePriority.SIGNAL,
        time_to_live=made.expires_at - wall.utc_now(),
    )
