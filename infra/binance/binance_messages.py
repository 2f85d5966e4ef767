"""Binance's frames and REST rows as typed structs; ranges are enforced while decoding.

Numbers come as strings and are decoded to floats in one pass. NaN, infinity, zero and negative
numbers break a range and therefore the decode.
"""

from typing import Annotated

from msgspec import Meta, Struct

Price = Annotated[float, Meta(gt=0, lt=1e9)]
Size = Annotated[float, Meta(gt=0, lt=1e12)]
Volume = Annotated[float, Meta(ge=0, lt=1e15)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=1_000_000_000_000, lt=10_000_000_000_000)]
"""Milliseconds between 2001 and 2286: seconds and microseconds fall outside."""
Levels = tuple[tuple[Price, Size], ...]


class AggTrade(Struct, gc=False, frozen=True):
    """`aggTrade`: trades of one taker order at one price. `m` True: the aggressor sold."""

    s: str
    a: Count
    p: Price
    q: Size
    T: Millis
    m: bool


class BookTicker(Struct, gc=False, frozen=True):
    """`bookTicker`: best bid and ask. Spot sends no time; futures send `T`."""

    s: str
    u: Count
    b: Price
    a: Price
    T: Millis | None = None


class Depth(Struct, gc=False, frozen=True):
    """`depth20`: spot sends the first three fields, futures the last four (with a symbol)."""

    lastUpdateId: Count | None = None  # noqa: N815 - the venue's name
    bids: Levels | None = None
    asks: Levels | None = None
    s: str | None = None
    u: Count | None = None
    b: Levels | None = None
    a: Levels | None = None


class Kline(Struct, gc=False, frozen=True):
    """The bar inside a `kline` frame. `x`: closed; `V`: volume bought by takers."""

    t: Millis
    T: Millis
    s: str
    i: str
    o: Price
    h: Price
    l: Price  # noqa: E741 - the venue's name
    c: Price
    v: Volume
    V: Volume
    n: Count
    x: bool


class KlineEvent(Struct, gc=False, frozen=True):
    """`kline`: the current or just closed bar, at event time `E`."""

    E: Millis
    s: str
    k: Kline


class AggTradeFrame(Struct, gc=False, frozen=True):
    """Combined-stream wrapper."""

    data: AggTrade


class BookTickerFrame(Struct, gc=False, frozen=True):
    """Combined-stream wrapper."""

    data: BookTicker


class DepthFrame(Struct, gc=False, frozen=True):
    """Combined-stream wrapper."""

    data: Depth


class KlineFrame(Struct, gc=False, frozen=True):
    """Combined-stream wrapper."""

    data: KlineEvent


class AnyFrame(Struct, frozen=True):
    """Whatever else a socket may say: replies, errors, shutdown notices, odd spacing."""

    stream: str | None = None
    e: str | None = None
    id: int | str | None = None
    code: int | None = None
    msg: str | None = None
    error: "Fault | None" = None


class Fault(Struct, frozen=True):
    """The error format, when wrapped in a reply."""

    code: int | None = None
    msg: str | None = None


class KlineRow(Struct, array_like=True, gc=False, frozen=True):
    """One REST `klines` row; the three fields after these are not used."""

    open_ms: Millis
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Volume
    close_ms: Millis
    quote_volume: Volume
    trades: Count
    buy_volume: Volume


class AggTradeRow(Struct, gc=False, frozen=True):
    """One REST `aggTrades` row."""

    a: Count
    p: Price
    q: Size
    T: Millis
    m: bool
