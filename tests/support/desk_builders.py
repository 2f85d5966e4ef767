"""One builder per noun of the trading core, with sensible values."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.model.instrument import (
    AssetClass,
    FlowSupport,
    Instrument,
    InstrumentRegistry,
    MarketClass,
    Venue,
    VenueSymbol,
)
from core.model.market import Bar, Quote, Timeframe
from core.model.order import IntentLeg, OrderIntent, Refusal
from core.model.position import AccountState, InstrumentRules
from core.model.signal import (
    PriceLevel,
    Setup,
    Side,
    Signal,
    SignalKind,
    SignalState,
)
from core.model.values import Money, Price, Quantity
from tests.support.clock import START

BTC = Instrument(
    symbol="BTCUSD",
    name="Bitcoin",
    asset_class=AssetClass.CRYPTO,
    base="BTC",
    quote="USD",
    price_digits=2,
    tick_size=Decimal("0.01"),
    pip=Decimal(1),
    contract_size=Decimal(1),
    lot_step=Decimal("0.01"),
    lot_min=Decimal("0.01"),
    lot_max=Decimal("0.02"),
    stops_level=Decimal(1),
    risk_percent=Decimal("0.75"),
    flow=FlowSupport.FULL,
    silence_limit_seconds=3.0,
    venue_symbols=(VenueSymbol(venue=Venue.BINANCE, market=MarketClass.SPOT, symbol="btcusdt"),),
    aliases=("BTC",),
)

EURUSD = replace(
    BTC,
    symbol="EURUSD",
    name="Euro",
    asset_class=AssetClass.FX,
    base="EUR",
    price_digits=5,
    tick_size=Decimal("0.00001"),
    pip=Decimal("0.0001"),
    contract_size=Decimal(100_000),
    lot_max=Decimal("0.04"),
    stops_level=Decimal("0.0001"),
    risk_percent=Decimal("1.25"),
    venue_symbols=(),
    aliases=("EUR",),
)

REGISTRY = InstrumentRegistry([BTC, EURUSD])


def rules_of(instrument: Instrument) -> InstrumentRules:
    """Venue rules of a USD-quoted instrument."""
    return InstrumentRules(
        tick_size=instrument.tick_size,
        tick_value=instrument.tick_size * instrument.contract_size,
        volume_min=instrument.lot_min,
        volume_step=instrument.lot_step,
        volume_max=Decimal(50),
        stops_level=instrument.stops_level,
    )


def account_of(equity: str = "10000") -> AccountState:
    """An account without open positions."""
    money = Money.of(equity)
    return AccountState(
        number="1",
        venue="paper",
        currency="USD",
        balance=money,
        equity=money,
        margin=Money.of(0),
        margin_free=money,
        leverage=100,
        real_money=False,
    )


def quote_of(mid: float = 97_000.0, spread: float = 2.0, instrument: str = "BTCUSD") -> Quote:
    """A quote around `mid`."""
    return Quote(
        instrument=instrument,
        bid=mid - spread / 2,
        ask=mid + spread / 2,
        event_ms=None,
        received=0.0,
    )


def level(price: str) -> PriceLevel:
    """A level from the sandbox venue."""
    return PriceLevel(price=Price.of(price), origin=Venue.SANDBOX)


def signal_of(**changes: Any) -> Signal:
    """An open BUY of 0.02 BTC at 97,001 with 100 of risk distance and a 2R target."""
    base = Signal(
        id=1,
        key="k1",
        kind=SignalKind.STRATEGY,
        strategy="range_break",
        instrument="BTCUSD",
        timeframe=Timeframe.M1,
        side=Side.BUY,
        entry=level("97001.00"),
        stop=level("96901.00"),
        targets=(level("97221.00"),),
        quantity=Quantity.of("0.02"),
        risk=Money.of("2.00"),
        risk_asked=Money.of("75.00"),
        confidence=0.7,
        reasons=("because",),
        warnings=(),
        drift_limit=Decimal(25),
        created_at=START,
        created_market_at=START,
        expires_at=START + timedelta(minutes=15),
        state=SignalState.OPEN,
        rev=1,
    )
    return replace(base, **changes)


def setup_of(bar_close: datetime = START, **changes: Any) -> Setup:
    """A BUY setup on BTC M1."""
    base = Setup(
        strategy="range_break",
        instrument="BTCUSD",
        timeframe=Timeframe.M1,
        side=Side.BUY,
        entry=97_001.0,
        stop=96_901.0,
        targets=(97_221.0,),
        confidence=0.7,
        reasons=("because",),
        bar_close=bar_close,
    )
    return replace(base, **changes)


def intent_of(**changes: Any) -> OrderIntent:
    """The entry intent of `signal_of()`."""
    base = OrderIntent(
        id="td1-entry-1",
        leg=IntentLeg.ENTRY,
        signal_id=1,
        position_id=None,
        instrument="BTCUSD",
        side=Side.BUY,
        quantity=Quantity.of("0.02"),
        stop=Price.of("96901.00"),
        target=Price.of("97221.00"),
        reference=Price.of("97000.00"),
        created_at=START,
        created_market_at=START,
    )
    return replace(base, **changes)


class StillMarket:
    """A `LiveMarket` that says what it is told."""

    def __init__(self, quote: Quote | None = None, atr: float | None = 60.0) -> None:
        self.current = quote or quote_of()
        self.absent = False
        self.value = atr
        self.refusal: Refusal | None = None

    def quote(self, symbol: str) -> Quote | None:
        return None if self.absent else replace(self.current, instrument=symbol)

    def atr(self, symbol: str, timeframe: Timeframe) -> float | None:
        return self.value

    def bars(self, symbol: str, timeframe: Timeframe, count: int | None = None) -> tuple[Bar, ...]:
        return ()

    def check_entry(self, instrument: Instrument) -> Refusal | None:
        return self.refusal
