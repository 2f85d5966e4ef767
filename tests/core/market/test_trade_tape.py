"""The tape's windows equal a brute-force recomputation, through trims, gaps and repairs."""

import json
import random
from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from gzip import open as open_gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market import trade_tape
from core.market.trade_tape import TapeWindow, TradeTape
from core.model.market import TradeTick
from tests.support.market_data import START_MS, make_tick
from tests.support.recorded import DATA

WINDOWS = (10, 30, 60, 180, 300, 600, 900)
RECORDED = DATA / "3_binance_trades_klines/freqtrade_XRPETH_aggTrades_20191011-13.json.gz"


def brute_force(trades: Sequence[TradeTick], seconds: int, now_ms: int) -> TapeWindow:
    """The window counted one trade at a time, in exact decimals."""
    start = now_ms - seconds * 1000
    inside = [tick for tick in trades if start < tick.event_ms <= now_ms]
    volumes = {True: Decimal(0), False: Decimal(0)}
    for tick in inside:
        volumes[tick.buyer_maker] += Decimal(repr(tick.size))
    return TapeWindow(
        trades=len(inside),
        buy=float(volumes[False]),
        sell=float(volumes[True]),
        first_price=inside[0].price if inside else None,
        last_price=inside[-1].price if inside else None,
        gap=not trades or start < trades[0].event_ms,
    )


def taped(trades: Sequence[TradeTick]) -> TradeTape:
    tape = TradeTape()
    for tick in trades:
        tape.append(tick)
    return tape


def random_trades(count: int, seed: int, step_ms: int = 400) -> list[TradeTick]:
    source = random.Random(seed)
    moment, trades = START_MS, []
    for trade_id in range(1, count + 1):
        moment += source.randrange(step_ms)
        tick = make_tick(
            trade_id,
            price=round(60_000 + source.gauss(0, 50), 2),
            size=source.randrange(1, 10**9) / 10**8,
            buyer_maker=source.random() < 0.5,
            event_ms=moment,
        )
        trades.append(tick)
    return trades


_steps = st.tuples(
    st.integers(min_value=0, max_value=200_000),
    st.integers(min_value=1, max_value=10**10),
    st.booleans(),
)


@given(
    steps=st.lists(_steps, max_size=60),
    seconds=st.sampled_from(WINDOWS),
    later=st.integers(min_value=-100_000, max_value=1_000_000),
)
def test_any_window_equals_brute_force(
    steps: list[tuple[int, int, bool]], seconds: int, later: int
) -> None:
    moment, trades = START_MS, []
    for trade_id, (wait, units, sold) in enumerate(steps, start=1):
        moment += wait
        tick = make_tick(trade_id, size=units / 10**8, buyer_maker=sold, event_ms=moment)
        trades.append(tick)
    now_ms = moment + later
    assert taped(trades).window(seconds, now_ms) == brute_force(trades, seconds, now_ms)


def test_windows_stay_exact_after_many_trims() -> None:
    trades = random_trades(20_000, seed=3)
    tape = taped(trades)
    now_ms = trades[-1].event_ms
    assert len(tape) < 900_000 / 200 + trade_tape.TRIM_EVERY + 200
    for seconds in WINDOWS:
        assert tape.window(seconds, now_ms) == brute_force(trades, seconds, now_ms)
        assert not tape.window(seconds, now_ms).gap


def test_memory_is_bounded_however_fast_trades_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade_tape, "MOST_TRADES", 3_000)
    tape = taped(random_trades(10_000, seed=1, step_ms=2))
    assert len(tape) < 3_000 + trade_tape.TRIM_EVERY


def test_a_time_that_steps_back_does_not_break_the_order() -> None:
    tape = taped([make_tick(1, event_ms=START_MS + 900), make_tick(2, event_ms=START_MS + 100)])
    assert tape.window(1, START_MS + 1_000).trades == 2


def test_a_hole_marks_only_the_windows_that_touch_it() -> None:
    tape = TradeTape()
    tape.append(make_tick(1, event_ms=START_MS))
    tape.append(make_tick(2, event_ms=START_MS + 20_000))
    tape.mark_gap(3, 5)
    tape.append(make_tick(6, event_ms=START_MS + 21_000))
    tape.append(make_tick(7, event_ms=START_MS + 60_000))
    assert tape.gaps() == ((3, 5),)
    assert tape.window(40, START_MS + 60_000).gap
    assert not tape.window(39, START_MS + 60_000).gap
    assert not tape.window(10, START_MS + 19_000).gap


@pytest.mark.parametrize("first_missing", [500, 4_500, 9_000])
def test_a_repaired_tape_equals_one_that_never_missed_anything(first_missing: int) -> None:
    trades = random_trades(9_900, seed=5, step_ms=200)
    missing = trades[first_missing : first_missing + 40]
    tape = TradeTape()
    for index, tick in enumerate(trades[: first_missing + 300]):
        if tick is missing[0]:
            tape.mark_gap(missing[0].trade_id, missing[-1].trade_id)
        if not first_missing <= index < first_missing + 40:
            tape.append(tick)
    assert tape.fill_gap(missing[0].trade_id, missing)
    assert tape.gaps() == ()
    for tick in trades[first_missing + 300 :]:
        tape.append(tick)
    now_ms = trades[-1].event_ms
    for seconds in WINDOWS:
        assert tape.window(seconds, now_ms) == brute_force(trades, seconds, now_ms)


def test_two_holes_can_be_repaired_in_any_order() -> None:
    trades = random_trades(100, seed=9)
    tape = TradeTape()
    for tick in trades:
        if tick.trade_id in (21, 61):
            tape.mark_gap(tick.trade_id, tick.trade_id + 4)
        if tick.trade_id not in (*range(21, 26), *range(61, 66)):
            tape.append(tick)
    assert tape.fill_gap(21, trades[20:25])
    assert tape.fill_gap(61, trades[60:65])
    now_ms = trades[-1].event_ms
    assert tape.window(10, now_ms) == brute_force(trades, 10, now_ms)


def test_an_incomplete_repair_is_refused() -> None:
    tape = TradeTape()
    tape.append(make_tick(1))
    tape.mark_gap(2, 4)
    tape.append(make_tick(5))
    assert not tape.fill_gap(2, [make_tick(2), make_tick(4)])
    assert not tape.fill_gap(3, [make_tick(3)])
    assert tape.window(1, START_MS + 600).gap


def test_recorded_trades_equal_brute_force_at_a_thousand_instants() -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded Binance trades are not on this machine")
    with open_gzip(RECORDED, "rt", encoding="utf-8") as file:
        rows = [record["info"] for record in json.load(file)][:12_000]
    trades = [_recorded(row) for row in rows]
    source = random.Random(7)
    instants: list[int] = []
    for _ in range(1_000):
        insort(instants, source.randrange(trades[0].event_ms, trades[-1].event_ms))
    tape, fed = TradeTape(), 0
    for instant in instants:
        while trades[fed].event_ms <= instant:
            tape.append(trades[fed])
            fed += 1
        seconds = source.choice(WINDOWS)
        found = tape.window(seconds, instant)
        # Only the last 900 s can matter, and scanning 12,000 trades a thousand times is slow.
        recent = [t for t in trades[max(0, fed - 2_500) : fed] if t.event_ms > instant - 1_000_000]
        assert replace(found, gap=False) == replace(
            brute_force(recent, seconds, instant), gap=False
        )


def _recorded(row: dict[str, str]) -> TradeTick:
    return make_tick(
        int(row["a"]),
        price=float(row["p"]),
        size=float(row["q"]),
        buyer_maker=bool(row["m"]),
        event_ms=int(row["T"]),
    )


def test_trades_from_before_the_first_make_young_windows_whole() -> None:
    trades = random_trades(300, seed=5)
    tape = taped(trades[290:291])
    tape.expect_earlier(1, 290)
    assert tape.window(30, trades[290].event_ms).gap
    tape.append(trades[291])
    assert tape.earlier() == (1, 290)
    assert tape.fill_gap(1, trades[:290])
    for late in trades[292:]:
        tape.append(late)
    now_ms = trades[-1].event_ms
    assert tape.window(30, now_ms) == taped(trades).window(30, now_ms)
    assert not tape.window(30, now_ms).gap
    assert tape.earlier() is None
