"""Port to a trading venue. Answers keep *none*, *empty* and *unknown* apart.

An empty tuple means the venue said "there are none". When the venue does not answer, methods raise
VenueUnavailableError; `submit` and `close` return OrderUnknown instead.
"""

from collections.abc import Callable
from typing import Protocol

from core.model.instrument import Instrument
from core.model.order import RiskApproved, SubmitOutcome
from core.model.position import AccountState, InstrumentRules, VenueDeal, VenueOrder, VenuePosition


class Broker(Protocol):
    """One trading account at one venue."""

    async def account(self) -> AccountState:
        """Balance, equity, margin."""
        ...

    async def rules(self, instrument: Instrument) -> InstrumentRules:
        """The venue's own rules for `instrument`."""
        ...

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        """Send a market entry with its stop and target in the same request."""
        ...

    async def close(self, approved: RiskApproved, venue_position_id: str) -> SubmitOutcome:
        """Close a position (all of `approved.intent.quantity`)."""
        ...

    async def positions(self) -> tuple[VenuePosition, ...]:
        """All open positions of the account, ours and foreign."""
        ...

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Orders not yet filled."""
        ...

    async def deals_since(self, deal_id: int) -> tuple[VenueDeal, ...]:
        """Deals with a larger id, oldest first."""
        ...

    def on_deal(self, listener: Callable[[VenueDeal], None]) -> None:
        """Call `listener` after each new deal is on the venue's record (a hint, not the truth)."""
        ...
