"""A recording made ready to play: aggregated trades and book states on the listing's grid."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import StartupRefusedError
from infra.sandbox.market.book import SLOT_MS, Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import HOUR_MS, LISTINGS, Listing
from infra.sandbox.market.rows import Trades
from infra.sandbox.recorded.aggregates import aggregate_trades
from infra.sandbox.recorded.books import BookStates, rebuild
from infra.sandbox.recorded.lines import DIGITS
from infra.sandbox.recorded.reader import read_recording
from infra.sandbox.recorded.recording import RawTrades, Recording

LEAST_MS = 1_000
MOST_MS = 6 * HOUR_MS
"""A longer tape would need more memory than a desk should take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTape:
    """What happened in [start, end), both edges of 100 ms slots of the exchange's own time."""

    name: str
    """The file's name."""
    identity: str
    """A digest of the file: another file is another market."""
    listing: Listing
    start_ms: int
    """From here on the book is known."""
    end_ms: int
    trades: Trades
    """At least one."""
    books: BookStates
    """The first is known."""
    lines: int
    bad_lines: int

    @property
    def missing_trades(self) -> int:
        """Single trades that the recording itself lacks."""
        first, last = self.trades.ids_within().T
        return int(last[-1] - first[0] + 1 - (last - first + 1).sum())

    def quote(self, moment_ms: int) -> tuple[int, int]:
        """Best bid and ask in ticks; the last known ones while the book is not known."""
        number = self._number(moment_ms)
        bids, asks = self.books.tables[np.flatnonzero(self.books.known[: number + 1])[-1]]
        return int(bids[0, 0]), int(asks[0, 0])

    def depth(self, moment_ms: int) -> Depth | None:
        """The book at the edge of the slot that holds a moment; None while it is not known."""
        number = self._number(moment_ms)
        if not self.books.known[number]:
            return None
        bids, asks = self.books.tables[number]
        return Depth(
            update_id=int(self.books.update_ids[number]),
            bids=bids[bids[:, 1] > 0],
            asks=asks[asks[:, 1] > 0],
        )

    def _number(self, moment_ms: int) -> int:
        return max(self.books.at(moment_ms // SLOT_MS * SLOT_MS), 0)


async def open_tape(file: Path) -> RecordedTape:
    """`load_tape` in a thread, so that the loop goes on."""
    return await asyncio.to_thread(load_tape, file)


def load_tape(file: Path) -> RecordedTape:
    """Read, rebuild and check; raises StartupRefusedError with one plain line."""
    recording = read_recording(file)
    listing = _listing_of(recording)
    books = _from_first_known(rebuild(recording.diffs, recording.snapshots), listing)
    last = max(int(books.times[-1]), int(recording.trades.times[-1]))
    start, end = -(-int(books.times[0]) // SLOT_MS) * SLOT_MS, (last // SLOT_MS + 1) * SLOT_MS
    if not LEAST_MS <= end - start <= MOST_MS:
        length = f"{(end - start) / 1000:,.1f} s"
        raise StartupRefusedError(f"The recording lasts {length}; the desk plays 1 s to 6 hours.")
    return RecordedTape(
        name=file.name,
        identity=recording.identity,
        listing=listing,
        start_ms=start,
        end_ms=end,
        trades=_trades_from(recording.trades, start, listing),
        books=books,
        lines=recording.lines,
        bad_lines=recording.bad_lines,
    )


def _listing_of(recording: Recording) -> Listing:
    for listing in LISTINGS:
        if (listing.symbol, listing.market) == (recording.symbol, recording.market):
            return listing
    name = f"{recording.symbol.upper()} ({recording.market})"
    raise StartupRefusedError(f"The recording is of {name}, which the sandbox does not list.")


def _from_first_known(books: BookStates, listing: Listing) -> BookStates:
    if not books.known.any():
        raise StartupRefusedError("The recording's book snapshot does not fit its book changes.")
    first = int(np.argmax(books.known))
    tables = books.tables[first:]
    prices = _on_grid(tables[..., 0], listing.price_digits)
    sizes = _on_grid(tables[..., 1], listing.size_digits)
    return BookStates(
        times=books.times[first:],
        update_ids=books.update_ids[first:],
        tables=np.stack([prices, sizes], axis=-1),
        known=books.known[first:],
    )


def _trades_from(raw: RawTrades, start_ms: int, listing: Listing) -> Trades:
    first = int(np.searchsorted(raw.times, start_ms))
    if first == len(raw.times):
        raise StartupRefusedError("The recording holds no trade while its book is known.")
    known = RawTrades(
        ids=raw.ids[first:],
        times=raw.times[first:],
        prices=_on_grid(raw.prices[first:], listing.price_digits),
        sizes=_on_grid(raw.sizes[first:], listing.size_digits),
        buyer_maker=raw.buyer_maker[first:],
    )
    return aggregate_trades(known)


def _on_grid(values: Ints, digits: int) -> Ints:
    whole, rest = np.divmod(values, 10 ** (DIGITS - digits))
    if rest.any():
        raise StartupRefusedError("The recording has finer prices or sizes than the sandbox lists.")
    return np.asarray(whole)
