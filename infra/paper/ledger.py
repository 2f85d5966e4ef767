"""The account as the record has it, in memory: applied only after the commit."""

from collections import deque
from dataclasses import dataclass, field

from core.model.position import VenueDeal
from core.model.values import Money
from infra.paper.model import Booking, PaperOrder, PaperPosition

RECENT = 1_000
"""How many orders and deals are kept at hand; all of them are on record."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Balance, open positions, the latest orders and deals, and the last ids given."""

    number: str
    currency: str
    starting_balance: Money
    balance: Money
    last_order_id: int = 0
    last_deal_id: int = 0
    last_position_id: int = 0
    positions: dict[int, PaperPosition] = field(default_factory=dict)
    orders: deque[PaperOrder] = field(default_factory=lambda: deque(maxlen=RECENT))
    deals: deque[VenueDeal] = field(default_factory=lambda: deque(maxlen=RECENT))

    def apply(self, booking: Booking) -> None:
        """Follow what has just been committed."""
        self.orders.append(booking.order)
        self.last_order_id = booking.order.id
        if booking.deal is not None:
            self.deals.append(booking.deal)
            self.last_deal_id = booking.deal.id
            self.balance = self.balance + net(booking.deal)
        if booking.position is not None:
            self._place(booking.position)

    def _place(self, position: PaperPosition) -> None:
        self.last_position_id = max(self.last_position_id, position.id)
        if position.quantity.value == 0:
            self.positions.pop(position.id, None)
        else:
            self.positions[position.id] = position


def net(deal: VenueDeal) -> Money:
    """What a deal did to the balance."""
    return deal.profit + deal.commission + deal.swap
