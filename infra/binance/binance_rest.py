"""Binance's REST history: closed bars and past trades, checked row by row, refused as a whole."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

import aiohttp
import msgspec

from core.clock import Clock, from_millis, to_millis
from core.model.instrument import Instrument, MarketClass, Venue, VenueSymbol
from core.model.market import Bar, Timeframe, TradeTick
from infra.binance.addresses import Addresses, in_order
from infra.binance.binance_messages import AggTradeRow, KlineRow
from infra.binance.binance_parse import bar_is_sound
from infra.binance.history_place import (
    HistoryBlockedError,
    HistoryBusyError,
    HistoryPlace,
    HistoryRefusedError,
    HistoryUnavailableError,
    refusal,
    said,
)
from infra.binance.reconnect import retry_after

PAGE_ROWS = 1_000
DEADLINE_SECONDS = 20.0
"""For a whole call, all its pages included."""
BUSY_SECONDS = 30.0
BLOCKED_SECONDS = 300.0

T = TypeVar("T")
Row = TypeVar("Row", KlineRow, AggTradeRow)

_INTERVALS = {
    Timeframe.M1: "1m",
    Timeframe.M5: "5m",
    Timeframe.M15: "15m",
    Timeframe.M30: "30m",
    Timeframe.H1: "1h",
    Timeframe.H4: "4h",
    Timeframe.D1: "1d",
}
_PATHS = {MarketClass.SPOT: "/api/v3", MarketClass.FUTURES: "/fapi/v1"}

_kline_rows = msgspec.json.Decoder(list[KlineRow], strict=False)
_trade_rows = msgspec.json.Decoder(list[AggTradeRow], strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestEndpoints:
    """Base addresses without a path, e.g. https://api.binance.com, https://fapi.binance.com."""

    spot: str
    futures: str
    spot_fallback: str | None = None
    """Serves the same spot history where `spot` is blocked; futures have no such place."""


class BinanceHistory:
    """Satisfies `core.ports.market.MarketHistory` and the bridge's `TradeHistory`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoints: RestEndpoints,
        venue: Venue,
        market: Clock,
        wall: Clock,
    ) -> None:
        self._session = session
        spot = in_order(endpoints.spot, endpoints.spot_fallback)
        self._places = {
            MarketClass.SPOT: HistoryPlace(Addresses(spot)),
            MarketClass.FUTURES: HistoryPlace(Addresses((endpoints.futures,))),
        }
        self._venue = venue
        self._market = market
        self._wall = wall

    async def bars(
        self, instrument: Instrument, timeframe: Timeframe, *, limit: int, end: datetime | None
    ) -> tuple[Bar, ...]:
        """Up to `limit` closed bars that end at or before `end` (None: now), oldest first."""
        return await _in_time(self._pages(instrument, timeframe, limit, end))

    async def _pages(
        self, instrument: Instrument, timeframe: Timeframe, limit: int, end: datetime | None
    ) -> tuple[Bar, ...]:
        place = self._place(instrument)
        newest_end = min(end, self._market.utc_now()) if end else self._market.utc_now()
        last_open = to_millis(newest_end) - timeframe.seconds * 1000
        found: list[Bar] = []
        while len(found) < limit:
            asked = min(PAGE_ROWS, limit - len(found))
            rows = await self._klines(place, timeframe, asked, last_open)
            page = _to_bars(rows, instrument.symbol, timeframe, last_open)
            found[:0] = page
            if len(rows) < asked or not page:
                break
            last_open = rows[0].open_ms - 1
        return tuple(found[-limit:])

    async def trades(
        self, instrument: Instrument, *, first_id: int, last_id: int
    ) -> tuple[TradeTick, ...]:
        """The trades with ids in this closed range (at most one page), by id."""
        place = self._place(instrument)
        query = {
            "symbol": place.symbol.upper(),
            "fromId": str(first_id),
            "limit": str(min(PAGE_ROWS, last_id - first_id + 1)),
        }
        body = await _in_time(self._get(place, "aggTrades", query))
        rows = _decoded(_trade_rows, body)
        received = self._market.monotonic()
        return tuple(
            _to_tick(row, instrument.symbol, received)
            for row in rows
            if first_id <= row.a <= last_id
        )

    def _place(self, instrument: Instrument) -> VenueSymbol:
        place = instrument.symbol_at(self._venue)
        if place is None:
            raise HistoryRefusedError(f"{instrument.symbol} is not listed at {self._venue.value}")
        return place

    async def _klines(
        self, place: VenueSymbol, timeframe: Timeframe, count: int, last_open: int
    ) -> list[KlineRow]:
        query = {
            "symbol": place.symbol.upper(),
            "interval": _INTERVALS[timeframe],
            "limit": str(count),
            "endTime": str(last_open),
        }
        return _decoded(_kline_rows, await self._get(place, "klines", query))

    async def _get(self, symbol: VenueSymbol, what: str, query: Mapping[str, str]) -> bytes:
        place = self._places[symbol.market]
        while True:
            place.check_quiet(self._wall.monotonic())
            base = place.addresses.current
            url = f"{base.rstrip('/')}{_PATHS[symbol.market]}/{what}"
            try:
                return await self._ask(place, url, query)
            except HistoryBlockedError as e:
                if not place.addresses.blocked(base):
                    place.keep_quiet(self._wall.monotonic() + BLOCKED_SECONDS, e)
                    raise

    async def _ask(self, place: HistoryPlace, url: str, query: Mapping[str, str]) -> bytes:
        try:
            async with self._session.get(url, params=query) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError) as e:
            raise HistoryUnavailableError(f"no answer from the venue ({type(e).__name__})") from e
        if answer.status == HTTPStatus.OK:
            return body
        error = refusal(answer.status, body)
        if isinstance(error, HistoryBusyError):
            wait = retry_after(answer.headers) or BUSY_SECONDS
            place.keep_quiet(self._wall.monotonic() + wait, error)
        raise error


async def _in_time(work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await work
    except TimeoutError as e:
        raise HistoryUnavailableError("the venue did not answer in time") from e


def _decoded(decoder: msgspec.json.Decoder[list[Row]], body: bytes) -> list[Row]:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        if words := said(body):
            raise HistoryRefusedError(f"the venue refused ({words})") from e
        raise HistoryUnavailableError(f"unusable answer from the venue ({e})") from e


def _to_bars(
    rows: Sequence[KlineRow], symbol: str, timeframe: Timeframe, last_open: int
) -> list[Bar]:
    """Rows that open at or before `last_open`; the bar still forming opens later."""
    length = timeframe.seconds * 1000
    previous = 0
    bars = []
    for row in rows:
        on_grid = row.open_ms % length == 0 and row.open_ms + length - 1 == row.close_ms
        sound = bar_is_sound(row.low, row.open, row.close, row.high, row.volume, row.buy_volume)
        if not (on_grid and sound and row.open_ms > previous):
            raise HistoryUnavailableError(f"{symbol} {timeframe}: a bar cannot be true: {row}")
        previous = row.open_ms
        if row.open_ms <= last_open:
            bars.append(_to_bar(row, symbol, timeframe))
    return bars


def _to_bar(row: KlineRow, symbol: str, timeframe: Timeframe) -> Bar:
    return Bar(
        instrument=symbol,
        timeframe=timeframe,
        open_time=from_millis(row.open_ms),
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        buy_volume=row.buy_volume,
        trades=row.trades,
        closed=True,
    )


def _to_tick(row: AggTradeRow, symbol: str, received: float) -> TradeTick:
    return TradeTick(
        instrument=symbol,
        trade_id=row.a,
        price=row.p,
        size=row.q,
        buyer_maker=row.m,
        event_ms=row.T,
        received=received,
    )
