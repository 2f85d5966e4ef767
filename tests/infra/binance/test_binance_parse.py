"""Frames become typed data or a reason; nothing makes the parser raise."""

import gzip
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import to_millis
from core.model.instrument import MarketClass
from core.model.market import Bar, Book, Quote, TradeTick
from infra.binance.binance_parse import (
    Control,
    ControlKind,
    Frame,
    Rejected,
    RejectReason,
    Route,
    StreamKind,
    parse_frame,
    quote_of,
)
from tests.support.recorded import DATA

T0 = 1_762_578_780_000


def _route(number: int, kind: StreamKind, market: MarketClass, symbol: str) -> Route:
    return Route(number=number, kind=kind, market=market, instrument="BTCUSD", venue_symbol=symbol)


ROUTES = {
    route.stream.encode(): route
    for route in (
        _route(0, StreamKind.TRADES, MarketClass.SPOT, "BTCUSDT"),
        _route(1, StreamKind.DEPTH, MarketClass.SPOT, "BTCUSDT"),
        _route(2, StreamKind.BARS, MarketClass.SPOT, "BTCUSDT"),
        _route(3, StreamKind.TICKER, MarketClass.SPOT, "BTCUSDT"),
        _route(4, StreamKind.DEPTH, MarketClass.FUTURES, "XAUUSDT"),
    )
}

TRADE: dict[str, Any] = {
    "e": "aggTrade", "E": T0 + 5, "s": "BTCUSDT", "a": 77, "p": "102571.18", "q": "0.00097",
    "f": 1, "l": 2, "T": T0, "m": True, "M": True,
}  # fmt: skip
DEPTH: dict[str, Any] = {
    "lastUpdateId": 9,
    "bids": [["100.5", "2"], ["100.4", "1"]],
    "asks": [["100.6", "3"], ["100.7", "1"]],
}
KLINE: dict[str, Any] = {
    "t": T0, "T": T0 + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 9, "o": "10", "c": "11",
    "h": "12", "l": "9", "v": "5", "n": 7, "x": True, "q": "1", "V": "2", "Q": "1", "B": "0",
}  # fmt: skip
BAR: dict[str, Any] = {"e": "kline", "E": T0 + 60_001, "s": "BTCUSDT", "k": KLINE}
TICKER: dict[str, Any] = {
    "u": 4, "s": "BTCUSDT", "b": "100.5", "B": "1", "a": "100.6", "A": "2",
}  # fmt: skip
GOOD = (
    ("btcusdt@aggTrade", TRADE),
    ("btcusdt@depth20@100ms", DEPTH),
    ("btcusdt@kline_1m", BAR),
    ("btcusdt@bookTicker", TICKER),
)


def _parse(raw: bytes) -> Frame:
    return parse_frame(raw, routes=ROUTES, received=1.5)


def _frame(stream: str, data: Any) -> Frame:
    return _parse(json.dumps({"stream": stream, "data": data}, separators=(",", ":")).encode())


def _reason(frame: Frame) -> RejectReason:
    assert isinstance(frame, Rejected)
    return frame.reason


def test_a_trade_whose_buyer_is_the_maker_was_sold() -> None:
    tick = _frame("btcusdt@aggTrade", TRADE)
    assert tick == TradeTick(
        instrument="BTCUSD",
        trade_id=77,
        price=102571.18,
        size=0.00097,
        buyer_maker=True,
        event_ms=T0,
        received=1.5,
    )


def test_spot_depth_gives_a_book_and_its_best_quote() -> None:
    book = _frame("btcusdt@depth20@100ms", DEPTH)
    assert isinstance(book, Book)
    assert book.bids == ((100.5, 2.0), (100.4, 1.0))
    assert book.asks[1] == (100.7, 1.0)
    assert book.update_id == 9
    quote = quote_of(book)
    assert (quote.bid, quote.ask, quote.event_ms, quote.received) == (100.5, 100.6, None, 1.5)


def test_futures_depth_has_other_field_names() -> None:
    data = {"e": "depthUpdate", "E": T0, "T": T0, "s": "XAUUSDT", "U": 1, "u": 2, "pu": 0}
    book = _frame("xauusdt@depth20@100ms", data | {"b": [["4000", "1"]], "a": [["4001", "2"]]})
    assert isinstance(book, Book)
    assert (book.bids, book.asks, book.update_id) == (((4000.0, 1.0),), ((4001.0, 2.0),), 2)


def test_a_closed_minute_carries_its_taker_buy_volume() -> None:
    bar = _frame("btcusdt@kline_1m", BAR)
    assert isinstance(bar, Bar)
    assert to_millis(bar.open_time) == T0
    assert (bar.open, bar.high, bar.low, bar.close) == (10.0, 12.0, 9.0, 11.0)
    assert (bar.volume, bar.buy_volume, bar.trades, bar.closed) == (5.0, 2.0, 7, True)


def test_book_ticker_has_a_time_only_on_futures() -> None:
    spot = _frame("btcusdt@bookTicker", TICKER)
    futures = _frame("btcusdt@bookTicker", TICKER | {"E": T0 + 1, "T": T0})
    assert isinstance(spot, Quote)
    assert isinstance(futures, Quote)
    assert (spot.event_ms, futures.event_ms) == (None, T0)


@pytest.mark.parametrize(
    ("stream", "data", "reason"),
    [
        ("btcusdt@aggTrade", TRADE | {"p": "NaN"}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"p": "Infinity"}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"p": "0"}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"q": "-1"}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"q": "1e13"}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"p": None}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"T": T0 * 1000}, RejectReason.WRONG_SHAPE),
        ("btcusdt@aggTrade", TRADE | {"s": "ETHUSDT"}, RejectReason.WRONG_SYMBOL),
        ("btcusdt@bookTicker", TICKER | {"b": "100.6"}, RejectReason.CROSSED),
        ("btcusdt@bookTicker", TICKER | {"s": "ETHUSDT"}, RejectReason.WRONG_SYMBOL),
        ("btcusdt@depth20@100ms", DEPTH | {"bids": []}, RejectReason.EMPTY_BOOK),
        ("btcusdt@depth20@100ms", DEPTH | {"bids": [["100.7", "1"]]}, RejectReason.CROSSED),
        (
            "btcusdt@depth20@100ms",
            DEPTH | {"asks": [["100.7", "1"], ["100.6", "1"]]},
            RejectReason.DISORDERED_BOOK,
        ),
        ("btcusdt@kline_1m", BAR | {"k": KLINE | {"i": "5m"}}, RejectReason.BAD_BAR),
        ("btcusdt@kline_1m", BAR | {"k": KLINE | {"h": "10.5"}}, RejectReason.BAD_BAR),
        ("btcusdt@kline_1m", BAR | {"k": KLINE | {"V": "6"}}, RejectReason.BAD_BAR),
        ("btcusdt@kline_1m", BAR | {"k": KLINE | {"t": T0 + 1}}, RejectReason.BAD_BAR),
        ("btcusdt@kline_1m", BAR | {"E": T0 + 30_000}, RejectReason.EARLY_CLOSE),
        ("ethusdt@aggTrade", TRADE, RejectReason.UNKNOWN_STREAM),
    ],
)
def test_what_cannot_be_true_is_refused_with_its_reason(
    stream: str, data: dict[str, Any], reason: RejectReason
) -> None:
    assert _reason(_frame(stream, data)) is reason


def test_unusual_spacing_and_order_of_fields_are_understood() -> None:
    raw = json.dumps({"data": TRADE, "stream": "btcusdt@aggTrade"}, indent=1).encode()
    assert isinstance(_parse(raw), TradeTick)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"e":"serverShutdown","E":1762578780000}', ControlKind.SHUTDOWN),
        (
            '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1762578780000}}',
            ControlKind.SHUTDOWN,
        ),
        ('{"result":null,"id":3}', ControlKind.REPLY),
        ('{"code":2,"msg":"Invalid request"}', ControlKind.ERROR),
        ('{"error":{"code":2,"msg":"Invalid request"},"id":1}', ControlKind.ERROR),
    ],
)
def test_frames_about_the_connection_are_told_apart(text: str, kind: ControlKind) -> None:
    frame = _parse(text.encode())
    assert isinstance(frame, Control)
    assert frame.kind is kind


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b'{"stream":"btcusdt@aggTrade","data":{',
        b'{"stream":"btcusdt@aggTrade","data":' + b"[" * 100_000,
        b'{"stream":"btcusdt@aggTrade',
        b"<html>502 Bad Gateway</html>",
        b'{"stream":"\\ud800","data":{}}',
    ],
)
def test_rubbish_is_refused_not_raised(raw: bytes) -> None:
    assert isinstance(_parse(raw), Rejected)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_raise(raw: bytes) -> None:
    assert isinstance(_parse(raw), Rejected | Control)


_odd_values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["nan", "-inf", "1e999", "0", "-5", "12", [], {}, [["1", "2"]], [[1]]]),
)


@given(
    good=st.sampled_from(GOOD),
    changes=st.dictionaries(st.sampled_from("sapqTmubkAtE"), _odd_values, max_size=3),
    kline=st.dictionaries(st.sampled_from("tTsiochlvVnx"), _odd_values, max_size=3),
    levels=st.lists(st.lists(_odd_values, max_size=3), max_size=3),
    cut=st.integers(min_value=0, max_value=400),
)
def test_mutated_frames_give_sound_data_or_a_reason(
    good: tuple[str, dict[str, Any]],
    changes: dict[str, Any],
    kline: dict[str, Any],
    levels: list[Any],
    cut: int,
) -> None:
    stream, data = good
    mutated = data | changes
    if "k" in data and "k" not in changes:
        mutated["k"] = KLINE | kline
    if "bids" in data and levels:
        mutated["bids"] = levels
    raw = json.dumps({"stream": stream, "data": mutated}, separators=(",", ":")).encode()
    for candidate in (raw, raw[:cut]):
        _assert_sound(_parse(candidate))


def _assert_sound(frame: Frame) -> None:
    match frame:
        case TradeTick():
            assert 0 < frame.price < 1e9
            assert 0 < frame.size < 1e12
        case Quote():
            assert 0 < frame.bid < frame.ask < 1e9
        case Book():
            assert frame.bids[0][0] < frame.asks[0][0]
        case Bar():
            assert 0 < frame.low <= frame.open <= frame.high
        case _:
            assert isinstance(frame, Rejected | Control)


def test_recorded_spot_frames_are_all_believed() -> None:
    file = DATA / "2_binance_ws_raw" / "hftbacktest_spot_btcusdt_20240808.gz"
    if not file.exists():
        pytest.skip("the recorded Binance frames are not on this machine")
    quotes = 0
    with gzip.open(file, "rb") as lines:
        for line in lines:
            raw = line.split(b" ", 1)[1].strip()
            if b"@bookTicker" in raw[:40]:
                assert isinstance(_parse(raw), Quote)
                quotes += 1
    assert quotes > 100


def test_recorded_streams_of_other_symbols_are_all_believed() -> None:
    file = DATA / "2_binance_ws_raw" / "cryptofeed_BINANCE.jsonl.gz"
    if not file.exists():
        pytest.skip("the recorded Binance frames are not on this machine")
    seen: Counter[type] = Counter()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            body = json.loads(line).get("data", "")
            if isinstance(body, str) and body.startswith('{"stream":"'):
                seen[type(_parse_as_recorded(body))] += 1
    assert seen[Rejected] == 0
    assert seen[TradeTick] > 0
    assert seen[Bar] > 0


def _parse_as_recorded(body: str) -> Frame | None:
    symbol, _, kind = json.loads(body)["stream"].partition("@")
    if kind not in list(StreamKind):
        return None
    route = _route(0, StreamKind(kind), MarketClass.SPOT, symbol.upper())
    return parse_frame(body.encode(), routes={route.stream.encode(): route}, received=0.0)
