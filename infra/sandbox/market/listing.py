"""What the sandbox venue lists: facts of each symbol, its trading week and its number formats."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from core.model.instrument import AssetClass, MarketClass
from infra.sandbox.market.draws import Ints

EPOCH = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
"""Where every story begins: a Tuesday, London and New York both open; anchor prices hold here."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS
"""The first Monday after 1970-01-01, a Thursday."""
_CLOSE_MS = 4 * DAY_MS + 22 * HOUR_MS
_REOPEN_MS = 6 * DAY_MS + 22 * HOUR_MS
SPOT_DECIMALS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One symbol. Prices are whole ticks and sizes whole steps everywhere inside the simulation."""

    symbol: str
    base: str
    quote: str
    market: MarketClass
    asset_class: AssetClass
    anchor: float
    """Price at EPOCH."""
    annual_volatility: float
    price_digits: int
    """One tick is 10^-price_digits."""
    size_digits: int
    trades_per_second: float
    """Mean rate of trades; of quote ticks where there is no order flow."""
    spread: float
    """Usual spread in price units."""
    size: float = 1.0
    """Median trade in base units."""
    whale_from: float = 0.0
    """Smallest whale print in base units."""
    level_gap: int = 1
    """Mean distance of book levels in ticks."""
    level_size: float = 1.0
    """Median size of a book level in base units."""
    has_flow: bool = True
    """Whether trades and a book exist (fx has neither in the real world)."""
    weekends: bool = True
    """Whether it trades from Friday 22:00 to Sunday 22:00 UTC."""
    legs: tuple[str, ...] = ()
    """Symbols whose prices multiply to this one's; empty: it has a path of its own."""

    @property
    def name(self) -> str:
        """The symbol as messages and REST spell it."""
        return self.symbol.upper()

    @property
    def ticks_per_unit(self) -> int:
        """Ticks in one unit of price."""
        return int(10**self.price_digits)

    @property
    def steps_per_unit(self) -> int:
        """Size steps in one base unit."""
        return int(10**self.size_digits)

    def price_text(self, ticks: int) -> str:
        """A price as the venue prints it."""
        return fixed(ticks, self.price_digits, self._shown(self.price_digits))

    def size_text(self, steps: int) -> str:
        """A size as the venue prints it."""
        return fixed(steps, self.size_digits, self._shown(self.size_digits))

    def turnover_text(self, units: int) -> str:
        """A sum of price x size as the venue prints it."""
        digits = self.price_digits + self.size_digits
        return fixed(units, digits, self._shown(digits))

    def is_open(self, moment_ms: int) -> bool:
        """Whether it trades at `moment_ms`."""
        return bool(self.open_mask(np.array([moment_ms]), 1)[0])

    def open_mask(self, opens_ms: Ints, length_ms: int) -> NDArray[np.bool_]:
        """Which of the spans [open, open + length) hold some trading time."""
        if self.weekends:
            return np.ones(len(opens_ms), dtype=np.bool_)
        start = (opens_ms - _MONDAY_MS) % WEEK_MS
        shut = (start >= _CLOSE_MS) & (start + length_ms <= _REOPEN_MS)
        return np.asarray(~shut)

    def _shown(self, digits: int) -> int:
        return SPOT_DECIMALS if self.market is MarketClass.SPOT else digits


def fixed(units: int, digits: int, shown: int) -> str:
    """`units` of 10^-digits as an exact decimal text with `shown` decimals."""
    whole, part = divmod(units, 10**digits)
    if shown == 0:
        return str(whole)
    fraction = f"{part:0{digits}d}" if digits else ""
    return f"{whole}.{fraction.ljust(shown, '0')}"


def _fx(symbol: str, anchor: float, digits: int, spread: float, *legs: str) -> Listing:
    """A pair without order flow: its trades are quote ticks of size 1, priced at the bid."""
    return Listing(
        symbol=symbol,
        base=symbol[:3].upper(),
        quote=symbol[3:].upper(),
        market=MarketClass.SPOT,
        asset_class=AssetClass.FX,
        anchor=anchor,
        annual_volatility=0.08 * math.sqrt(max(len(legs), 1)),
        price_digits=digits,
        size_digits=1,
        trades_per_second=1.5,
        spread=spread,
        has_flow=False,
        weekends=False,
        legs=legs,
    )


_POUND, _EURO, _YEN = 1.2720, 1.0850, 148.50

LISTINGS: tuple[Listing, ...] = (
    Listing(
        symbol="btcusdt",
        base="BTC",
        quote="USDT",
        market=MarketClass.SPOT,
        asset_class=AssetClass.CRYPTO,
        anchor=97_250.0,
        annual_volatility=0.50,
        price_digits=2,
        size_digits=5,
        trades_per_second=5.0,
        spread=0.80,
        size=0.012,
        whale_from=5.6,
        level_gap=70,
        level_size=0.35,
    ),
    Listing(
        symbol="xauusdt",
        base="XAU",
        quote="USDT",
        market=MarketClass.FUTURES,
        asset_class=AssetClass.METAL,
        anchor=4_310.0,
        annual_volatility=0.18,
        price_digits=2,
        size_digits=3,
        trades_per_second=2.0,
        spread=0.12,
        size=0.25,
        whale_from=60.0,
        level_gap=5,
        level_size=4.0,
    ),
    Listing(
        symbol="eurusdt",
        base="EUR",
        quote="USDT",
        market=MarketClass.SPOT,
        asset_class=AssetClass.FX,
        anchor=_EURO,
        annual_volatility=0.08,
        price_digits=4,
        size_digits=1,
        trades_per_second=0.3,
        spread=0.0001,
        size=180.0,
        whale_from=45_000.0,
        level_size=9_000.0,
    ),
    _fx("gbpusd", _POUND, 5, 0.00012),
    _fx("usdjpy", _YEN, 3, 0.012),
    _fx("gbpjpy", _POUND * _YEN, 3, 0.024, "gbpusd", "usdjpy"),
    _fx("eurjpy", _EURO * _YEN, 3, 0.017, "eurusdt", "usdjpy"),
)

_SESSIONS = {
    AssetClass.CRYPTO: (0.75, 1.0, 1.7, 1.1, 0.7, 0.5),
    AssetClass.METAL: (0.6, 1.05, 2.0, 0.9, 0.35, 0.12),
    AssetClass.FX: (0.55, 1.25, 2.0, 0.8, 0.3, 0.1),
}
"""Share of variance: Asian, London, overlap, New York, late, and a factor for the weekend."""


def weekly_variance(listing: Listing) -> NDArray[np.float64]:
    """Variance of log price for each hour of the week (Monday 00:00 UTC first), before regimes."""
    asian, london, overlap, york, late, weekend = _SESSIONS[listing.asset_class]
    day = np.repeat([asian, london, overlap, york, late], [7, 6, 4, 4, 3])
    week = np.tile(day, 7)
    shut = slice(_CLOSE_MS // HOUR_MS, _REOPEN_MS // HOUR_MS)
    week[shut] *= weekend if listing.weekends else 0.0
    weeks_per_year = 365.25 / 7
    return np.asarray(week / week.sum() * listing.annual_volatility**2 / weeks_per_year)


def hour_of_week(hours: Ints) -> Ints:
    """Position in the week (0 = Monday 00:00 UTC) of hours counted from 1970."""
    return np.asarray((hours - _MONDAY_MS // HOUR_MS) % 168)


def log_anchor(listing: Listing) -> float:
    """Log of the price at EPOCH, in ticks."""
    return math.log(listing.anchor * listing.ticks_per_unit)
