"""Bars as a matrix of whole numbers: prices in ticks, sizes in steps, so sums are exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.sandbox.market.draws import Ints

(
    OPEN_MS,
    OPEN,
    HIGH,
    LOW,
    CLOSE,
    VOLUME,
    BUY_VOLUME,
    TURNOVER,
    BUY_TURNOVER,
    TRADES,
    FIRST_ID,
) = range(11)
"""Columns. TURNOVER is the sum of price x size; BUY_ columns count aggressive buys only."""
COLUMNS = 11
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Consecutive trades as columns, oldest first; ids are `first_id`, `first_id` + 1, …"""

    first_id: int
    times: Ints
    """Milliseconds since 1970."""
    prices: Ints
    sizes: Ints
    buyer_maker: NDArray[np.bool_]
    """True means the aggressor sold."""
    raw_ids: Ints | None = None
    """Shape (n, 2): first and last id of the single trades in each; None: each is one, same id."""

    def __len__(self) -> int:
        return len(self.times)

    def between(self, start_ms: int, end_ms: int) -> "Trades":
        """Those with start <= time < end."""
        low, high = np.searchsorted(self.times, [start_ms, end_ms])
        return self.part(int(low), int(high))

    def part(self, low: int, high: int) -> "Trades":
        """Those at positions low <= i < high."""
        return Trades(
            first_id=self.first_id + low,
            times=self.times[low:high],
            prices=self.prices[low:high],
            sizes=self.sizes[low:high],
            buyer_maker=self.buyer_maker[low:high],
            raw_ids=None if self.raw_ids is None else self.raw_ids[low:high],
        )

    def ids_within(self) -> Ints:
        """Shape (n, 2): first and last id of the single trades in each."""
        if self.raw_ids is not None:
            return self.raw_ids
        ids = np.arange(self.first_id, self.first_id + len(self))
        return np.stack([ids, ids], axis=1)


def join_trades(parts: list[Trades]) -> Trades:
    """Adjoining pieces as one; `parts` is not empty."""
    if len(parts) == 1:
        return parts[0]
    single = all(p.raw_ids is None for p in parts)
    return Trades(
        first_id=parts[0].first_id,
        times=np.concatenate([p.times for p in parts]),
        prices=np.concatenate([p.prices for p in parts]),
        sizes=np.concatenate([p.sizes for p in parts]),
        buyer_maker=np.concatenate([p.buyer_maker for p in parts]),
        raw_ids=None if single else np.concatenate([p.ids_within() for p in parts]),
    )


def no_rows() -> Ints:
    """An empty matrix of bars."""
    return np.empty((0, COLUMNS), dtype=np.int64)


def minute_rows(trades: Trades, first_ms: int, minutes: int, last_price: int) -> Ints:
    """One-minute bars of `trades`; a minute without any repeats the last price with volume 0."""
    edges = first_ms + np.arange(minutes + 1) * MINUTE_MS
    bounds = np.searchsorted(trades.times, edges)
    counts = np.diff(bounds)
    rows = np.zeros((minutes, COLUMNS), dtype=np.int64)
    rows[:, OPEN_MS] = edges[:-1]
    _number(rows, bounds, trades)
    full = np.flatnonzero(counts)
    if len(full):
        _fill(rows, full, bounds, trades)
    _repeat_close(rows, np.flatnonzero(counts == 0), last_price)
    return rows


def _number(rows: Ints, bounds: Ints, trades: Trades) -> None:
    """Count single trades; a minute without any carries the id of the next one."""
    first, last = trades.ids_within().T
    singles = np.concatenate([[0], np.cumsum(last - first + 1)])
    after = int(last[-1]) + 1 if len(last) else trades.first_id
    rows[:, TRADES] = np.diff(singles[bounds])
    rows[:, FIRST_ID] = np.append(first, after)[bounds[:-1]]


def _fill(rows: Ints, full: Ints, bounds: Ints, trades: Trades) -> None:
    first = bounds[:-1][full]
    turnover = trades.prices * trades.sizes
    bought = ~trades.buyer_maker
    rows[full, OPEN] = trades.prices[first]
    rows[full, HIGH] = np.maximum.reduceat(trades.prices, first)
    rows[full, LOW] = np.minimum.reduceat(trades.prices, first)
    rows[full, CLOSE] = trades.prices[bounds[1:][full] - 1]
    rows[full, VOLUME] = np.add.reduceat(trades.sizes, first)
    rows[full, BUY_VOLUME] = np.add.reduceat(trades.sizes * bought, first)
    rows[full, TURNOVER] = np.add.reduceat(turnover, first)
    rows[full, BUY_TURNOVER] = np.add.reduceat(turnover * bought, first)


def _repeat_close(rows: Ints, empty: Ints, last_price: int) -> None:
    for minute in empty:
        price = rows[minute - 1, CLOSE] if minute else last_price
        rows[minute, OPEN : CLOSE + 1] = price


def aggregate(rows: Ints, length_ms: int) -> Ints:
    """Longer bars from shorter ones (oldest first); edges are multiples of `length_ms` in UTC."""
    if len(rows) == 0:
        return rows
    opens = rows[:, OPEN_MS] // length_ms * length_ms
    first = np.flatnonzero(np.concatenate([[True], np.diff(opens) > 0]))
    if len(first) == len(rows):
        merged = rows.copy()
        merged[:, OPEN_MS] = opens
        return merged
    merged = np.add.reduceat(rows, first, axis=0)
    merged[:, OPEN_MS] = opens[first]
    merged[:, OPEN] = rows[first, OPEN]
    merged[:, HIGH] = np.maximum.reduceat(rows[:, HIGH], first)
    merged[:, LOW] = np.minimum.reduceat(rows[:, LOW], first)
    merged[:, CLOSE] = rows[np.append(first[1:], len(rows)) - 1, CLOSE]
    merged[:, FIRST_ID] = rows[first, FIRST_ID]
    return merged
