"""The rebuilt book is the venue's book, and where it cannot be known it says so."""

from pathlib import Path

import numpy as np
import pytest

from infra.sandbox.recorded.books import BookStates, rebuild
from infra.sandbox.recorded.reader import read_recording
from infra.sandbox.recorded.tape import load_tape
from tests.support.recordings import (
    MadeRecording,
    Side,
    make_recording,
    real_recording,
    snapshot_line,
)


def states_of(made: MadeRecording, folder: Path) -> BookStates:
    recording = read_recording(made.write(folder / "tape.jsonl"))
    return rebuild(recording.diffs, recording.snapshots)


def best(side: Side, sign: int) -> list[list[int]]:
    """The 20 best levels in the recording's units."""
    prices = sorted(side, key=lambda price: sign * price)[:20]
    return [[price * 10**6, side[price] * 10**3] for price in prices]


@pytest.mark.parametrize("seed", range(5))
def test_every_state_is_the_book_it_was_made_from(tmp_path: Path, seed: int) -> None:
    made = make_recording(15, seed)
    states = states_of(made, tmp_path)
    truth = made.books[3:]
    assert states.times.tolist() == [moment for moment, *_ in truth]
    assert states.update_ids.tolist() == [update for _, update, *_ in truth]
    assert states.known.all()
    for table, (_, _, bids, asks) in zip(states.tables.tolist(), truth, strict=True):
        assert table == [best(bids, -1), best(asks, 1)]


def test_a_hole_in_the_changes_is_marked_until_a_snapshot_fits(tmp_path: Path) -> None:
    made, again = make_recording(10), make_recording(10)
    lost = made.index("@depth", 39)
    del made.lines[lost]
    assert states_of(made, tmp_path).known.sum() == 37
    moment, update, bids, asks = again.books[60]
    made.lines.insert(lost, snapshot_line(moment, update, (bids, asks)))
    states = states_of(made, tmp_path)
    unknown = states.times[~states.known]
    assert unknown[0] > again.books[40][0]
    assert unknown[-1] == moment
    assert states.known[-1]
    assert states.tables[-1].tolist() == [best(again.books[-1][2], -1), best(again.books[-1][3], 1)]


def test_the_desk_sees_no_book_in_a_hole_and_the_last_quote(tmp_path: Path) -> None:
    made = make_recording(10)
    del made.lines[made.index("@depth", 39)]
    tape = load_tape(made.write(tmp_path / "tape.gz"))
    moment = made.books[50][0]
    assert tape.depth(moment) is None
    bids, asks = made.books[39][2:]
    assert tape.quote(moment) == (max(bids), min(asks))


def test_the_book_of_a_slot_is_the_last_one_before_its_edge(tmp_path: Path) -> None:
    made = make_recording(10)
    tape = load_tape(made.write(tmp_path / "tape.gz"))
    for moment in range(tape.start_ms, tape.end_ms, 17):
        edge = moment // 100 * 100
        _, update, bids, asks = [book for book in made.books if book[0] <= edge][-1]
        depth = tape.depth(moment)
        assert depth is not None
        assert depth.update_id == update
        assert dict(depth.bids.tolist()).items() <= bids.items()
        assert tape.quote(moment) == (max(bids), min(asks))


def test_a_crossed_book_is_not_shown(tmp_path: Path) -> None:
    made = make_recording(5)
    place = made.index("@depth", 30)
    line = made.lines[place]
    made.lines[place] = line.replace(b'"b":[', b'"b":[["99999.00","1.0"],', 1)
    states = states_of(made, tmp_path)
    assert not states.known[28:].any()
    assert states.known[:28].all()


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("hftbacktest_spot_btcusdt_20240808.gz", 3_449),
        ("hftbacktest_usdm_btcusdt_20240808.gz", 6_547),
    ],
)
def test_the_real_book_equals_the_recorded_best_prices_and_sizes(name: str, least: int) -> None:
    recording = read_recording(real_recording(name))
    states = rebuild(recording.diffs, recording.snapshots)
    assert states.known.all()
    tickers = recording.tickers[np.argsort(recording.tickers[:, 0], kind="stable")]
    last = np.searchsorted(tickers[:, 0], states.update_ids, side="right") - 1
    rebuilt = np.concatenate([states.tables[:, 0, 0], states.tables[:, 1, 0]], axis=1)
    assert (last >= 0).sum() == least
    assert np.array_equal(rebuilt, tickers[last, 1:])
