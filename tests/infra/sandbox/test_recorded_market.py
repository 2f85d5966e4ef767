"""The recorded market: aggregates and bars are exact, and past, tape and future join."""

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from infra.sandbox.market.bars import join_rows
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import HOUR_MS
from infra.sandbox.market.rows import (
    BUY_TURNOVER,
    BUY_VOLUME,
    CLOSE,
    FIRST_ID,
    HIGH,
    LOW,
    MINUTE_MS,
    OPEN,
    OPEN_MS,
    TRADES,
    TURNOVER,
    VOLUME,
)
from infra.sandbox.market.simulated import LENGTHS_MS
from infra.sandbox.recorded.market import RecordedMarket
from infra.sandbox.recorded.tape import RecordedTape, load_tape
from tests.support.recordings import (
    MadeRecording,
    TradeTruth,
    make_recording,
    real_recording,
)

BTC = "btcusdt"
REAL = "hftbacktest_spot_btcusdt_20240808.gz"


@pytest.fixture(scope="module")
def made() -> MadeRecording:
    return make_recording(110, seed=4)


@pytest.fixture(scope="module")
def tape(made: MadeRecording, tmp_path_factory: pytest.TempPathFactory) -> RecordedTape:
    return load_tape(made.write(tmp_path_factory.mktemp("tape") / "tape.gz"))


@pytest.fixture(scope="module")
def market(tape: RecordedTape) -> RecordedMarket:
    return RecordedMarket(5, tape)


def truth_of(made: MadeRecording, tape: RecordedTape) -> list[TradeTruth]:
    return [trade for trade in made.trades if tape.start_ms <= trade.time_ms < tape.end_ms]


def bars(market: RecordedMarket, length: int, first: int, end: int, now: int) -> Ints:
    return join_rows(list(market.bar_pieces(BTC, length, first, end, now)), length)


def test_aggregates_are_what_the_venue_would_make(made: MadeRecording, tape: RecordedTape) -> None:
    truth = truth_of(made, tape)
    groups = [
        list(group)
        for _, group in groupby(truth, key=lambda t: (t.time_ms, t.price, t.buyer_maker))
    ]
    assert len(groups) == len(tape.trades) < len(truth)
    assert tape.trades.times.tolist() == [group[0].time_ms for group in groups]
    assert tape.trades.prices.tolist() == [group[0].price for group in groups]
    assert tape.trades.sizes.tolist() == [sum(t.size for t in group) for group in groups]
    assert tape.trades.buyer_maker.tolist() == [group[0].buyer_maker for group in groups]
    spans = [[group[0].id, group[-1].id] for group in groups]
    assert tape.trades.ids_within().tolist() == spans
    assert tape.missing_trades == 0


def test_a_missing_single_trade_ends_its_aggregate_and_is_counted(tmp_path: Path) -> None:
    made = make_recording(20, seed=4)
    whole = load_tape(made.write(tmp_path / "whole.jsonl"))
    spans = whole.trades.ids_within()
    inside = int(spans[np.flatnonzero(spans[:, 1] - spans[:, 0] == 2)[0], 0]) + 1
    made.lines = [line for line in made.lines if b'"t":%d,' % inside not in line]
    tape = load_tape(made.write(tmp_path / "tape.jsonl"))
    assert len(tape.trades) == len(whole.trades) + 1
    assert tape.missing_trades == 1


def test_minute_bars_are_the_sums_of_the_single_trades(
    made: MadeRecording, tape: RecordedTape, market: RecordedMarket
) -> None:
    first = (tape.start_ms // MINUTE_MS + 1) * MINUTE_MS
    row = bars(market, MINUTE_MS, first, first + MINUTE_MS, tape.end_ms)[0]
    inside = [t for t in made.trades if first <= t.time_ms < first + MINUTE_MS]
    bought = [t for t in inside if not t.buyer_maker]
    prices = [t.price for t in inside]
    assert row[[OPEN, HIGH, LOW, CLOSE]].tolist() == [
        prices[0], max(prices), min(prices), prices[-1]
    ]  # fmt: skip
    assert row[VOLUME] == sum(t.size for t in inside)
    assert row[BUY_VOLUME] == sum(t.size for t in bought)
    assert row[TURNOVER] == sum(t.size * t.price for t in inside)
    assert row[BUY_TURNOVER] == sum(t.size * t.price for t in bought)
    assert (row[TRADES], row[FIRST_ID]) == (len(inside), inside[0].id)


@pytest.mark.parametrize("name", ["1m", "5m", "15m", "1h", "1d"])
def test_bars_of_every_length_are_the_minutes_added_up(
    name: str, tape: RecordedTape, market: RecordedMarket
) -> None:
    length, now = LENGTHS_MS[name], tape.end_ms + 2 * HOUR_MS
    first = (now - 20 * HOUR_MS) // length * length
    first = max(first, (tape.start_ms - 20 * HOUR_MS) // length * length + length)
    longer = bars(market, length, first, now // length * length + length, now)
    minutes = bars(market, MINUTE_MS, first, now, now)
    assert np.diff(minutes[:, OPEN_MS]).tolist() == [MINUTE_MS] * (len(minutes) - 1)
    assert np.array_equal(join_rows([minutes], length), longer)


def test_minutes_are_the_trades_in_them_also_across_both_seams(
    tape: RecordedTape, market: RecordedMarket
) -> None:
    first = tape.start_ms // MINUTE_MS * MINUTE_MS - 5 * MINUTE_MS
    now = tape.end_ms + 5 * MINUTE_MS
    rows = bars(market, MINUTE_MS, first, now, now)
    for row in rows:
        trades = market.trades_between(BTC, row[OPEN_MS], min(row[OPEN_MS] + MINUTE_MS, now))
        ids = trades.ids_within()
        assert row[[OPEN, CLOSE]].tolist() == trades.prices[[0, -1]].tolist()
        assert (row[HIGH], row[LOW]) == (trades.prices.max(), trades.prices.min())
        assert row[VOLUME] == trades.sizes.sum()
        assert row[FIRST_ID] == ids[0, 0]
        assert row[FIRST_ID] + row[TRADES] - 1 == ids[-1, 1]


def test_ids_and_times_run_on_through_past_tape_and_future(
    tape: RecordedTape, market: RecordedMarket
) -> None:
    start, now = tape.start_ms - 10 * MINUTE_MS, tape.end_ms + 10 * MINUTE_MS
    trades = market.trades_between(BTC, start, now)
    spans = trades.ids_within()
    assert (np.diff(trades.times) >= 0).all()
    assert (spans[1:, 0] == spans[:-1, 1] + 1).all()
    assert trades.first_id == market.first_trade_at(BTC, start)
    assert trades.first_id + len(trades) == market.first_trade_at(BTC, now)
    for low in range(0, len(trades), 97):
        part = market.trades_from_id(BTC, trades.first_id + low, 333, now)
        past = min(low + 333, len(trades))
        assert part.first_id == trades.first_id + low
        assert part.times.tolist() == trades.times[low:past].tolist()
        assert part.prices.tolist() == trades.prices[low:past].tolist()


def test_prices_join_without_a_jump(tape: RecordedTape, market: RecordedMarket) -> None:
    past = market.trades_between(BTC, tape.start_ms - MINUTE_MS, tape.start_ms).prices[-1]
    future = market.trades_between(BTC, tape.end_ms, tape.end_ms + MINUTE_MS).prices[0]
    bid, ask = market.quote(BTC, tape.end_ms)
    assert abs(past / sum(tape.quote(tape.start_ms)) * 2 - 1) < 2e-4
    assert abs(future / sum(tape.quote(tape.end_ms)) * 2 - 1) < 2e-4
    assert abs((bid + ask) - sum(tape.quote(tape.end_ms))) <= 4
    spreads = [np.subtract(*market.quote(BTC, tape.end_ms + s * 1000)[::-1]) for s in range(600)]
    recorded = [np.subtract(*tape.quote(tape.start_ms + s * 1000)[::-1]) for s in range(100)]
    assert max(spreads) <= 3 * np.median(recorded)


def test_the_future_has_books_with_rising_update_ids(
    tape: RecordedTape, market: RecordedMarket
) -> None:
    depths = [market.depth(BTC, tape.end_ms + offset) for offset in range(-500, 1_000, 100)]
    ids = [depth.update_id for depth in depths if depth is not None]
    assert len(ids) == 15
    assert ids == sorted(set(ids))


def test_the_same_file_and_seed_are_the_same_market(tape: RecordedTape) -> None:
    one, same, other = (RecordedMarket(seed, tape) for seed in (5, 5, 6))
    span = (tape.end_ms - 1_000, tape.end_ms + 9 * MINUTE_MS)
    prices = [m.trades_between(BTC, *span).prices.tolist() for m in (one, same, other)]
    assert prices[0] == prices[1] != prices[2]


def test_the_real_recording_has_history_enough_and_no_jump() -> None:
    tape = load_tape(real_recording(REAL))
    market = RecordedMarket(7, tape)
    assert (len(tape.trades), tape.missing_trades, tape.bad_lines) == (5_812, 0, 0)
    for name in ("1m", "15m", "1d"):
        length = LENGTHS_MS[name]
        opens = market.bar_opens(BTC, length, tape.start_ms - 1_500 * length, tape.start_ms - 1)
        rows = bars(market, length, int(opens[0]), tape.start_ms, tape.start_ms)
        assert rows[:, OPEN_MS].tolist() == opens.tolist()
        assert len(rows) >= 1_000
        assert abs(rows[-1, CLOSE] / 6_183_763 - 1) < 2e-4
        assert abs(np.diff(np.log(rows[:, CLOSE]))).max() < 0.3
