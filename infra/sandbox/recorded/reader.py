"""Reads a recording, gzip'ed or plain, line by line into compact columns."""

import gzip
import hashlib
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.errors import StartupRefusedError
from core.model.instrument import MarketClass
from infra.sandbox.market.draws import Ints
from infra.sandbox.recorded.lines import (
    BadLineError,
    DiffFrame,
    Frame,
    Level,
    SnapshotFrame,
    TickerFrame,
    TradeFrame,
    parse_line,
    units,
)
from infra.sandbox.recorded.recording import ASK, BID, Diffs, RawTrades, Recording, Snapshot

_GZIP_MARK = b"\x1f\x8b"
_LONGEST_LINE = 4 << 20


def read_recording(file: Path) -> Recording:
    """Everything playable in `file`; bad lines are counted and skipped.

    Raises StartupRefusedError with one plain line when the file cannot be read or holds no market.
    """
    columns = _Columns()
    try:
        with file.open("rb") as raw:
            identity = hashlib.file_digest(raw, "sha256").hexdigest()[:16]
            raw.seek(0)
            zipped = raw.read(len(_GZIP_MARK)) == _GZIP_MARK
            raw.seek(0)
            source = gzip.GzipFile(fileobj=raw) if zipped else raw
            columns.take_all(lambda: source.readline(_LONGEST_LINE))
    except (EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise StartupRefusedError(f"{file} is cut off or damaged; copy it again.") from e
    except OSError as e:
        reason = (e.strerror or type(e).__name__).lower()
        raise StartupRefusedError(f"{file} cannot be read: {reason}.") from e
    return columns.finish(file, identity)


class _Columns:
    """Grows while lines are read."""

    def __init__(self) -> None:
        self._symbols: set[str] = set()
        self._lines = 0
        self._bad_lines = 0
        self._futures = False
        self._trades = array("q")
        self._diffs = array("q")
        self._edges = array("q", [0])
        self._levels = array("q")
        self._tickers = array("q")
        self._snapshots: list[Snapshot] = []

    def take_all(self, read_line: Callable[[], bytes]) -> None:
        """Read to the end."""
        while line := read_line():
            self._lines += 1
            try:
                frame = parse_line(line)
                if frame is not None:
                    self._take(frame)
            except BadLineError:
                self._bad_lines += 1

    def _take(self, frame: Frame) -> None:
        if not isinstance(frame, SnapshotFrame):
            self._symbols.add(frame.symbol)
        match frame:
            case TradeFrame():
                self._take_trade(frame)
            case DiffFrame():
                self._take_diff(frame)
            case TickerFrame():
                best = (frame.bid, frame.bid_size, frame.ask, frame.ask_size)
                self._tickers.extend((frame.update_id, *map(units, best)))
            case SnapshotFrame():
                levels = np.array(_rows(frame.bids, frame.asks), dtype=np.int64).reshape(-1, 3)
                self._snapshots.append(Snapshot(update_id=frame.update_id, levels=levels))

    def _take_trade(self, frame: TradeFrame) -> None:
        price, size = units(frame.price), units(frame.size)
        last_id, last_time = self._trades[-5:-3] or (-1, 0)
        if min(price, size) <= 0 or frame.id <= last_id or frame.time_ms < last_time:
            raise BadLineError("an impossible trade")
        row = (frame.id, frame.time_ms, price, size, int(frame.buyer_maker))
        self._trades.extend(row)

    def _take_diff(self, frame: DiffFrame) -> None:
        rows = _rows(frame.bids, frame.asks)
        last_id, last_time = self._diffs[-2:] or (-1, 0)
        backwards = frame.last_id <= last_id or frame.time_ms < last_time
        if backwards or frame.first_id > frame.last_id:
            raise BadLineError("a book change out of order")
        previous = -1 if frame.previous_id is None else frame.previous_id
        self._futures |= frame.previous_id is not None
        self._diffs.extend((previous, frame.first_id, frame.last_id, frame.time_ms))
        for row in rows:
            self._levels.extend(row)
        self._edges.append(len(self._levels) // 3)

    def finish(self, file: Path, identity: str) -> Recording:
        """The recording; raises StartupRefusedError when it is none."""
        if not (self._trades and self._diffs and self._snapshots):
            raise StartupRefusedError(
                f"{file} is not a recording the desk can play: it needs trades, book changes and a"
                f" book snapshot ({self._lines - self._bad_lines:,} of {self._lines:,} lines could"
                " be read)."
            )
        if len(self._symbols) > 1:
            names = ", ".join(sorted(self._symbols))
            raise StartupRefusedError(f"{file} holds several markets ({names}); one can be played.")
        return Recording(
            symbol=self._symbols.pop().lower(),
            market=MarketClass.FUTURES if self._futures else MarketClass.SPOT,
            identity=identity,
            trades=self._finish_trades(),
            diffs=self._finish_diffs(),
            snapshots=tuple(self._snapshots),
            tickers=_table(self._tickers, 5),
            lines=self._lines,
            bad_lines=self._bad_lines,
        )

    def _finish_trades(self) -> RawTrades:
        ids, times, prices, sizes, makers = np.ascontiguousarray(_table(self._trades, 5).T)
        return RawTrades(
            ids=ids, times=times, prices=prices, sizes=sizes, buyer_maker=makers.astype(np.bool_)
        )

    def _finish_diffs(self) -> Diffs:
        previous, first, last, times = np.ascontiguousarray(_table(self._diffs, 4).T)
        return Diffs(
            times=times,
            first_ids=first,
            last_ids=last,
            previous_ids=previous,
            edges=np.array(self._edges, dtype=np.int64),
            levels=_table(self._levels, 3),
        )


def _rows(bids: list[Level], asks: list[Level]) -> list[tuple[int, int, int]]:
    """(side, price, size) of both sides."""
    rows = [(BID, units(price), units(size)) for price, size in bids]
    rows += [(ASK, units(price), units(size)) for price, size in asks]
    return rows


def _table(values: "array[int]", columns: int) -> Ints:
    return np.array(values, dtype=np.int64).reshape(-1, columns)
