"""Aggregated trades out of single ones, as the venue aggregates them."""

import numpy as np

from infra.sandbox.market.rows import Trades
from infra.sandbox.recorded.recording import RawTrades


def aggregate_trades(raw: RawTrades) -> Trades:
    """Neighbours of one aggressor, price, side and millisecond become one; sizes add up exactly.

    The recording does not hold the venue's own aggregate ids, so they count on from the first
    single trade's id, without a hole.
    """
    same = (
        (np.diff(raw.ids) == 1)
        & (np.diff(raw.times) == 0)
        & (np.diff(raw.prices) == 0)
        & (np.diff(raw.buyer_maker.astype(np.int8)) == 0)
    )
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.append(first[1:], len(raw.ids)) - 1
    return Trades(
        first_id=int(raw.ids[0]),
        times=raw.times[first],
        prices=raw.prices[first],
        sizes=np.add.reduceat(raw.sizes, first),
        buyer_maker=raw.buyer_maker[first],
        raw_ids=np.stack([raw.ids[first], raw.ids[last]], axis=1),
    )
