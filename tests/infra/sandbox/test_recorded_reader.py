"""Reading a recording: exact numbers, bad lines skipped, unusable files refused in one line."""

import asyncio
import gzip
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StartupRefusedError
from infra.sandbox.recorded.lines import BadLineError, parse_line, units
from infra.sandbox.recorded.reader import read_recording
from infra.sandbox.recorded.tape import load_tape, open_tape
from tests.support.recordings import MadeRecording, make_recording, real_recording

SPOT = "hftbacktest_spot_btcusdt_20240808.gz"


@given(st.decimals(min_value=0, max_value=Decimal("9999999999"), places=8))
def test_texts_become_exact_whole_numbers(number: Decimal) -> None:
    assert units(format(number, "f")) == int(number * 10**8)
    assert units(f"{number.normalize():f}") == int(number * 10**8)


@pytest.mark.parametrize(
    "text", ["", ".", "-1", "+1", "1e5", "nan", "1_0", "1.123456789", "٣", " 1", "9" * 19, "1.2.3"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadLineError):
        units(text)


@given(st.binary(max_size=200))
def test_no_bytes_can_do_more_than_make_a_bad_line(junk: bytes) -> None:
    for line in (junk, b"1723161253937085768 " + junk):
        with suppress(BadLineError):
            parse_line(line)


def test_a_frame_of_another_stream_is_passed_over_and_a_wrong_clock_is_not() -> None:
    body = b'{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}'
    assert parse_line(b"1723161253937085768 " + body) is None
    made = make_recording(2)
    line = made.lines[made.index("@trade")]
    with pytest.raises(BadLineError, match="hour apart"):
        parse_line(b"1523161253937085768 " + line.partition(b" ")[2])


@pytest.mark.parametrize("name", ["tape.gz", "tape.jsonl"])
def test_columns_are_what_was_written(tmp_path: Path, name: str) -> None:
    made = make_recording(10)
    found = read_recording(made.write(tmp_path / name))
    assert (found.symbol, found.market, found.bad_lines) == ("btcusdt", "spot", 0)
    assert found.lines == len(made.lines)
    truth = [(t.id, t.time_ms, t.price * 10**6, t.size * 10**3) for t in made.trades]
    columns = (found.trades.ids, found.trades.times, found.trades.prices, found.trades.sizes)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == truth
    assert found.trades.buyer_maker.tolist() == [t.buyer_maker for t in made.trades]
    assert found.diffs.last_ids.tolist() == [update for _, update, _, _ in made.books[1:]]


def test_bad_lines_are_counted_and_skipped(tmp_path: Path) -> None:
    clean = make_recording(10)
    spoilt = make_recording(10)
    trade = spoilt.lines[spoilt.index("@trade", 20)]
    junk = [
        b"\n",
        b"garbage\n",
        b"\xff\xfe\x00\n",
        trade[: len(trade) // 2] + b"\n",
        trade.replace(b'"p":"', b'"p":"-'),
        trade,
        b"1723161253937085768 " + b"[" * 5_000 + b"\n",
        b'1723161253937085768 {"stream":"btcusdt@trade","data":{"s":"ETHUSDT"}}\n',
    ]
    spoilt.lines[200:200] = junk
    twice = spoilt.index("@trade", 2)
    spoilt.lines.insert(twice, spoilt.lines[twice])
    one = read_recording(clean.write(tmp_path / "clean.gz"))
    other = read_recording(spoilt.write(tmp_path / "spoilt.gz"))
    assert other.bad_lines == len(junk) + 1
    assert other.trades.ids.tolist() == one.trades.ids.tolist()
    assert other.diffs.levels.tolist() == one.diffs.levels.tolist()
    assert one.identity != other.identity


def _truncated(made: MadeRecording, file: Path) -> None:
    file.write_bytes(gzip.compress(b"".join(made.lines))[:-2_000])


def _damaged(made: MadeRecording, file: Path) -> None:
    body = bytearray(gzip.compress(b"".join(made.lines)))
    body[len(body) // 2 : len(body) // 2 + 40] = bytes(40)
    file.write_bytes(body)


def _without(kind: str) -> Callable[[MadeRecording, Path], None]:
    def write(made: MadeRecording, file: Path) -> None:
        made.lines = [line for line in made.lines if kind.encode() not in line]
        made.write(file)

    return write


def _two_markets(made: MadeRecording, file: Path) -> None:
    made.lines += make_recording(3, symbol="ETHUSDT").lines
    made.write(file)


def _other_market(made: MadeRecording, file: Path) -> None:
    make_recording(3, symbol="DOGEUSDT").write(file)


def _too_fine(made: MadeRecording, file: Path) -> None:
    place = made.index("@trade", 50)
    made.lines[place] = made.lines[place].replace(b'000","q"', b'001","q"')
    made.write(file)


def _too_short(made: MadeRecording, file: Path) -> None:
    make_recording(0.9, seed=3).write(file)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_truncated, "cut off or damaged"),
        (_damaged, "cut off or damaged"),
        (lambda made, file: file.write_bytes(b""), "0 of 0 lines"),
        (lambda made, file: file.write_bytes(b"\x1f\x8bnot gzip"), "cut off or damaged"),
        (lambda made, file: file.write_bytes(bytes(range(256)) * 999), "not a recording"),
        (lambda made, file: file.mkdir(), "cannot be read: "),
        (lambda made, file: None, "cannot be read: no such file"),
        (_without("@trade"), "needs trades"),
        (_without("@depth"), "book changes"),
        (_without("lastUpdateId"), "book snapshot"),
        (_two_markets, "several markets"),
        (_other_market, "does not list"),
        (_too_fine, "finer prices"),
        (_too_short, "1 s to 6 hours"),
    ],
)
def test_an_unusable_file_is_refused_in_one_plain_line(
    tmp_path: Path, spoil: Callable[[MadeRecording, Path], object], said: str
) -> None:
    file = tmp_path / "tape.gz"
    spoil(make_recording(5), file)
    with pytest.raises(StartupRefusedError, match=said) as refusal:
        load_tape(file)
    assert "\n" not in str(refusal.value)


async def test_reading_the_real_recording_leaves_the_loop_its_turns() -> None:
    file = real_recording(SPOT)
    worst = 0.0
    loading = asyncio.create_task(open_tape(file))
    began = last = time.perf_counter()
    while not loading.done():
        await asyncio.sleep(0.001)
        worst, last = max(worst, time.perf_counter() - last), time.perf_counter()
    assert (await loading).bad_lines == 0
    assert worst < (last - began) / 3
