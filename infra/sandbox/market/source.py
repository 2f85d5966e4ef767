"""What the sandbox exchange asks a market, simulated or recorded."""

from collections.abc import Iterator
from typing import Protocol

from infra.sandbox.market.book import Depth
from infra.sandbox.market.draws import Ints
from infra.sandbox.market.listing import Listing
from infra.sandbox.market.rows import Trades


class MarketSource(Protocol):
    """Quotes, books, trades and bars of the listed symbols at any moment (milliseconds)."""

    def symbols(self) -> tuple[str, ...]:
        """All listed symbols, lower case."""
        ...

    def listing(self, symbol: str) -> Listing:
        """Facts of a listed symbol; KeyError for others."""
        ...

    def is_open(self, symbol: str, moment_ms: int) -> bool:
        """Whether the symbol trades at `moment_ms`."""
        ...

    def quote(self, symbol: str, moment_ms: int) -> tuple[int, int]:
        """Best bid and ask in ticks; while closed, the last ones."""
        ...

    def depth(self, symbol: str, moment_ms: int) -> Depth | None:
        """The book of the 100 ms slot that holds `moment_ms`; None while it is not known."""
        ...

    def trades_between(self, symbol: str, start_ms: int, end_ms: int) -> Trades:
        """Trades with start <= time < end."""
        ...

    def first_trade_at(self, symbol: str, moment_ms: int) -> int:
        """Id of the first trade at or after a moment."""
        ...

    def trades_from_id(self, symbol: str, trade_id: int, limit: int, now_ms: int) -> Trades:
        """Up to `limit` trades from an id on, all before `now_ms`."""
        ...

    def bar_opens(self, symbol: str, length_ms: int, first_ms: int, last_ms: int) -> Ints:
        """Opening times in [first, last] of bars that hold trading time, oldest first."""
        ...

    def bar_pieces(
        self, symbol: str, length_ms: int, first_ms: int, end_ms: int, now_ms: int
    ) -> Iterator[Ints]:
        """Rows for `bars.join_rows` of bars that open in [first, end), in quick steps."""
        ...
