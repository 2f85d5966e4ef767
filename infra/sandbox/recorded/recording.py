"""What a recording holds, as columns of whole numbers (prices and sizes in 10^-8)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.model.instrument import MarketClass
from infra.sandbox.market.draws import Ints

BID, ASK = 1, -1
"""Sides of a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTrades:
    """Trades, oldest first, ids rising."""

    ids: Ints
    times: Ints
    """Exchange time, milliseconds since 1970, never falling."""
    prices: Ints
    sizes: Ints
    buyer_maker: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffs:
    """Book changes: frame i holds `levels[edges[i] : edges[i + 1]]`."""

    times: Ints
    first_ids: Ints
    last_ids: Ints
    previous_ids: Ints
    """`last_id` of the frame before; -1 where the venue does not say."""
    edges: Ints
    levels: Ints
    """Shape (n, 3): side (BID or ASK), price, new size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole book after `update_id`; `levels` as in Diffs."""

    update_id: int
    levels: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One symbol's recorded minutes."""

    symbol: str
    """Lower case."""
    market: MarketClass
    identity: str
    """A digest of the file: another file is another market."""
    trades: RawTrades
    diffs: Diffs
    snapshots: tuple[Snapshot, ...]
    tickers: Ints
    """Shape (n, 5): update id, bid, its size, ask, its size."""
    lines: int
    bad_lines: int
