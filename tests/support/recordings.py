"""Small made-up recordings in the real format, with the truth they were made from."""

import gzip
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

START_MS = 1_723_161_255_000
RECEIVE_LAG_MS = -1_270
"""The receive clock of the real recordings is behind the exchange's."""
FIRST_TRADE = 3_735_683_259
FIRST_UPDATE = 50_093_239_000
LEVELS = 30
REAL_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "2_binance_ws_raw"

Side = dict[int, int]
"""Size in 10^-5 by price in 10^-2."""


@dataclass(frozen=True, slots=True)
class TradeTruth:
    """One single trade; price in 10^-2, size in 10^-5."""

    id: int
    time_ms: int
    price: int
    size: int
    buyer_maker: bool


@dataclass(slots=True)
class MadeRecording:
    """Lines to be changed by a test before `write`."""

    lines: list[bytes] = field(default_factory=list)
    trades: list[TradeTruth] = field(default_factory=list)
    books: list[tuple[int, int, Side, Side]] = field(default_factory=list)
    """(time, update id, bids, asks) after each frame of changes."""

    def write(self, file: Path) -> Path:
        """Store, gzip'ed when the name says so."""
        body = b"".join(self.lines)
        file.write_bytes(gzip.compress(body) if file.suffix == ".gz" else body)
        return file

    def index(self, kind: str, number: int = 0) -> int:
        """Position of the `number`-th line that contains `kind`."""
        found = [i for i, line in enumerate(self.lines) if kind.encode() in line]
        return found[number]


def make_recording(seconds: float = 20.0, seed: int = 1, symbol: str = "BTCUSDT") -> MadeRecording:
    """A random walk: book changes every 100 ms, a snapshot with the third, trades between."""
    source, made = random.Random(seed), MadeRecording()
    bid, update, trade_id = 6_183_763, FIRST_UPDATE, FIRST_TRADE
    before: tuple[Side, Side] = ({}, {})
    for number in range(round(seconds * 10)):
        moment = START_MS + 8 + number * 100
        trade_id = _trades(made, source, symbol, moment, bid, trade_id)
        if number % 5 == 0:
            bid += source.randint(-25, 25)
            book = _side(bid, -1, source), _side(bid + source.randint(1, 3), 1, source)
        else:
            book = _stirred(before[0], source), _stirred(before[1], source)
        frame, count = _changes(before, book)
        first, update, before = update + 1, update + max(count, 1), book
        event = {"e": "depthUpdate", "E": moment, "s": symbol, "U": first, "u": update, **frame}
        if number:
            made.lines.append(_line(moment, symbol, "depth@100ms", event))
        made.lines.append(_ticker(moment, symbol, update, book))
        if number == 2:
            made.lines.append(snapshot_line(moment, update, book))
        made.books.append((moment, update, *book))
    return made


def snapshot_line(moment: int, update: int, book: tuple[Side, Side]) -> bytes:
    """The whole book as the venue answers it over REST."""
    sides = ([[_price(p), _size(s)] for p, s in side.items()] for side in book)
    body = dict(zip(("lastUpdateId", "bids", "asks"), (update, *sides), strict=True))
    return b"%d %s\n" % (_received(moment), _json(body))


def real_recording(name: str) -> Path:
    """A real recording read in place; skips the test where it is not there."""
    file = REAL_FOLDER / name
    if not file.exists():
        pytest.skip(f"needs the recorded file {file}")
    return file


def _trades(
    made: MadeRecording, source: random.Random, symbol: str, end_ms: int, bid: int, next_id: int
) -> int:
    moments = sorted(end_ms - source.randint(0, 99) for _ in range(source.randint(0, 3)))
    for moment in moments:
        sold = source.random() < 0.5
        for _ in range(source.randint(1, 3)):
            price = (bid if sold else bid + 1) + source.choice((0, 0, 0, 1))
            truth = TradeTruth(next_id, moment, price, source.randint(1, 40_000), sold)
            made.trades.append(truth)
            event = {
                "e": "trade", "E": moment + 1, "s": symbol, "t": next_id, "p": _price(price),
                "q": _size(truth.size), "T": moment, "m": sold, "M": True,
            }  # fmt: skip
            made.lines.append(_line(moment, symbol, "trade", event))
            next_id += 1
    return next_id


def _side(best: int, direction: int, source: random.Random) -> Side:
    places = [best + direction * level * 7 for level in range(LEVELS)]
    return {price: source.randint(1, 500_000) for price in places}


def _stirred(side: Side, source: random.Random) -> Side:
    """The same prices, one size changed."""
    return side | {source.choice(list(side)): source.randint(1, 500_000)}


def _changes(before: tuple[Side, Side], after: tuple[Side, Side]) -> tuple[dict[str, Any], int]:
    frame = {}
    for name, old, new in zip("ba", before, after, strict=True):
        gone = dict.fromkeys(old.keys() - new.keys(), 0)
        changed = gone | {price: size for price, size in new.items() if old.get(price) != size}
        frame[name] = [[_price(price), _size(size)] for price, size in sorted(changed.items())]
    return frame, sum(map(len, frame.values()))


def _ticker(moment: int, symbol: str, update: int, book: tuple[Side, Side]) -> bytes:
    bid, ask = max(book[0]), min(book[1])
    data = {
        "u": update, "s": symbol, "b": _price(bid), "B": _size(book[0][bid]), "a": _price(ask),
        "A": _size(book[1][ask]),
    }  # fmt: skip
    return _line(moment, symbol, "bookTicker", data)


def _line(moment: int, symbol: str, kind: str, data: dict[str, Any]) -> bytes:
    body = {"stream": f"{symbol.lower()}@{kind}", "data": data}
    return b"%d %s\n" % (_received(moment), _json(body))


def _received(moment: int) -> int:
    return (moment + RECEIVE_LAG_MS) * 1_000_000 + 68


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _price(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02d}000000"


def _size(steps: int) -> str:
    return f"{steps // 100_000}.{steps % 100_000:05d}000"
