"""The REST side: klines, trades, depth, quotes and exchange information."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from aiohttp import web
from aiohttp.typedefs import Handler

from core.clock import Clocks, to_millis
from core.model.instrument import MarketClass
from infra.sandbox.exchange.messages import (
    Json,
    depth_body,
    encode,
    kline_rows,
    touch,
    trade_rows,
)
from infra.sandbox.exchange.pump import bar_rows
from infra.sandbox.exchange.queries import Query, RequestRefusedError
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import WEEK_MS, Listing
from infra.sandbox.market.rows import Trades
from infra.sandbox.market.simulated import LENGTHS_MS
from infra.sandbox.market.source import MarketSource

_WEIGHTS = {"klines": 2, "aggTrades": 4, "depth": 5, "exchangeInfo": 20, "ticker/bookTicker": 2}
_MAX_KLINES = {MarketClass.SPOT: 1000, MarketClass.FUTURES: 1500}
_ROWS_PER_TURN = 250
_PREFIX = {MarketClass.SPOT: "/api/v3/", MarketClass.FUTURES: "/fapi/v1/"}

Answer = Callable[[Query], Awaitable[object]]


class RestApi:
    """Answers of one market class (spot or USD-M futures)."""

    def __init__(
        self, market: MarketSource, clocks: Clocks, market_class: MarketClass, meter: "Meter"
    ) -> None:
        self._market = market
        self._clocks = clocks
        self._class = market_class
        self._meter = meter

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        answers: dict[str, Answer] = {
            "ping": self.ping,
            "time": self.time,
            "exchangeInfo": self.exchange_info,
            "klines": self.klines,
            "aggTrades": self.trades,
            "depth": self.depth,
            "ticker/bookTicker": self.ticker,
        }
        prefix = _PREFIX[self._class]
        return [web.get(prefix + name, self._handler(name, do)) for name, do in answers.items()]

    def _handler(self, name: str, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            status, body = 200, b""
            try:
                body = encode(await answer(Query(self._market, self._class, request.query)))
            except RequestRefusedError as e:
                status, body = 400, encode({"code": e.code, "msg": e.text})
            used = self._meter.spend(_WEIGHTS.get(name, 1))
            headers = {"X-MBX-USED-WEIGHT-1M": str(used)}
            return web.Response(
                status=status, body=body, headers=headers, content_type="application/json"
            )

        return handle

    async def ping(self, query: Query) -> Json:
        """Nothing, quickly."""
        return {}

    async def time(self, query: Query) -> Json:
        """The market's time."""
        return {"serverTime": self._now()}

    async def exchange_info(self, query: Query) -> Json:
        """What is listed, and whether it trades now."""
        asked = [query.listing()] if query.has_symbol() else self._listed()
        return {
            "timezone": "UTC",
            "serverTime": self._now(),
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": 6000,
                }
            ],
            "exchangeFilters": [],
            "symbols": [symbol_facts(item, item.is_open(self._now())) for item in asked],
        }

    async def klines(self, query: Query) -> list[list[int | str]]:
        """Bars, oldest first; the last one may still be forming."""
        listing, now = query.listing(), self._now()
        length = LENGTHS_MS[query.interval()]
        limit = query.limit(500, _MAX_KLINES[self._class])
        start, end = query.whole("startTime"), query.whole("endTime")
        last = now - 1 if end is None else min(end, now - 1)
        opens = self._opens(listing, length, limit, start, last)
        if len(opens) == 0:
            return []
        first, beyond = int(opens[0]), int(opens[-1]) + length
        rows = await bar_rows(self._market, listing.symbol, length, first, beyond, now)
        texts: list[list[int | str]] = []
        for low in range(0, len(rows), _ROWS_PER_TURN):
            texts += kline_rows(listing, length, rows[low : low + _ROWS_PER_TURN])
            await asyncio.sleep(0)
        return texts

    def _opens(
        self, listing: Listing, length: int, limit: int, start: int | None, last: int
    ) -> Ints:
        """Opens of the first `limit` bars from `start` on, else of the last `limit`."""
        if start is not None:
            return self._market.bar_opens(listing.symbol, length, start, last)[:limit]
        span = limit * length * (1 if listing.weekends else 2) + WEEK_MS
        return self._market.bar_opens(listing.symbol, length, last - span, last)[-limit:]

    async def trades(self, query: Query) -> list[Json]:
        """Aggregated trades, oldest first: from an id, from a time, or the latest."""
        listing, now = query.listing(), self._now()
        limit = query.limit(500, 1000)
        start, end = query.whole("startTime"), query.whole("endTime")
        from_id = query.whole("fromId")
        if not listing.has_flow:
            return []
        return trade_rows(listing, self._find_trades(listing, from_id, start, end, limit, now))

    def _find_trades(
        self,
        listing: Listing,
        from_id: int | None,
        start: int | None,
        end: int | None,
        limit: int,
        now: int,
    ) -> Trades:
        symbol = listing.symbol
        before = now if end is None else min(end + 1, now)
        if from_id is not None:
            return self._market.trades_from_id(symbol, from_id, limit, now)
        if start is not None:
            first = self._market.first_trade_at(symbol, min(start, now))
            return self._market.trades_from_id(symbol, first, limit, before)
        first = self._market.first_trade_at(symbol, before) - limit
        return self._market.trades_from_id(symbol, first, limit, before)

    async def depth(self, query: Query) -> Json:
        """The book, up to 20 levels a side; empty where there is none."""
        listing, now = query.listing(), self._now()
        limit = query.limit(100, 5000)
        depth = self._market.depth(listing.symbol, now) if listing.has_flow else None
        if depth is None:
            return {"lastUpdateId": now // 100, "bids": [], "asks": []}
        return depth_body(listing, depth, limit, now)

    async def ticker(self, query: Query) -> Json | list[Json]:
        """Best bid and ask of one symbol or of all."""
        if query.has_symbol():
            return self._best(query.listing())
        return [self._best(listing) for listing in self._listed()]

    def _best(self, listing: Listing) -> Json:
        now = self._now()
        depth = self._market.depth(listing.symbol, now) if listing.has_flow else None
        quote = self._market.quote(listing.symbol, now)
        if depth is not None:
            quote = int(depth.bids[0, 0]), int(depth.asks[0, 0])
        names = ("bidPrice", "bidQty", "askPrice", "askQty")
        best: Json = {"symbol": listing.name}
        best |= dict(zip(names, touch(listing, quote, depth), strict=True))
        if self._class is MarketClass.FUTURES:
            best["time"] = now
        return best

    def _listed(self) -> list[Listing]:
        items = [self._market.listing(symbol) for symbol in self._market.symbols()]
        return [item for item in items if item.market is self._class]

    def _now(self) -> int:
        return to_millis(self._clocks.market.utc_now())


class Meter:
    """Request weight used in the current wall minute."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._minute = -1
        self._used = 0

    def spend(self, weight: int) -> int:
        """Add a request's weight; the minute's total."""
        minute = int(self._clocks.wall.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += weight
        return self._used


def symbol_facts(listing: Listing, is_open: bool) -> Json:
    """One symbol of exchangeInfo."""
    tick = np.format_float_positional(10.0**-listing.price_digits, trim="-")
    step = np.format_float_positional(10.0**-listing.size_digits, trim="-")
    facts: Json = {
        "symbol": listing.name,
        "status": "TRADING" if is_open else "BREAK",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "10000000",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000", "stepSize": step},
        ],
    }
    if listing.market is MarketClass.FUTURES:
        facts |= {
            "pair": listing.name,
            "contractType": "PERPETUAL",
            "marginAsset": listing.quote,
            "pricePrecision": listing.price_digits,
            "quantityPrecision": listing.size_digits,
        }
    return facts
