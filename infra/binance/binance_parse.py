"""Bytes from a Binance socket to typed market data; pure, and no input makes it raise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import msgspec

from core.clock import from_millis
from core.model.instrument import MarketClass
from core.model.market import Bar, Book, BookLevels, Quote, Timeframe, TradeTick
from infra.binance.binance_messages import (
    AggTradeFrame,
    AnyFrame,
    BookTickerFrame,
    DepthFrame,
    KlineFrame,
)

_PREFIX = b'{"stream":"'
_MINUTE_MS = 60_000
_CLOCK_SLACK_MS = 1_000
_VOLUME_SLACK = 1.000001


class StreamKind(StrEnum):
    """The streams the desk listens to; the value is what follows `<symbol>@`."""

    TRADES = "aggTrade"
    DEPTH = "depth20@100ms"
    BARS = "kline_1m"
    TICKER = "bookTicker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What one stream name means. `number` is its place in the plan's list of streams."""

    number: int
    kind: StreamKind
    market: MarketClass
    instrument: str
    venue_symbol: str
    """Upper case, as frames carry it."""

    @property
    def stream(self) -> str:
        """The venue's name of the stream."""
        return f"{self.venue_symbol.lower()}@{self.kind}"


class ControlKind(StrEnum):
    """Frames that are not market data."""

    SHUTDOWN = "shutdown"
    REPLY = "reply"
    ERROR = "error"


class RejectReason(StrEnum):
    """Why a frame was refused."""

    MALFORMED = "malformed"
    WRONG_SHAPE = "wrong_shape"
    UNKNOWN_STREAM = "unknown_stream"
    WRONG_SYMBOL = "wrong_symbol"
    CROSSED = "crossed"
    EMPTY_BOOK = "empty_book"
    DISORDERED_BOOK = "disordered_book"
    BAD_BAR = "bad_bar"
    EARLY_CLOSE = "early_close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A frame about the connection itself."""

    kind: ControlKind
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A frame that is not believed. `instrument` is None where nobody can tell."""

    reason: RejectReason
    instrument: str | None
    detail: str = ""


Frame = TradeTick | Quote | Book | Bar | Control | Rejected
Routes = Mapping[bytes, Route]

_trade_frames = msgspec.json.Decoder(AggTradeFrame, strict=False)
_ticker_frames = msgspec.json.Decoder(BookTickerFrame, strict=False)
_depth_frames = msgspec.json.Decoder(DepthFrame, strict=False)
_bar_frames = msgspec.json.Decoder(KlineFrame, strict=False)
_any_frames = msgspec.json.Decoder(AnyFrame)


def parse_frame(raw: bytes, *, routes: Routes, received: float) -> Frame:
    """One frame of a combined stream; `received` is market-clock monotonic seconds."""
    route = route_of(raw, routes)
    if route is None:
        return parse_other(raw, routes=routes, received=received)
    return parse_routed(raw, route, received)


def route_of(raw: bytes, routes: Routes) -> Route | None:
    """The route whose stream name stands at the usual place, or None."""
    if not raw.startswith(_PREFIX):
        return None
    return routes.get(raw[11 : raw.find(b'"', 11)])


def parse_routed(raw: bytes, route: Route, received: float) -> Frame:
    """Decode a frame whose stream is known."""
    try:
        return _PARSERS[route.kind](raw, route, received)
    except msgspec.ValidationError as e:
        return Rejected(reason=RejectReason.WRONG_SHAPE, instrument=route.instrument, detail=str(e))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        return Rejected(reason=RejectReason.MALFORMED, instrument=route.instrument, detail=str(e))


def parse_other(raw: bytes, *, routes: Routes, received: float) -> Frame:
    """Decode what `route_of` did not know: control frames, unusual spacing, unknown streams."""
    try:
        frame = _any_frames.decode(raw)
    except msgspec.ValidationError as e:
        return Rejected(reason=RejectReason.WRONG_SHAPE, instrument=None, detail=str(e))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        return Rejected(reason=RejectReason.MALFORMED, instrument=None, detail=str(e))
    name = frame.stream or ""
    route = routes.get(name.encode(errors="replace"))
    if route is not None:
        return parse_routed(raw, route, received)
    return _control(frame) or Rejected(
        reason=RejectReason.UNKNOWN_STREAM, instrument=None, detail=name[:80]
    )


def quote_of(book: Book) -> Quote:
    """The best bid and ask of a book."""
    return Quote(
        instrument=book.instrument,
        bid=book.bids[0][0],
        ask=book.asks[0][0],
        event_ms=None,
        received=book.received,
    )


def bar_is_sound(
    low: float, open_: float, close: float, high: float, volume: float, buy_volume: float
) -> bool:
    """Whether the numbers of a bar can be true together."""
    return low <= open_ <= high and low <= close <= high and buy_volume <= volume * _VOLUME_SLACK


def _control(frame: AnyFrame) -> Control | None:
    if "serverShutdown" in (frame.e, (frame.stream or "").removeprefix("!")):
        return Control(kind=ControlKind.SHUTDOWN, detail="the venue restarts this connection")
    fault = frame.error or frame
    if fault.code is not None:
        return Control(kind=ControlKind.ERROR, detail=f"{fault.code} {fault.msg or ''}".strip())
    if frame.stream is None and frame.id is not None:
        return Control(kind=ControlKind.REPLY, detail=str(frame.id))
    return None


def _trade(raw: bytes, route: Route, received: float) -> TradeTick | Rejected:
    data = _trade_frames.decode(raw).data
    if data.s != route.venue_symbol:
        return _refuse(RejectReason.WRONG_SYMBOL, route, data.s)
    return TradeTick(
        instrument=route.instrument,
        trade_id=data.a,
        price=data.p,
        size=data.q,
        buyer_maker=data.m,
        event_ms=data.T,
        received=received,
    )


def _ticker(raw: bytes, route: Route, received: float) -> Quote | Rejected:
    data = _ticker_frames.decode(raw).data
    if data.s != route.venue_symbol:
        return _refuse(RejectReason.WRONG_SYMBOL, route, data.s)
    if data.b >= data.a:
        return _refuse(RejectReason.CROSSED, route, f"{data.b} {data.a}")
    return Quote(
        instrument=route.instrument,
        bid=data.b,
        ask=data.a,
        event_ms=data.T,
        received=received,
    )


def _depth(raw: bytes, route: Route, received: float) -> Book | Rejected:
    data = _depth_frames.decode(raw).data
    bids, asks = data.bids or data.b, data.asks or data.a
    if data.s is not None and data.s != route.venue_symbol:
        return _refuse(RejectReason.WRONG_SYMBOL, route, data.s)
    if not bids or not asks:
        return _refuse(RejectReason.EMPTY_BOOK, route, "")
    if bids[0][0] >= asks[0][0]:
        return _refuse(RejectReason.CROSSED, route, f"{bids[0][0]} {asks[0][0]}")
    if not _best_first(bids, asks):
        return _refuse(RejectReason.DISORDERED_BOOK, route, "")
    return Book(
        instrument=route.instrument,
        bids=bids,
        asks=asks,
        update_id=data.lastUpdateId or data.u or 0,
        received=received,
    )


def _best_first(bids: BookLevels, asks: BookLevels) -> bool:
    for better, worse in pairwise(bids):
        if better[0] <= worse[0]:
            return False
    for better, worse in pairwise(asks):  # noqa: SIM110 - a generator costs twice the time here
        if better[0] >= worse[0]:
            return False
    return True


def _bar(raw: bytes, route: Route, _received: float) -> Bar | Rejected:
    data = _bar_frames.decode(raw).data
    bar = data.k
    if data.s != route.venue_symbol or bar.s != route.venue_symbol:
        return _refuse(RejectReason.WRONG_SYMBOL, route, data.s)
    whole_minute = bar.t % _MINUTE_MS == 0 and bar.t + _MINUTE_MS - 1 == bar.T
    if bar.i != "1m" or not whole_minute:
        return _refuse(RejectReason.BAD_BAR, route, f"{bar.i} {bar.t}-{bar.T}")
    if not bar_is_sound(bar.l, bar.o, bar.c, bar.h, bar.v, bar.V):
        return _refuse(RejectReason.BAD_BAR, route, f"{bar.o} {bar.h} {bar.l} {bar.c}")
    if bar.x and data.E < bar.T - _CLOCK_SLACK_MS:
        return _refuse(RejectReason.EARLY_CLOSE, route, f"{data.E} < {bar.T}")
    return Bar(
        instrument=route.instrument,
        timeframe=Timeframe.M1,
        open_time=from_millis(bar.t),
        open=bar.o,
        high=bar.h,
        low=bar.l,
        close=bar.c,
        volume=bar.v,
        buy_volume=bar.V,
        trades=bar.n,
        closed=bar.x,
    )


def _refuse(reason: RejectReason, route: Route, detail: str) -> Rejected:
    return Rejected(reason=reason, instrument=route.instrument, detail=detail)


_Parser = Callable[[bytes, Route, float], Frame]
_PARSERS: Mapping[StreamKind, _Parser] = {
    StreamKind.TRADES: _trade,
    StreamKind.DEPTH: _depth,
    StreamKind.BARS: _bar,
    StreamKind.TICKER: _ticker,
}
