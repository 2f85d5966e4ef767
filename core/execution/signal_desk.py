"""What else a person can do with a card: dismiss it, or take a drifted one at the new price."""

from core.clock import Clocks
from core.event_bus import EventBus
from core.execution import notices
from core.execution.drift import entry_side_price
from core.execution.live_market import LiveMarket
from core.execution.signal_maker import SignalMaker
from core.model.commands import DismissSignal, UseNewPrice
from core.model.events import NoticesQueued, SignalChanged
from core.model.order import Refusal
from core.model.outcome import NotWon, Refused, Repriced, RepriceOutcome, SignalChange
from core.model.signal import NewSignal, Setup, Signal, SignalState
from core.ports.journal import SignalStore


class SignalDesk:
    """Changes of a signal that send nothing to the venue."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        bus: EventBus,
        market: LiveMarket,
        signals: SignalStore,
        maker: SignalMaker,
    ) -> None:
        self._clocks = clocks
        self._bus = bus
        self._market = market
        self._signals = signals
        self._maker = maker

    async def dismiss(self, command: DismissSignal) -> SignalChange:
        """OPEN or DRIFTED -> DISMISSED, if this button is the current one."""
        for state in (SignalState.OPEN, SignalState.DRIFTED):
            claim = await self._signals.change(
                command.signal_id,
                expect=state,
                to=SignalState.DISMISSED,
                at=self._clocks.wall.utc_now(),
                rev=command.rev,
                user_id=command.user_id,
                notices=(notices.card_edit_of(command.signal_id, command.rev + 1),),
            )
            if claim.won:
                self._announce(claim.signal)
                return SignalChange(done=True, signal=claim.signal)
        return SignalChange(done=False, signal=claim.signal)

    async def reprice(self, command: UseNewPrice) -> RepriceOutcome:
        """The same idea, same distances, at the live price: a new signal on the same card."""
        old = await self._signals.get(command.signal_id)
        if old is None or old.state is not SignalState.DRIFTED or old.rev != command.rev:
            return NotWon(signal=old)
        quote = self._market.quote(old.instrument)
        if quote is None:
            return Refused(
                signal=old,
                refusal=Refusal(code="no_quote", text=f"No live price for {old.instrument}."),
            )
        setup = shifted(old, entry_side_price(old.side, quote))
        made = await self._maker.make(
            setup, old.kind, key=f"{old.key}|new-price-{old.rev}", replaces=old.id
        )
        if isinstance(made, Refusal):
            return Refused(signal=old, refusal=made)
        return await self._replace(old, made)

    async def _replace(self, old: Signal, made: NewSignal) -> RepriceOutcome:
        signal = await self._signals.add(made, (notices.card_edit_of(0, "new-price"),))
        if signal is None:
            return NotWon(signal=old)
        self._announce(signal)
        return Repriced(signal=signal)

    def _announce(self, signal: Signal | None) -> None:
        now = self._clocks.wall.utc_now()
        if signal is not None:
            self._bus.publish(SignalChanged(at=now, signal=signal))
        self._bus.publish(NoticesQueued(at=now))


def shifted(signal: Signal, entry: float) -> Setup:
    """The signal's idea moved to `entry`, every distance kept."""
    move = entry - float(signal.entry.price.value)
    return Setup(
        strategy=signal.strategy,
        instrument=signal.instrument,
        timeframe=signal.timeframe,
        side=signal.side,
        entry=entry,
        stop=float(signal.stop.price.value) + move,
        targets=tuple(float(t.price.value) + move for t in signal.targets),
        confidence=signal.confidence,
        reasons=signal.reasons,
        bar_close=signal.created_market_at,
    )
