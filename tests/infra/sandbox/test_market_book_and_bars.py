"""Bars agree with the trades, books are never crossed, work comes in small pieces."""

import time

import numpy as np
import pytest

from core.clock import to_millis
from infra.sandbox.market.bars import join_rows
from infra.sandbox.market.book import LEVELS
from infra.sandbox.market.listing import EPOCH, HOUR_MS
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
    aggregate,
    minute_rows,
)
from infra.sandbox.market.simulated import LENGTHS_MS, SimulatedMarket

EPOCH_MS = to_millis(EPOCH)
MINUTE = LENGTHS_MS["1m"]


def by_hand(trades: Trades, open_ms: int) -> list[int]:
    prices, sizes = trades.prices.tolist(), trades.sizes.tolist()
    bought = [not maker for maker in trades.buyer_maker.tolist()]
    turnover = [p * s for p, s in zip(prices, sizes, strict=True)]
    row = [0] * 11
    row[OPEN_MS], row[OPEN], row[CLOSE] = open_ms, prices[0], prices[-1]
    row[HIGH], row[LOW], row[VOLUME] = max(prices), min(prices), sum(sizes)
    row[BUY_VOLUME] = sum(s for s, b in zip(sizes, bought, strict=True) if b)
    row[TURNOVER] = sum(turnover)
    row[BUY_TURNOVER] = sum(t for t, b in zip(turnover, bought, strict=True) if b)
    row[TRADES], row[FIRST_ID] = len(prices), trades.first_id
    return row


@pytest.mark.parametrize("symbol", ["btcusdt", "xauusdt", "eurusdt"])
@pytest.mark.parametrize("name", ["1m", "5m", "15m", "1h"])
def test_bars_equal_the_aggregated_trades(symbol: str, name: str) -> None:
    market, length = SimulatedMarket(12), LENGTHS_MS[name]
    first, end = EPOCH_MS - 2 * HOUR_MS, EPOCH_MS + HOUR_MS
    now = EPOCH_MS + 41 * MINUTE + 7_300
    rows = market.bars(symbol, length, first, end, now)
    assert len(rows) == -(-(now - first) // length)
    for row in rows.tolist():
        trades = market.trades_between(symbol, row[OPEN_MS], min(row[OPEN_MS] + length, now))
        if len(trades):
            assert row == by_hand(trades, row[OPEN_MS])


def test_a_minute_without_trades_repeats_the_last_price() -> None:
    times = np.array([61_000, 62_000])
    trades = Trades(
        first_id=7,
        times=times,
        prices=np.array([100, 103]),
        sizes=np.array([5, 6]),
        buyer_maker=np.array([True, False]),
    )
    rows = minute_rows(trades, 0, 3, 99)
    assert rows[:, [OPEN, HIGH, LOW, CLOSE]].tolist() == [[99] * 4, [100, 103, 100, 103], [103] * 4]
    assert rows[:, VOLUME].tolist() == [0, 11, 0]
    assert rows[:, BUY_VOLUME].tolist() == [0, 6, 0]
    assert rows[:, FIRST_ID].tolist() == [7, 7, 9]


def test_longer_bars_are_sums_of_shorter_ones_across_all_tiers() -> None:
    market = SimulatedMarket(12)
    first = EPOCH_MS // LENGTHS_MS["1d"] * LENGTHS_MS["1d"] - 80 * LENGTHS_MS["1d"]
    for small, large in (("1h", "4h"), ("4h", "1d"), ("1h", "1d")):
        rows = market.bars("btcusdt", LENGTHS_MS[small], first, EPOCH_MS, EPOCH_MS)
        whole = market.bars("btcusdt", LENGTHS_MS[large], first, EPOCH_MS, EPOCH_MS)
        assert np.array_equal(aggregate(rows, LENGTHS_MS[large]), whole)
    minutes = market.bars("btcusdt", MINUTE, EPOCH_MS - 40 * HOUR_MS, EPOCH_MS, EPOCH_MS)
    hours = market.bars("btcusdt", HOUR_MS, EPOCH_MS - 40 * HOUR_MS, EPOCH_MS, EPOCH_MS)
    assert np.array_equal(aggregate(minutes, HOUR_MS), hours)


def test_prices_do_not_jump_where_a_tier_begins() -> None:
    market = SimulatedMarket(12)
    rows = market.bars("btcusdt", MINUTE, EPOCH_MS - 30 * HOUR_MS, EPOCH_MS, EPOCH_MS)
    gaps = np.abs(rows[1:, OPEN] - rows[:-1, CLOSE])
    usual = (rows[:, HIGH] - rows[:, LOW]).mean()
    assert gaps.max() < 3 * usual


@pytest.mark.parametrize("symbol", ["btcusdt", "xauusdt", "eurusdt"])
def test_book_has_twenty_ordered_levels_and_is_never_crossed(symbol: str) -> None:
    market = SimulatedMarket(13)
    for moment in range(EPOCH_MS, EPOCH_MS + 20 * MINUTE, 3_700):
        depth = market.depth(symbol, moment)
        assert depth.bids.shape == depth.asks.shape == (LEVELS, 2)
        assert np.all(np.diff(depth.bids[:, 0]) < 0)
        assert np.all(np.diff(depth.asks[:, 0]) > 0)
        assert depth.bids[0, 0] < depth.asks[0, 0]
        assert depth.bids[:, 1].min() >= 1
        assert depth.asks[:, 1].min() >= 1
        assert (depth.bids[0, 0], depth.asks[0, 0]) == market.quote(symbol, moment // 100 * 100)


def test_book_changes_and_most_of_its_places_stay() -> None:
    market = SimulatedMarket(13)
    one, other = market.depth("btcusdt", EPOCH_MS), market.depth("btcusdt", EPOCH_MS + 200)
    assert not np.array_equal(one.bids, other.bids)
    assert len(np.intersect1d(one.bids[:, 0], other.bids[:, 0])) >= 10
    assert other.update_id > one.update_id


def test_a_trade_eats_its_level_which_then_refills() -> None:
    market = SimulatedMarket(13)
    books = market._books["btcusdt"]
    bid, ask = market.quote("btcusdt", EPOCH_MS)
    sale = Trades(
        first_id=1,
        times=np.array([EPOCH_MS - 10]),
        prices=np.array([bid]),
        sizes=np.array([1 << 40]),
        buyer_maker=np.array([True]),
    )
    untouched = books.depth(bid, ask, EPOCH_MS, sale.part(0, 0))
    eaten = books.depth(bid, ask, EPOCH_MS, sale)
    assert eaten.bids[0, 1] < 0.2 * untouched.bids[0, 1]
    assert np.array_equal(eaten.asks, untouched.asks)
    later = EPOCH_MS + 2_000
    refilled, fresh = (books.depth(bid, ask, later, t) for t in (sale, sale.part(0, 0)))
    assert np.array_equal(refilled.bids, fresh.bids)


def test_trades_happen_at_the_touch_of_the_moment() -> None:
    market = SimulatedMarket(14)
    trades = market.trades_between("btcusdt", EPOCH_MS, EPOCH_MS + 5 * MINUTE)
    for time_ms, price, sold in zip(trades.times, trades.prices, trades.buyer_maker, strict=True):
        bid, ask = market.quote("btcusdt", int(time_ms))
        assert price == (bid if sold else ask)


def test_history_of_a_start_comes_in_short_pieces() -> None:
    market = SimulatedMarket(15)
    spent: list[float] = []
    for symbol in market.symbols():
        for length in (MINUTE, LENGTHS_MS["15m"], HOUR_MS, LENGTHS_MS["1d"]):
            first = int(market.bar_opens(symbol, length, 0, EPOCH_MS - 1)[-1500:][0])
            pieces = market.bar_pieces(symbol, length, first, EPOCH_MS, EPOCH_MS)
            kept = []
            while True:
                begun = time.thread_time()
                piece = next(pieces, None)
                spent.append(time.thread_time() - begun)
                if piece is None:
                    break
                kept.append(piece)
            assert len(join_rows(kept, length)) >= 1_000
    assert np.quantile(spent, 0.99) < 0.010
    assert sum(spent) < 6.0, "usually about 1.2 s; the bound leaves room for a busy machine"
