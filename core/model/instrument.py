"""What can be traded: facts of an instrument, its venue symbols, and the only rounding there is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from difflib import get_close_matches
from enum import StrEnum

from core.errors import InvalidValueError, UnknownInstrumentError
from core.model.values import Price, Quantity


class AssetClass(StrEnum):
    """What kind of thing an instrument is."""

    CRYPTO = "crypto"
    METAL = "metal"
    FX = "fx"


class Venue(StrEnum):
    """Where a price comes from or an order goes to."""

    BINANCE = "binance"
    SANDBOX = "sandbox"
    MT5 = "mt5"
    PAPER = "paper"


class MarketClass(StrEnum):
    """Which of a venue's markets lists a symbol; each has its own stream address."""

    SPOT = "spot"
    FUTURES = "futures"


class FlowSupport(StrEnum):
    """How far order flow can be read: fully, through a proxy symbol, or not at all."""

    FULL = "full"
    PROXY = "proxy"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSymbol:
    """An instrument's name at one venue."""

    venue: Venue
    market: MarketClass
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Facts of one instrument. Sizes are in lots of `contract_size` units of the base currency."""

    symbol: str
    name: str
    asset_class: AssetClass
    base: str
    quote: str
    price_digits: int
    tick_size: Decimal
    pip: Decimal
    contract_size: Decimal
    lot_step: Decimal
    lot_min: Decimal
    lot_max: Decimal
    stops_level: Decimal
    risk_percent: Decimal
    flow: FlowSupport
    silence_limit_seconds: float
    venue_symbols: tuple[VenueSymbol, ...]
    aliases: tuple[str, ...] = ()

    def price(self, raw: float | Decimal) -> Price:
        """The price on this instrument's grid nearest to `raw`; refuses what is not positive."""
        number = raw if isinstance(raw, Decimal) else Decimal(repr(float(raw)))
        if not number.is_finite():
            raise InvalidValueError(f"{self.symbol}: a price must be finite, was {raw!r}")
        ticks = (number / self.tick_size).to_integral_value(rounding=ROUND_HALF_EVEN)
        return Price.of((ticks * self.tick_size).quantize(Decimal(1).scaleb(-self.price_digits)))

    def quantity(self, raw: Decimal) -> Quantity:
        """The largest size on the lot grid that is not above `raw` (never rounded up)."""
        if not raw.is_finite() or raw < 0:
            raise InvalidValueError(f"{self.symbol}: a size must be >= 0, was {raw!r}")
        steps = (raw / self.lot_step).to_integral_value(rounding=ROUND_DOWN)
        return Quantity.of(steps * self.lot_step)

    def on_grid(self, price: Price) -> bool:
        """Whether `price` is a whole number of ticks."""
        return price.value % self.tick_size == 0

    def symbol_at(self, venue: Venue) -> VenueSymbol | None:
        """This instrument's name at `venue`, or None when it is not listed there."""
        return next((s for s in self.venue_symbols if s.venue is venue), None)


class InstrumentRegistry:
    """All instruments; lookup both ways, never string surgery."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_symbol = {i.symbol: i for i in instruments}
        self._by_name: dict[str, Instrument] = {}
        self._by_venue: dict[tuple[Venue, MarketClass, str], Instrument] = {}
        for instrument in self._by_symbol.values():
            for name in (instrument.symbol, *instrument.aliases):
                self._by_name[name.upper()] = instrument
            for known in instrument.venue_symbols:
                self._by_venue[known.venue, known.market, known.symbol.lower()] = instrument

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_symbol.values())

    def __len__(self) -> int:
        return len(self._by_symbol)

    def get(self, symbol: str) -> Instrument:
        """The instrument with exactly this symbol; raises UnknownInstrumentError."""
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise UnknownInstrumentError(symbol, self.nearest(symbol)) from None

    def find(self, text: str) -> Instrument:
        """The instrument a person means ('btc', 'gold'); raises UnknownInstrumentError."""
        key = text.upper().replace("/", "").replace("-", "").strip()
        found = self._by_name.get(key)
        if found is None:
            raise UnknownInstrumentError(text, self.nearest(key))
        return found

    def at_venue(self, venue: Venue, market: MarketClass, symbol: str) -> Instrument | None:
        """The instrument a venue calls `symbol`, or None."""
        return self._by_venue.get((venue, market, symbol.lower()))

    def nearest(self, text: str) -> tuple[str, ...]:
        """Up to three known symbols that look like `text`."""
        names = get_close_matches(text.upper()[:40], list(self._by_name), n=3, cutoff=0.5)
        return tuple(dict.fromkeys(self._by_name[name].symbol for name in names))
