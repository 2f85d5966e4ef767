"""One line of a recording: receive time in ns, a space, a combined-stream frame or a snapshot."""

from functools import lru_cache
from typing import Annotated

import msgspec

DIGITS = 8
"""Prices and sizes become whole numbers of 10^-8, exactly."""
_MOST_DIGITS = 18
_HOUR_MS = 3_600_000

Level = tuple[str, str]
_Id = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]


class BadLineError(ValueError):
    """A line that cannot be what it claims to be."""


class TradeFrame(msgspec.Struct):
    """One trade as it happened (`@trade`)."""

    symbol: str = msgspec.field(name="s")
    id: _Id = msgspec.field(name="t")
    time_ms: _Id = msgspec.field(name="T")
    price: str = msgspec.field(name="p")
    size: str = msgspec.field(name="q")
    buyer_maker: bool = msgspec.field(name="m")


class DiffFrame(msgspec.Struct):
    """Changes of the book (`@depth`): new sizes of levels, 0 = gone."""

    symbol: str = msgspec.field(name="s")
    time_ms: _Id = msgspec.field(name="E")
    first_id: _Id = msgspec.field(name="U")
    last_id: _Id = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    previous_id: _Id | None = msgspec.field(name="pu", default=None)
    """Futures only: `last_id` of the frame before."""


class TickerFrame(msgspec.Struct):
    """Best bid and ask after an update (`@bookTicker`)."""

    symbol: str = msgspec.field(name="s")
    update_id: _Id = msgspec.field(name="u")
    bid: str = msgspec.field(name="b")
    bid_size: str = msgspec.field(name="B")
    ask: str = msgspec.field(name="a")
    ask_size: str = msgspec.field(name="A")


class SnapshotFrame(msgspec.Struct):
    """The whole book after an update; it names no symbol."""

    update_id: _Id
    bids: list[Level]
    asks: list[Level]


Frame = TradeFrame | DiffFrame | TickerFrame | SnapshotFrame


class _Envelope(msgspec.Struct):
    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    update_id: _Id | None = msgspec.field(name="lastUpdateId", default=None)
    bids: list[Level] = []
    asks: list[Level] = []


_envelope = msgspec.json.Decoder(_Envelope)
_trade = msgspec.json.Decoder(TradeFrame)
_diff = msgspec.json.Decoder(DiffFrame)
_ticker = msgspec.json.Decoder(TickerFrame)


def parse_line(line: bytes) -> Frame | None:
    """The frame of a line; None for a stream that is not played. Raises BadLineError."""
    stamp, _, body = line.partition(b" ")
    if not stamp.isdigit() or len(stamp) > _MOST_DIGITS + 1:
        raise BadLineError("no receive time")
    try:
        frame = _parse_body(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise BadLineError(str(e)) from e
    if isinstance(frame, TradeFrame | DiffFrame):
        _check_moment(frame.time_ms, int(stamp) // 1_000_000)
    return frame


def _parse_body(body: bytes) -> Frame | None:
    envelope = _envelope.decode(body)
    if envelope.update_id is not None:
        return SnapshotFrame(envelope.update_id, envelope.bids, envelope.asks)
    if envelope.stream is None:
        raise BadLineError("neither a stream's frame nor a snapshot")
    symbol, _, kind = envelope.stream.partition("@")
    frame: TradeFrame | DiffFrame | TickerFrame
    if kind == "trade":
        frame = _trade.decode(envelope.data)
    elif kind == "depth" or kind.startswith("depth@"):
        frame = _diff.decode(envelope.data)
    elif kind == "bookTicker":
        frame = _ticker.decode(envelope.data)
    else:
        return None
    if frame.symbol.lower() != symbol:
        raise BadLineError("a frame of another symbol than its stream")
    return frame


def _check_moment(event_ms: int, received_ms: int) -> None:
    """The two clocks may differ by seconds; by more than an hour, one of them is nonsense."""
    if abs(event_ms - received_ms) > _HOUR_MS:
        raise BadLineError("event and receive time are more than an hour apart")


@lru_cache(maxsize=1 << 16)
def units(text: str) -> int:
    """A price or size as a whole number of 10^-8; raises BadLineError."""
    whole, _, part = text.partition(".")
    digits = whole + part.ljust(DIGITS, "0")
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS
    if not (whole and plain and len(part) <= DIGITS):
        raise BadLineError(f"not a price or size: {text[:40]!r}")
    return int(digits)
