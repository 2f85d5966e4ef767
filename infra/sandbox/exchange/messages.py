"""Binance's payloads: numbers as texts with the venue's digits, times in milliseconds."""

from typing import Any

import msgspec
import numpy as np

from core.model.instrument import MarketClass
from infra.sandbox.market.book import Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import Listing
from infra.sandbox.market.rows import (
    BUY_TURNOVER,
    BUY_VOLUME,
    CLOSE,
    FIRST_ID,
    HIGH,
    LOW,
    OPEN,
    OPEN_MS,
    TRADES,
    TURNOVER,
    VOLUME,
    Trades,
)

Json = dict[str, Any]
_NOMINAL_SIZE = 1_000_000
"""Shown at the touch of symbols that have no book."""
_encoder = msgspec.json.Encoder()
encode = _encoder.encode


def wrap(stream: str, payload: bytes) -> bytes:
    """A combined-stream frame around a raw one."""
    return b'{"stream":"%b","data":%b}' % (stream.encode(), payload)


def trade_rows(listing: Listing, trades: Trades) -> list[Json]:
    """Aggregated trades as REST gives them."""
    spot = listing.market is MarketClass.SPOT
    columns = zip(
        range(trades.first_id, trades.first_id + len(trades)),
        trades.times.tolist(),
        trades.prices.tolist(),
        trades.sizes.tolist(),
        trades.buyer_maker.tolist(),
        trades.ids_within().tolist(),
        strict=True,
    )
    rows: list[Json] = []
    for number, time, price, size, buyer_maker, (first, last) in columns:
        row: Json = {
            "a": number,
            "p": listing.price_text(price),
            "q": listing.size_text(size),
            "f": first,
            "l": last,
            "T": time,
            "m": buyer_maker,
        }
        if spot:
            row["M"] = True
        rows.append(row)
    return rows


def trade_events(listing: Listing, trades: Trades) -> list[bytes]:
    """One aggTrade event per trade; the event time is the trade's."""
    head = {"e": "aggTrade", "E": 0, "s": listing.name}
    return [encode({**head, "E": row["T"], **row}) for row in trade_rows(listing, trades)]


def depth_event(listing: Listing, depth: Depth, now_ms: int) -> bytes:
    """A depth20 frame: without symbol and time on spot, as an event on futures."""
    bids, asks = _levels(listing, depth.bids), _levels(listing, depth.asks)
    if listing.market is MarketClass.SPOT:
        return encode({"lastUpdateId": depth.update_id, "bids": bids, "asks": asks})
    event = {"e": "depthUpdate", "E": now_ms, "T": now_ms, "s": listing.name}
    last = {"U": depth.update_id, "u": depth.update_id, "pu": depth.update_id - 1}
    return encode({**event, **last, "b": bids, "a": asks})


def depth_body(listing: Listing, depth: Depth, limit: int, now_ms: int) -> Json:
    """The answer of REST depth."""
    body: Json = {"lastUpdateId": depth.update_id}
    if listing.market is MarketClass.FUTURES:
        body |= {"E": now_ms, "T": now_ms}
    body["bids"] = _levels(listing, depth.bids[:limit])
    body["asks"] = _levels(listing, depth.asks[:limit])
    return body


def _levels(listing: Listing, side: Ints) -> list[tuple[str, str]]:
    return [(listing.price_text(price), listing.size_text(size)) for price, size in side.tolist()]


def touch(listing: Listing, quote: tuple[int, int], depth: Depth | None) -> tuple[str, ...]:
    """Best bid, its size, best ask, its size, as texts."""
    sizes = [_NOMINAL_SIZE * listing.steps_per_unit] * 2
    if depth is not None:
        sizes = [int(depth.bids[0, 1]), int(depth.asks[0, 1])]
    bid, ask = quote
    return (
        listing.price_text(bid),
        listing.size_text(sizes[0]),
        listing.price_text(ask),
        listing.size_text(sizes[1]),
    )


def ticker_event(listing: Listing, best: tuple[str, ...], update_id: int, now_ms: int) -> bytes:
    """A bookTicker frame (spot has neither event name nor time)."""
    body: Json = {"u": update_id, "s": listing.name}
    body |= dict(zip("bBaA", best, strict=True))
    if listing.market is MarketClass.FUTURES:
        body = {"e": "bookTicker", **body, "T": now_ms, "E": now_ms}
    return encode(body)


def kline_event(
    listing: Listing, interval: str, length_ms: int, row: Ints, now_ms: int, *, closed: bool
) -> bytes:
    """A kline frame of one bar; ids are -1 while it has no trade."""
    values = row.tolist()
    traded = values[TRADES] > 0
    bar = {
        "t": values[OPEN_MS],
        "T": values[OPEN_MS] + length_ms - 1,
        "s": listing.name,
        "i": interval,
        "f": values[FIRST_ID] if traded else -1,
        "L": values[FIRST_ID] + values[TRADES] - 1 if traded else -1,
        "o": listing.price_text(values[OPEN]),
        "c": listing.price_text(values[CLOSE]),
        "h": listing.price_text(values[HIGH]),
        "l": listing.price_text(values[LOW]),
        "v": listing.size_text(values[VOLUME]),
        "n": values[TRADES],
        "x": closed,
        "q": listing.turnover_text(values[TURNOVER]),
        "V": listing.size_text(values[BUY_VOLUME]),
        "Q": listing.turnover_text(values[BUY_TURNOVER]),
        "B": "0",
    }
    return encode({"e": "kline", "E": now_ms, "s": listing.name, "k": bar})


def kline_rows(listing: Listing, length_ms: int, rows: Ints) -> list[list[int | str]]:
    """Bars as REST klines gives them (12 fields each)."""
    return [
        [
            row[OPEN_MS],
            *(listing.price_text(row[column]) for column in (OPEN, HIGH, LOW, CLOSE)),
            listing.size_text(row[VOLUME]),
            row[OPEN_MS] + length_ms - 1,
            listing.turnover_text(row[TURNOVER]),
            row[TRADES],
            listing.size_text(row[BUY_VOLUME]),
            listing.turnover_text(row[BUY_TURNOVER]),
            "0",
        ]
        for row in np.asarray(rows).tolist()
    ]
