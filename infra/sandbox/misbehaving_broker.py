"""The paper venue behind a bad line: loses requests and replies, refuses, is slow, on command."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.clock import Clock
from core.errors import VenueUnavailableError
from core.model.instrument import Instrument
from core.model.order import OrderRejected, RiskApproved, SubmitOutcome
from core.model.position import AccountState, InstrumentRules, VenueDeal, VenueOrder, VenuePosition
from core.ports.broker import Broker
from infra.sandbox.fault_switch import FaultOrder, read_order

log = logging.getLogger(__name__)

KNOWN: dict[str, tuple[str, ...]] = {
    "request_lost": (),
    "reply_lost": (),
    "rejected": (),
    "silent": (),
    "slow": ("delay",),
}
"""Orders lost on the way; orders accepted, reply lost; orders refused; no answer at all; slow."""
MOST_DELAY_SECONDS = 60.0

T = TypeVar("T")


class BrokerFaults:
    """Which faults of the broker are on, and until when (wall time); satisfies `FaultSwitch`."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._on: dict[str, tuple[FaultOrder, float | None]] = {}
        self.fired: Counter[str] = Counter()

    def set(self, order: object) -> None:
        """Switch a fault on; raises ValueError for what it does not know."""
        read = read_order(order, KNOWN)
        read.number("delay", 1.0, 0.0, MOST_DELAY_SECONDS)
        end = None if read.seconds is None else self._wall.monotonic() + read.seconds
        self._on[read.name] = (read, end)
        log.info("sandbox broker misbehaves", extra={"fault": read.name})

    def clear(self) -> None:
        """Behave again."""
        self._on.clear()

    def active(self) -> tuple[str, ...]:
        """Names of the faults that are on."""
        now = self._wall.monotonic()
        self._on = {n: (o, end) for n, (o, end) in self._on.items() if end is None or end > now}
        return tuple(self._on)

    def known(self) -> tuple[str, ...]:
        """Names of all faults there are."""
        return tuple(KNOWN)

    def hits(self, name: str) -> bool:
        """Whether a fault is on; counted."""
        if name not in self.active():
            return False
        self.fired[name] += 1
        return True

    async def delay(self) -> None:
        """Wait as long as `slow` says."""
        if self.hits("slow"):
            order, _ = self._on["slow"]
            await self._wall.sleep(order.number("delay", 1.0, 0.0, MOST_DELAY_SECONDS))


class MisbehavingBroker:
    """Satisfies `core.ports.broker.Broker`; without faults it only passes on."""

    def __init__(self, broker: Broker, faults: BrokerFaults) -> None:
        self._broker = broker
        self._faults = faults

    async def account(self) -> AccountState:
        """Balance, equity, margin."""
        return await self._ask(self._broker.account)

    async def rules(self, instrument: Instrument) -> InstrumentRules:
        """The venue's rules for `instrument`."""
        return await self._ask(lambda: self._broker.rules(instrument))

    async def positions(self) -> tuple[VenuePosition, ...]:
        """All open positions."""
        return await self._ask(self._broker.positions)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Orders not yet filled."""
        return await self._ask(self._broker.open_orders)

    async def deals_since(self, deal_id: int) -> tuple[VenueDeal, ...]:
        """Deals with a larger id."""
        return await self._ask(lambda: self._broker.deals_since(deal_id))

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        """Send a market entry over the bad line."""
        return await self._order(approved, lambda: self._broker.submit(approved))

    async def close(self, approved: RiskApproved, venue_position_id: str) -> SubmitOutcome:
        """Close a position over the bad line."""
        return await self._order(approved, lambda: self._broker.close(approved, venue_position_id))

    def on_deal(self, listener: Callable[[VenueDeal], None]) -> None:
        """Deals are still told: the venue itself is sound."""
        self._broker.on_deal(listener)

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        await self._faults.delay()
        if self._faults.hits("silent"):
            raise VenueUnavailableError("The venue does not answer.")
        return await question()

    async def _order(
        self, approved: RiskApproved, send: Callable[[], Awaitable[SubmitOutcome]]
    ) -> SubmitOutcome:
        await self._faults.delay()
        if self._faults.hits("silent") or self._faults.hits("request_lost"):
            raise VenueUnavailableError("The venue does not answer.")
        if self._faults.hits("rejected"):
            return OrderRejected(
                intent_id=approved.intent.id, code="refused", text="The venue refused the order."
            )
        outcome = await send()
        if self._faults.hits("reply_lost"):
            raise VenueUnavailableError("The venue's reply was lost.")
        return outcome
