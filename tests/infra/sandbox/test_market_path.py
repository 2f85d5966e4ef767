"""The simulated market is one fixed story: same seed, same market, and no edge in it."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.clock import to_millis
from core.errors import InvalidValueError
from infra.sandbox.market.listing import DAY_MS, EPOCH, HOUR_MS, LISTINGS, fixed
from infra.sandbox.market.rows import BUY_VOLUME, CLOSE, HIGH, LOW, OPEN, OPEN_MS, TRADES, VOLUME
from infra.sandbox.market.simulated import LENGTHS_MS, SimulatedMarket

EPOCH_MS = to_millis(EPOCH)
MINUTE = LENGTHS_MS["1m"]
DAY = LENGTHS_MS["1d"]
FLOW = ("btcusdt", "xauusdt", "eurusdt")
ALL = tuple(listing.symbol for listing in LISTINGS)


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def minute_study(
    market: SimulatedMarket, symbol: str, hours: int = 36
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flow share of each minute and the mid's return over the same minute."""
    start = EPOCH_MS - 24 * HOUR_MS
    end = start + hours * HOUR_MS
    rows = market.bars(symbol, MINUTE, start, end, end)
    mids = np.array([sum(market.quote(symbol, t + MINUTE - 1)) for t in rows[:, OPEN_MS].tolist()])
    flow = (2 * rows[1:, BUY_VOLUME] - rows[1:, VOLUME]) / np.maximum(rows[1:, VOLUME], 1)
    return flow, np.diff(np.log(mids))


@pytest.mark.parametrize("symbol", ALL)
def test_price_at_the_epoch_is_the_anchor(symbol: str) -> None:
    market = SimulatedMarket(11)
    listing = market.listing(symbol)
    bid, ask = market.quote(symbol, EPOCH_MS)
    assert (bid + ask) / 2 / listing.ticks_per_unit == pytest.approx(listing.anchor, rel=5e-4)


def test_yen_crosses_follow_their_legs() -> None:
    market = SimulatedMarket(5)
    moment = EPOCH_MS + 7 * HOUR_MS

    def mid(symbol: str) -> float:
        return sum(market.quote(symbol, moment)) / 2 / market.listing(symbol).ticks_per_unit

    assert mid("gbpjpy") == pytest.approx(mid("gbpusd") * mid("usdjpy"), rel=2e-4)
    assert mid("eurjpy") == pytest.approx(mid("eurusdt") * mid("usdjpy"), rel=2e-4)


def test_same_seed_is_the_same_market_whatever_was_asked_before() -> None:
    asked_before, fresh = SimulatedMarket(3), SimulatedMarket(3)
    asked_before.bars("btcusdt", DAY, EPOCH_MS // DAY * DAY - 90 * DAY, EPOCH_MS, EPOCH_MS)
    asked_before.depth("btcusdt", EPOCH_MS + 50 * HOUR_MS)
    span = (EPOCH_MS + 3 * HOUR_MS, EPOCH_MS + 3 * HOUR_MS + 20 * MINUTE)
    for symbol in FLOW:
        one = asked_before.trades_between(symbol, *span)
        other = fresh.trades_between(symbol, *span)
        assert one.first_id == other.first_id
        assert np.array_equal(one.prices, other.prices)
        assert np.array_equal(one.sizes, other.sizes)


def test_another_seed_is_another_market() -> None:
    span = (EPOCH_MS, EPOCH_MS + 10 * MINUTE)
    one = SimulatedMarket(3).trades_between("btcusdt", *span)
    other = SimulatedMarket(4).trades_between("btcusdt", *span)
    assert one.prices[-20:].tolist() != other.prices[-20:].tolist()


def test_small_slices_hold_the_same_trades_as_one_large_slice() -> None:
    market = SimulatedMarket(8)
    end = EPOCH_MS + 31 * MINUTE
    whole = market.trades_between("xauusdt", EPOCH_MS, end)
    edges = [*range(EPOCH_MS, end, 6_100), end]
    parts = [market.trades_between("xauusdt", a, b) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate([p.prices for p in parts]), whole.prices)
    ids = np.concatenate([p.first_id + np.arange(len(p)) for p in parts])
    assert np.array_equal(ids, whole.first_id + np.arange(len(whole)))
    assert np.all(np.diff(whole.times) >= 0)


def test_a_later_start_continues_the_same_ids_and_prices() -> None:
    first_run = SimulatedMarket(21)
    moment = EPOCH_MS + 40 * HOUR_MS
    second_run = SimulatedMarket(21, EPOCH + timedelta(hours=40))
    before = first_run.trades_between("btcusdt", moment - HOUR_MS, moment)
    after = second_run.trades_between("btcusdt", moment, moment + MINUTE)
    assert after.first_id == before.first_id + len(before)
    assert second_run.first_trade_at("btcusdt", moment) == after.first_id
    assert first_run.quote("btcusdt", moment) == second_run.quote("btcusdt", moment)


def test_a_start_before_the_epoch_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        SimulatedMarket(1, EPOCH - timedelta(days=1))


def test_trades_are_found_again_by_id() -> None:
    market = SimulatedMarket(2)
    now = EPOCH_MS + HOUR_MS
    trades = market.trades_between("btcusdt", EPOCH_MS, now)
    middle = trades.first_id + 4_000
    found = market.trades_from_id("btcusdt", middle, 1_500, now)
    assert found.first_id == middle
    assert np.array_equal(found.times, trades.times[4_000:5_500])
    last = trades.first_id + len(trades)
    assert len(market.trades_from_id("btcusdt", last - 3, 500, now)) == 3
    assert len(market.trades_from_id("btcusdt", 10**15, 500, now)) == 0


@pytest.mark.parametrize("symbol", FLOW)
def test_neither_returns_nor_flow_tell_the_next_minute(symbol: str) -> None:
    flow, moves = minute_study(SimulatedMarket(1), symbol)
    bound = 4 / np.sqrt(len(moves))
    assert abs(correlation(moves[:-1], moves[1:])) < bound
    assert abs(correlation(flow[:-1], moves[1:])) < bound
    assert correlation(flow, moves) > bound / 4, "flow goes along with the move, it does not lead"


def test_demo_switch_lets_flow_lead_the_next_minute() -> None:
    flow, moves = minute_study(SimulatedMarket(1, demo_flow_leads=True), "btcusdt")
    assert correlation(flow[:-1], moves[1:]) > 4 / np.sqrt(len(moves))


def test_daily_price_is_a_fair_game_over_many_seeds() -> None:
    first = EPOCH_MS // DAY * DAY - 900 * DAY
    scores = []
    for seed in range(40):
        rows = SimulatedMarket(seed).bars("btcusdt", DAY, first, first + 500 * DAY, EPOCH_MS)
        moves = np.diff(rows[:, CLOSE]) / rows[:-1, CLOSE]
        scores.append(moves.mean() / moves.std() * np.sqrt(len(moves)))
    assert abs(np.mean(scores)) < 4 / np.sqrt(len(scores))


@pytest.mark.parametrize(("symbol", "volatility"), [("btcusdt", 0.50), ("xauusdt", 0.18)])
def test_volatility_is_realistic_clustered_and_fat_tailed(symbol: str, volatility: float) -> None:
    market = SimulatedMarket(1)
    first = EPOCH_MS // DAY * DAY - 1_500 * DAY
    daily = np.diff(np.log(market.bars(symbol, DAY, first, EPOCH_MS, EPOCH_MS)[:, CLOSE]))
    assert daily.std() * np.sqrt(365.25) == pytest.approx(volatility, rel=0.15)
    _, moves = minute_study(market, symbol)
    size = np.abs(moves)
    assert correlation(size[:-1], size[1:]) > 0.1
    kurtosis = float(((moves - moves.mean()) ** 4).mean() / moves.var() ** 2)
    assert 3.5 < kurtosis < 25


def test_overlap_moves_more_than_the_asian_night() -> None:
    market = SimulatedMarket(1)
    first = EPOCH_MS // DAY * DAY - 60 * DAY
    rows = market.bars("usdjpy", HOUR_MS, first, EPOCH_MS, EPOCH_MS)
    hour = rows[:, OPEN_MS] // HOUR_MS % 24
    reach = (rows[:, HIGH] - rows[:, LOW]) / rows[:, OPEN]
    assert reach[(hour >= 13) & (hour < 17)].mean() > 1.4 * reach[hour < 7].mean()


def test_fx_is_shut_at_the_weekend_and_crypto_is_not() -> None:
    market = SimulatedMarket(4)
    friday = to_millis(EPOCH.replace(day=6, hour=21, minute=59))
    assert market.is_open("gbpusd", friday)
    assert not market.is_open("gbpusd", friday + MINUTE)
    assert not market.is_open("gbpusd", friday + 2 * DAY_MS)
    assert market.is_open("gbpusd", friday + 2 * DAY_MS + MINUTE)
    assert market.is_open("btcusdt", friday + DAY_MS)
    start, end = friday // HOUR_MS * HOUR_MS, friday // HOUR_MS * HOUR_MS + 50 * HOUR_MS
    opens = market.bars("gbpusd", HOUR_MS, start, end, end)[:, OPEN_MS]
    assert opens.tolist() == [start, start + 49 * HOUR_MS]
    assert len(market.bars("btcusdt", HOUR_MS, start, end, end)) == 50
    saturday = market.bars("gbpusd", MINUTE, friday + MINUTE, friday + DAY_MS, end)
    assert len(saturday) == 0


def test_whales_print_rarely_on_bitcoin() -> None:
    trades = SimulatedMarket(9).trades_between("btcusdt", EPOCH_MS, EPOCH_MS + 4 * HOUR_MS)
    notional = trades.prices / 100 * (trades.sizes / 100_000)
    whales = int((notional >= 500_000).sum())
    assert 5 < whales < len(trades) / 500


@pytest.mark.parametrize("symbol", ALL)
def test_drawn_bars_are_possible_bars(symbol: str) -> None:
    market = SimulatedMarket(6)
    for length in (MINUTE, HOUR_MS, DAY):
        now = EPOCH_MS // DAY * DAY - 2 * DAY
        first = now - 30 * length // DAY * DAY - 30 * DAY
        rows = market.bars(symbol, length, first, now, now)
        assert np.all(rows[:, HIGH] >= rows[:, [OPEN, CLOSE]].max(axis=1))
        assert np.all(rows[:, LOW] <= rows[:, [OPEN, CLOSE]].min(axis=1))
        assert np.all(rows[:, BUY_VOLUME] <= rows[:, VOLUME])
        assert np.all(rows[:, TRADES] >= 0)
        assert np.all(np.diff(rows[:, OPEN_MS]) > 0)


def test_numbers_are_printed_exactly() -> None:
    assert fixed(9_725_001, 2, 8) == "97250.01000000"
    assert fixed(5, 3, 3) == "0.005"
    assert fixed(1_234_567_890_123_456_789, 7, 8) == "123456789012.34567890"
    assert fixed(42, 0, 0) == "42"
