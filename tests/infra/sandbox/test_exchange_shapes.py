"""Our payloads have exactly the fields of recorded Binance payloads."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.clock import to_millis
from infra.sandbox.exchange import messages
from infra.sandbox.exchange.rest import symbol_facts
from infra.sandbox.market.listing import EPOCH
from infra.sandbox.market.simulated import SimulatedMarket

SHARED = next(
    (p / "shared" / "data" for p in Path(__file__).resolve().parents if (p / "shared").is_dir()),
    Path("missing"),
)
FRAMES = SHARED / "2_binance_ws_raw"
REST = SHARED / "8_payloads" / "binance" / "nautilus_http_responses"
NOW = to_millis(EPOCH)


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return SimulatedMarket(7)


def sample(path: Path) -> Any:
    if not path.exists():
        pytest.skip("recorded payloads are not on this machine")
    return json.loads(path.read_text(encoding="utf-8"))


def recorded(file: str, found: Callable[[str], bool]) -> Any:
    path = FRAMES / file
    if not path.exists():
        pytest.skip("recorded frames are not on this machine")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if '"t":"recv"' in line and found(line):
                return json.loads(json.loads(line)["data"])["data"]
    raise AssertionError("no such frame")


def same_shape(ours: Any, theirs: Any) -> None:
    """Same keys and same JSON types, through nested objects."""
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert set(ours) == set(theirs)
        for key, value in ours.items():
            same_shape(value, theirs[key])


@pytest.mark.parametrize(
    ("file", "symbol"),
    [
        ("cryptofeed_BINANCE.jsonl.gz", "btcusdt"),
        ("cryptofeed_BINANCE_FUTURES.jsonl.gz", "xauusdt"),
    ],
)
def test_stream_frames_have_the_recorded_shape(
    market: SimulatedMarket, file: str, symbol: str
) -> None:
    listing = market.listing(symbol)
    trades = market.trades_between(symbol, NOW, NOW + 5_000)
    trade = json.loads(messages.trade_events(listing, trades)[0])
    same_shape(trade, recorded(file, lambda line: "aggTrade\\" in line))
    depth = market.depth(symbol, NOW)
    best = messages.touch(listing, (1, 2), depth)
    ticker = json.loads(messages.ticker_event(listing, best, 1, NOW))
    same_shape(ticker, recorded(file, lambda line: "bookTicker\\" in line))
    row = market.bars(symbol, 60_000, NOW, NOW + 60_000, NOW + 60_000)[0]
    kline = json.loads(messages.kline_event(listing, "1m", 60_000, row, NOW, closed=True))
    same_shape(kline, recorded(file, lambda line: '"kline\\"' in line or "kline\\" in line))


def test_spot_depth_frame_has_the_recorded_shape(market: SimulatedMarket) -> None:
    theirs = sample(FRAMES / "tokmakov_single_frames" / "bookDepthSnapshot.json")["data"]
    listing = market.listing("btcusdt")
    ours = json.loads(messages.depth_event(listing, market.depth("btcusdt", NOW), NOW))
    same_shape(ours, theirs)
    assert len(ours["bids"]) == len(theirs["bids"]) == 20
    assert len(ours["bids"][0][0]) == len(theirs["bids"][0][0]) - 1, "97 thousand against 102"


@pytest.mark.parametrize(
    ("name", "symbol"), [("http_spot_market", "btcusdt"), ("http_futures_market", "xauusdt")]
)
def test_rest_bodies_have_the_recorded_shape(
    market: SimulatedMarket, name: str, symbol: str
) -> None:
    listing = market.listing(symbol)
    trades = market.trades_between(symbol, NOW, NOW + 5_000)
    theirs = sample(REST / f"{name}_agg_trades.json")[0]
    same_shape(json.loads(messages.encode(messages.trade_rows(listing, trades)[0])), theirs)
    body = messages.depth_body(listing, market.depth(symbol, NOW), 20, NOW)
    same_shape(json.loads(messages.encode(body)), sample(REST / f"{name}_depth.json"))
    rows = market.bars(symbol, 60_000, NOW, NOW + 60_000, NOW + 60_000)
    ours = messages.kline_rows(listing, 60_000, rows)[0]
    kline = sample(REST / f"{name}_klines.json")[0]
    assert [type(v) for v in ours] == [type(v) for v in kline]


def test_exchange_information_uses_the_recorded_names(market: SimulatedMarket) -> None:
    theirs = sample(REST / "http_spot_market_exchange_info.json")["symbols"][0]
    ours = symbol_facts(market.listing("btcusdt"), True)
    assert set(ours) <= set(theirs)
    filters = {f["filterType"]: set(f) for f in theirs["filters"]}
    assert all(set(f) == filters[f["filterType"]] for f in ours["filters"])
