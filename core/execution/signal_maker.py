"""Turns an opinion (Setup) into a sized, priced signal, or says why not."""

from datetime import timedelta

from core.clock import Clocks
from core.errors import InvalidValueError, VenueError
from core.execution.live_market import LiveMarket, decimal_price
from core.model.instrument import Instrument, InstrumentRegistry, Venue
from core.model.market import Timeframe
from core.model.order import Refusal
from core.model.signal import NewSignal, PriceLevel, Setup, SignalKind
from core.model.values import Price
from core.ports.broker import Broker
from core.risk.limits import RiskLimits
from core.risk.sizing import Sizing, risk_of, size_position

MAX_STOP_ATR = 3


class SignalMaker:
    """Sizes setups with the account's equity and the venue's rules."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        registry: InstrumentRegistry,
        market: LiveMarket,
        broker: Broker,
        limits: RiskLimits,
        origin: Venue,
        validity: timedelta,
    ) -> None:
        self._clocks = clocks
        self._registry = registry
        self._market = market
        self._broker = broker
        self._limits = limits
        self._origin = origin
        self._validity = validity

    async def make(
        self, setup: Setup, kind: SignalKind, *, key: str | None = None, replaces: int | None = None
    ) -> NewSignal | Refusal:
        """The signal to journal; refusals say what is wrong with the setup or the account."""
        instrument = self._registry.get(setup.instrument)
        try:
            levels = [instrument.price(p) for p in (setup.entry, setup.stop, *setup.targets)]
            rules = await self._broker.rules(instrument)
            account = await self._broker.account()
        except (InvalidValueError, VenueError) as e:
            return Refusal(code="not_sized", text=f"The signal could not be sized: {e}")
        entry, stop, targets = levels[0], levels[1], tuple(levels[2:])
        refusal = self._check_levels(setup, instrument, entry, stop, targets)
        if refusal is not None:
            return refusal
        sizing = size_position(instrument, rules, account.equity, entry, stop)
        if isinstance(sizing, Refusal):
            return sizing
        if kind is SignalKind.PRACTICE:
            smallest = instrument.quantity(max(instrument.lot_min, rules.volume_min))
            risk = risk_of(rules, smallest, entry, stop)
            sizing = Sizing(quantity=smallest, risk=risk, asked=risk, capped=False)
        return self._signal(setup, kind, sizing, (entry, stop, *targets), key, replaces)

    def _signal(
        self,
        setup: Setup,
        kind: SignalKind,
        sizing: Sizing,
        levels: tuple[Price, ...],
        key: str | None,
        replaces: int | None,
    ) -> NewSignal:
        now = self._clocks.wall.utc_now()
        placed = [PriceLevel(price=price, origin=self._origin) for price in levels]
        distance = abs(levels[0].value - levels[1].value)
        return NewSignal(
            key=key or setup.key,
            kind=kind,
            strategy=setup.strategy,
            instrument=setup.instrument,
            timeframe=setup.timeframe,
            side=setup.side,
            entry=placed[0],
            stop=placed[1],
            targets=tuple(placed[2:]),
            quantity=sizing.quantity,
            risk=sizing.risk,
            risk_asked=sizing.asked,
            confidence=setup.confidence,
            reasons=setup.reasons,
            warnings=(),
            drift_limit=distance * self._limits.drift_r,
            created_at=now,
            created_market_at=self._clocks.market.utc_now(),
            expires_at=now + self._validity,
            replaces=replaces,
        )

    def _check_levels(
        self,
        setup: Setup,
        instrument: Instrument,
        entry: Price,
        stop: Price,
        targets: tuple[Price, ...],
    ) -> Refusal | None:
        sign = setup.side.sign
        distance = (entry.value - stop.value) * sign
        if distance <= 0:
            return Refusal(code="stop_side", text="The setup's stop is on the wrong side.")
        if targets:
            reward = (targets[0].value - entry.value) * sign
            if reward / distance < self._limits.min_reward_risk:
                return Refusal(
                    code="reward_risk",
                    text=f"Reward is {reward / distance:.2f} times the risk; at least"
                    f" {self._limits.min_reward_risk} is wanted.",
                )
        return self._check_distance(setup, instrument, entry, stop)

    def _check_distance(
        self, setup: Setup, instrument: Instrument, entry: Price, stop: Price
    ) -> Refusal | None:
        distance = abs(entry.value - stop.value)
        own = self._market.atr(instrument.symbol, setup.timeframe)
        slow = self._market.atr(instrument.symbol, Timeframe.M15)
        if own is None or slow is None:
            return Refusal(code="no_volatility", text="ATR14 is not known yet: no signal.")
        if distance > MAX_STOP_ATR * decimal_price(own):
            return Refusal(code="stop_too_far", text="The stop is more than 3 ATR14 away.")
        if distance < decimal_price(slow) / 4:
            return Refusal(code="stop_too_near", text="The stop is inside 0.25 ATR14 of M15.")
        return None
