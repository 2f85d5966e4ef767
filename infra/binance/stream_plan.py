"""Which streams to open for which instruments, and over which addresses; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.model.instrument import FlowSupport, Instrument, MarketClass, Venue
from infra.binance.binance_parse import Route, StreamKind

STREAMS_PER_CONNECTION = 180
"""Far below the venue's 1,024, so that one lost connection takes little with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEndpoints:
    """Base addresses; `/stream?streams=...` is appended. Futures route by class of stream."""

    spot_ws: str
    """e.g. wss://stream.binance.com:9443"""
    futures_market_ws: str
    """e.g. wss://fstream.binance.com/market (aggTrade, kline)"""
    futures_public_ws: str
    """e.g. wss://fstream.binance.com/public (depth, bookTicker)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """One connection: its address and the streams it carries."""

    url: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """All connections, and all routes in the order of their numbers."""

    shards: tuple[ShardPlan, ...]
    routes: tuple[Route, ...]


def plan_streams(
    instruments: Sequence[Instrument],
    venue: Venue,
    endpoints: StreamEndpoints,
    per_connection: int = STREAMS_PER_CONNECTION,
) -> StreamPlan:
    """The connections that carry every stream of `instruments` listed at `venue`."""
    routes = tuple(_routes(instruments, venue))
    by_base: dict[str, list[Route]] = {}
    for route in routes:
        by_base.setdefault(_base(route, endpoints), []).append(route)
    shards = tuple(
        _shard(base, group[start : start + per_connection])
        for base, group in by_base.items()
        for start in range(0, len(group), per_connection)
    )
    return StreamPlan(shards=shards, routes=routes)


def _routes(instruments: Sequence[Instrument], venue: Venue) -> Iterator[Route]:
    number = 0
    for instrument in instruments:
        place = instrument.symbol_at(venue)
        if place is None:
            continue
        for kind in _kinds(instrument.flow):
            yield Route(
                number=number,
                kind=kind,
                market=place.market,
                instrument=instrument.symbol,
                venue_symbol=place.symbol.upper(),
            )
            number += 1


def _kinds(flow: FlowSupport) -> tuple[StreamKind, ...]:
    if flow is FlowSupport.NONE:
        return (StreamKind.TICKER, StreamKind.BARS)
    return (StreamKind.TRADES, StreamKind.DEPTH, StreamKind.BARS)


def _base(route: Route, endpoints: StreamEndpoints) -> str:
    if route.market is MarketClass.SPOT:
        return endpoints.spot_ws
    if route.kind in (StreamKind.TRADES, StreamKind.BARS):
        return endpoints.futures_market_ws
    return endpoints.futures_public_ws


def _shard(base: str, routes: Sequence[Route]) -> ShardPlan:
    names = "/".join(route.stream for route in routes)
    return ShardPlan(url=f"{base.rstrip('/')}/stream?streams={names}", routes=tuple(routes))
