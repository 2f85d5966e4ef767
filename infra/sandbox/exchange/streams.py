"""Stream names and addresses, routed by class as Binance does it."""

from dataclasses import dataclass
from enum import StrEnum

from core.model.instrument import MarketClass
from infra.sandbox.market.listing import Listing
from infra.sandbox.market.simulated import LENGTHS_MS
from infra.sandbox.market.source import MarketSource


class Endpoint(StrEnum):
    """Where a WebSocket connects; the value is the prefix of its path."""

    SPOT = ""
    FUTURES_MARKET = "/market"
    FUTURES_PUBLIC = "/public"


class StreamKind(StrEnum):
    """What a stream carries."""

    TRADES = "aggTrade"
    DEPTH = "depth20@100ms"
    TICKER = "bookTicker"
    BARS = "kline"


_FUTURES_ENDPOINT = {
    StreamKind.TRADES: Endpoint.FUTURES_MARKET,
    StreamKind.BARS: Endpoint.FUTURES_MARKET,
    StreamKind.DEPTH: Endpoint.FUTURES_PUBLIC,
    StreamKind.TICKER: Endpoint.FUTURES_PUBLIC,
}
_NEEDS_FLOW = {StreamKind.TRADES, StreamKind.DEPTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream that exists."""

    name: str
    symbol: str
    kind: StreamKind
    interval: str = ""
    """Of BARS only, e.g. '1m'."""

    @property
    def length_ms(self) -> int:
        """Bar length of BARS."""
        return LENGTHS_MS[self.interval]


def find_stream(market: MarketSource, endpoint: Endpoint, name: str) -> Stream | None:
    """The stream called `name` at `endpoint`; None where the real venue would stay silent."""
    symbol, _, rest = name.partition("@")
    if symbol not in market.symbols():
        return None
    listing = market.listing(symbol)
    found = _parse(name, symbol, rest)
    if found is None or _endpoint(listing, found.kind) is not endpoint:
        return None
    if found.kind in _NEEDS_FLOW and not listing.has_flow:
        return None
    return found


def _parse(name: str, symbol: str, rest: str) -> Stream | None:
    if rest.startswith("kline_"):
        interval = rest.removeprefix("kline_")
        if interval not in LENGTHS_MS:
            return None
        return Stream(name=name, symbol=symbol, kind=StreamKind.BARS, interval=interval)
    for kind in (StreamKind.TRADES, StreamKind.DEPTH, StreamKind.TICKER):
        if rest == kind:
            return Stream(name=name, symbol=symbol, kind=kind)
    return None


def _endpoint(listing: Listing, kind: StreamKind) -> Endpoint:
    return Endpoint.SPOT if listing.market is MarketClass.SPOT else _FUTURES_ENDPOINT[kind]
