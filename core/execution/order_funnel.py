"""The one funnel before the venue: the only maker of `RiskApproved`, the last code that can say no.

Checks, each with its own code: entries allowed, stop present, finite and on the grid, right side,
stop distance, reward/risk, collar against the live mid, throttles, orders out <= approvals in.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from core.clock import Clock
from core.execution.live_market import LiveMarket, decimal_price
from core.model.instrument import Instrument
from core.model.market import Quote, Timeframe
from core.model.order import IntentLeg, OrderIntent, Refusal, RiskApproved
from core.model.position import InstrumentRules
from core.model.values import Quantity
from core.risk.limits import RiskLimits
from core.risk.trading_state import TradingState

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0
DAY_SECONDS = 86400.0
COLLAR_ATR = Decimal("0.5")
MIN_STOP_ATR = Decimal("0.25")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCase:
    """An entry intent with the facts the funnel judges it by."""

    intent: OrderIntent
    instrument: Instrument
    rules: InstrumentRules
    quote: Quote
    atr_m15: Decimal | None

    @property
    def stop_distance(self) -> Decimal:
        """|live mid - stop|; zero without a stop."""
        stop = self.intent.stop
        return Decimal(0) if stop is None else abs(decimal_price(self.quote.mid) - stop.value)


class OrderFunnel:
    """Approves intents one by one and counts what it let through."""

    def __init__(
        self, limits: RiskLimits, state: TradingState, market: LiveMarket, wall: Clock
    ) -> None:
        self._limits = limits
        self._state = state
        self._market = market
        self._wall = wall
        self._entries: deque[tuple[float, str]] = deque()
        self._orders: deque[float] = deque()
        self._approved_signals: set[int] = set()

    def approve_entry(
        self, intent: OrderIntent, instrument: Instrument, rules: InstrumentRules, quote: Quote
    ) -> RiskApproved | Refusal:
        """Approve an entry, or say why not. An approval counts against every throttle."""
        atr = self._market.atr(instrument.symbol, Timeframe.M15)
        case = EntryCase(
            intent=intent,
            instrument=instrument,
            rules=rules,
            quote=quote,
            atr_m15=None if atr is None else decimal_price(atr),
        )
        for check in self._entry_checks():
            refusal = check(case)
            if refusal is not None:
                return refusal
        now = self._wall.monotonic()
        self._approved_signals.add(intent.signal_id)
        self._entries.append((now, instrument.symbol))
        self._orders.append(now)
        return RiskApproved(intent=intent)

    def approve_close(self, intent: OrderIntent) -> RiskApproved:
        """Closing reduces risk: it is never refused here, only counted."""
        self._orders.append(self._wall.monotonic())
        return RiskApproved(intent=intent)

    def _entry_checks(self) -> tuple[Callable[[EntryCase], Refusal | None], ...]:
        return (
            self._check_state,
            _check_shape,
            _check_sides,
            self._check_stop_distance,
            self._check_reward,
            _check_collar,
            self._check_throttle,
            self._check_once,
        )

    def _check_state(self, case: EntryCase) -> Refusal | None:
        return self._state.check(case.instrument.symbol)

    def _check_stop_distance(self, case: EntryCase) -> Refusal | None:
        if case.atr_m15 is None:
            return Refusal(code="no_volatility", text="ATR14(M15) is not known yet: no entry.")
        spread = decimal_price(case.quote.spread)
        least = max(case.rules.stops_level, 2 * spread, MIN_STOP_ATR * case.atr_m15)
        if case.stop_distance < least:
            return Refusal(
                code="stop_too_near",
                text=f"The stop is {case.stop_distance:f} from the live price; at least"
                f" {least:.{case.instrument.price_digits}f} is needed.",
            )
        return None

    def _check_reward(self, case: EntryCase) -> Refusal | None:
        target = case.intent.target
        if target is None:
            return None
        ratio = abs(target.value - decimal_price(case.quote.mid)) / case.stop_distance
        if ratio < self._limits.min_reward_risk:
            return Refusal(
                code="reward_risk",
                text=f"At the live price the reward is only {ratio:.2f} times the risk.",
            )
        return None

    def _check_throttle(self, case: EntryCase) -> Refusal | None:
        now = self._wall.monotonic()
        while self._orders and now - self._orders[0] > MINUTE_SECONDS:
            self._orders.popleft()
        while self._entries and now - self._entries[0][0] > DAY_SECONDS:
            self._entries.popleft()
        hour = sum(
            symbol == case.instrument.symbol and now - at <= HOUR_SECONDS
            for at, symbol in self._entries
        )
        return (
            _over(len(self._orders), self._limits.orders_per_minute, "orders in the last minute")
            or _over(
                hour,
                self._limits.entries_per_instrument_hour,
                f"{case.instrument.symbol} entries in the last hour",
            )
            or _over(len(self._entries), self._limits.entries_per_day, "entries in the last day")
        )

    def _check_once(self, case: EntryCase) -> Refusal | None:
        if case.intent.signal_id in self._approved_signals:
            return Refusal(
                code="already_approved", text="An order for this signal was already let through."
            )
        return None


def _over(count: int, limit: int, what: str) -> Refusal | None:
    if count < limit:
        return None
    return Refusal(code="throttle", text=f"{count} {what}; the limit is {limit}.")


def _check_shape(case: EntryCase) -> Refusal | None:
    intent = case.intent
    if intent.leg is not IntentLeg.ENTRY or intent.stop is None:
        return Refusal(code="no_stop", text="An entry without a stop is never sent.")
    prices = [intent.stop] if intent.target is None else [intent.stop, intent.target]
    if not all(case.instrument.on_grid(price) for price in prices):
        return Refusal(code="off_grid", text="A stop or target is not on the price grid.")
    return _check_size(case.instrument, case.rules, intent.quantity)


def _check_size(
    instrument: Instrument, rules: InstrumentRules, quantity: Quantity
) -> Refusal | None:
    size = quantity.value
    if size % rules.volume_step or not rules.volume_min <= size <= rules.volume_max:
        return Refusal(code="bad_size", text=f"{size} lots is not a size the venue takes.")
    if size > instrument.lot_max:
        return Refusal(code="lot_cap", text=f"{size} lots is over the cap {instrument.lot_max}.")
    return None


def _check_sides(case: EntryCase) -> Refusal | None:
    intent, sign = case.intent, case.intent.side.sign
    mid = decimal_price(case.quote.mid)
    if intent.stop is not None and (mid - intent.stop.value) * sign <= 0:
        return Refusal(code="stop_side", text="The live price is already beyond the stop.")
    if intent.target is not None and (intent.target.value - mid) * sign <= 0:
        return Refusal(code="target_side", text="The live price is already beyond the target.")
    return None


def _check_collar(case: EntryCase) -> Refusal | None:
    atr = case.atr_m15
    if atr is None:
        return Refusal(code="no_volatility", text="ATR14(M15) is not known yet: no entry.")
    width = max(COLLAR_ATR * atr, 2 * decimal_price(case.quote.spread))
    if abs(case.intent.reference.value - decimal_price(case.quote.mid)) > width:
        return Refusal(code="collar", text="The price jumped while the order was being checked.")
    return None
