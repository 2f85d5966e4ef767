"""Which streams to open for which instruments, and over which addresses; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.model.instrument import FlowSupport, Instrument, MarketClass, Venue
from infra.binance.addresses import in_order
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
    spot_ws_fallback: str | None = None
    """Serves the same spot streams where `spot_ws` is blocked; futures have no such place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """One connection: its addresses in order of preference and the streams it carries."""

    urls: tuple[str, ...]
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
    by_bases: dict[tuple[str, ...], list[Route]] = {}
    for route in routes:
        by_bases.setdefault(_bases(route, endpoints), []).append(route)
    shards = tuple(
        _shard(bases, group[start : start + per_connection])
        for bases, group in by_bases.items()
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


def _bases(route: Route, endpoints: StreamEndpoints) -> tuple[str, ...]:
    if route.market is MarketClass.SPOT:
        return in_order(endpoints.spot_ws, endpoints.spot_ws_fallback)
    if route.kind in (StreamKind.TRADES, StreamKind.BARS):
        return (endpoints.futures_market_ws,)
    return (endpoints.futures_public_ws,)


def _shard(bases: Sequence[str], routes: Sequence[Route]) -> ShardPlan:
    names = "/".join(route.stream for route in routes)
    urls = tuple(f"{base.rstrip('/')}/stream?streams={names}" for base in bases)
    return ShardPlan(urls=urls, routes=tuple(routes))
