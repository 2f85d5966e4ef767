"""Rebuilds the order book from a snapshot and its changes, by the venue's own sequence rule."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.sandbox.market.book import LEVELS
from infra.sandbox.market.draws import Ints
from infra.sandbox.recorded.recording import ASK, BID, Diffs, Snapshot

_Row = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookStates:
    """The best 20 levels a side after each frame of changes, oldest first."""

    times: Ints
    update_ids: Ints
    tables: Ints
    """Shape (n, 2, 20, 2): bids then asks, best first, (price, size); 0 where there is no level."""
    known: NDArray[np.bool_]
    """False from a hole in the changes until the next snapshot, and for a crossed or bare book."""

    def at(self, moment_ms: int) -> int:
        """Index of the state in force at a moment; -1 before the first."""
        return int(np.searchsorted(self.times, moment_ms, side="right")) - 1


class _Side:
    """One side of the book; prices times `sign` rise towards the best."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._ranks: list[int] = []
        self._sizes: dict[int, int] = {}

    def put(self, price: int, size: int) -> None:
        """Set a level's size; 0 removes it."""
        rank = price * self._sign
        if size == 0:
            if self._sizes.pop(rank, None) is not None:
                del self._ranks[bisect_left(self._ranks, rank)]
            return
        if rank not in self._sizes:
            insort(self._ranks, rank)
        self._sizes[rank] = size

    def best(self) -> list[_Row]:
        """Up to 20 levels, best first."""
        return [(rank * self._sign, self._sizes[rank]) for rank in self._ranks[: -LEVELS - 1 : -1]]


class _Book:
    def __init__(self) -> None:
        self._sides = {BID: _Side(1), ASK: _Side(-1)}

    def apply(self, levels: Iterable[Sequence[int]]) -> None:
        for side, price, size in levels:
            self._sides[side].put(price, size)

    def write(self, table: Ints) -> bool:
        """Fill `table` (2, 20, 2); whether the book is sound."""
        bids, asks = self._sides[BID].best(), self._sides[ASK].best()
        for row, levels in zip(table, (bids, asks), strict=True):
            if levels:
                row[: len(levels)] = levels
        return bool(bids and asks and bids[0][0] < asks[0][0])


def rebuild(diffs: Diffs, snapshots: Sequence[Snapshot]) -> BookStates:
    """The states after every frame of changes since the first snapshot that fits."""
    steps = list(_follow(diffs, snapshots))
    first = steps[0][0] if steps else len(diffs.times)
    count = len(diffs.times) - first
    tables = np.zeros((count, 2, LEVELS, 2), dtype=np.int64)
    known = np.zeros(count, dtype=np.bool_)
    for number, book in _replay(diffs, steps):
        known[number - first] = book.write(tables[number - first])
    return BookStates(
        times=diffs.times[first:], update_ids=diffs.last_ids[first:], tables=tables, known=known
    )


def _follow(diffs: Diffs, snapshots: Sequence[Snapshot]) -> Iterator[tuple[int, Snapshot | None]]:
    """(frame, snapshot to start from or None to go on) of every frame whose book is known."""
    rows = zip(
        diffs.first_ids.tolist(), diffs.last_ids.tolist(), diffs.previous_ids.tolist(), strict=True
    )
    reached: int | None = None
    for number, (first, last, previous) in enumerate(rows):
        goes_on = reached == (first - 1 if previous < 0 else previous)
        start = None if goes_on else _fitting(snapshots, first, last)
        if goes_on or start is not None:
            yield number, start
            reached = last
        else:
            reached = None


def _fitting(snapshots: Sequence[Snapshot], first: int, last: int) -> Snapshot | None:
    """A snapshot whose next update lies in a frame."""
    return next((s for s in snapshots if first <= s.update_id + 1 <= last), None)


def _replay(
    diffs: Diffs, steps: Iterable[tuple[int, Snapshot | None]]
) -> Iterator[tuple[int, _Book]]:
    edges = diffs.edges.tolist()
    book = _Book()
    for number, start in steps:
        if start is not None:
            book = _Book()
            book.apply(start.levels.tolist())
        book.apply(diffs.levels[edges[number] : edges[number + 1]].tolist())
        yield number, book
