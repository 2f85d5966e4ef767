"""One broker outside the desk: survives its crashes, loses replies, answers late, and remembers."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from core.clock import Clock
from core.errors import VenueUnavailableError
from core.model.instrument import Instrument
from core.model.order import OrderFilled, OrderRejected, RiskApproved, SubmitOutcome
from core.model.position import (
    AccountState,
    CloseReason,
    DealEntry,
    InstrumentRules,
    VenueDeal,
    VenueOrder,
    VenuePosition,
)
from core.model.signal import Side
from core.model.values import Money, Price, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often the broker misbehaves, 0-1."""

    reply_lost: float = 0.0
    request_lost: float = 0.0
    rejected: float = 0.0
    query_fails: float = 0.0


@dataclass(slots=True)
class BrokerRecord:
    """What the venue knows; lives outside the simulated process."""

    positions: dict[str, VenuePosition] = field(default_factory=dict)
    deals: list[VenueDeal] = field(default_factory=list)
    entries: list[RiskApproved] = field(default_factory=list)
    fired: dict[str, int] = field(default_factory=dict)

    def count(self, fault: str) -> None:
        """A fault really happened."""
        self.fired[fault] = self.fired.get(fault, 0) + 1


class BrokerModel:
    """Satisfies `core.ports.broker.Broker` over a record that outlives the desk."""

    def __init__(
        self,
        record: BrokerRecord,
        clock: Clock,
        random_source: random.Random,
        faults: Faults,
        price: Price,
        before_accept: Callable[[RiskApproved], None],
    ) -> None:
        self._record = record
        self._clock = clock
        self._random = random_source
        self._faults = faults
        self._price = price
        self._before_accept = before_accept
        self._listeners: list[Callable[[VenueDeal], None]] = []

    async def account(self) -> AccountState:
        await self._query()
        money = Money.of(10_000)
        return AccountState(
            number="1", venue="model", currency="USD", balance=money, equity=money,
            margin=Money.of(0), margin_free=money, leverage=100, real_money=False,
        )  # fmt: skip

    async def rules(self, instrument: Instrument) -> InstrumentRules:
        await self._query()
        return InstrumentRules(
            tick_size=instrument.tick_size,
            tick_value=instrument.tick_size * instrument.contract_size,
            volume_min=instrument.lot_min,
            volume_step=instrument.lot_step,
            volume_max=Decimal(50),
            stops_level=instrument.stops_level,
        )

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        await self._travel()
        if self._hits("request_lost"):
            raise VenueUnavailableError("no reply")
        if self._hits("rejected"):
            return OrderRejected(intent_id=approved.intent.id, code="no_money", text="No money.")
        fill = self._accept(approved)
        await self._travel()
        if self._hits("reply_lost"):
            raise VenueUnavailableError("no reply")
        return fill

    async def close(self, approved: RiskApproved, venue_position_id: str) -> SubmitOutcome:
        await self._travel()
        intent = approved.intent
        position = self._record.positions.pop(venue_position_id, None)
        if position is None:
            return OrderRejected(intent_id=intent.id, code="position_closed", text="Closed.")
        deal = self._deal(
            DealEntry.OUT, position, intent.id, intent.side, intent.quantity, CloseReason.MANUAL
        )
        await self._travel()
        if self._hits("reply_lost"):
            raise VenueUnavailableError("no reply")
        return _filled(intent.id, deal)

    async def positions(self) -> tuple[VenuePosition, ...]:
        await self._query()
        return tuple(self._record.positions.values())

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        await self._query()
        return ()

    async def deals_since(self, deal_id: int) -> tuple[VenueDeal, ...]:
        await self._query()
        return tuple(d for d in self._record.deals if d.id > deal_id)

    def on_deal(self, listener: Callable[[VenueDeal], None]) -> None:
        self._listeners.append(listener)

    def stop_out(self, position_id: str) -> None:
        """The venue's own stop fires."""
        position = self._record.positions.pop(position_id)
        self._deal(
            DealEntry.OUT, position, None, position.side.opposite, position.quantity,
            CloseReason.STOP,
        )  # fmt: skip

    def _accept(self, approved: RiskApproved) -> OrderFilled:
        self._before_accept(approved)
        self._record.entries.append(approved)
        intent = approved.intent
        position = VenuePosition(
            id=f"P{len(self._record.entries)}",
            client_id=intent.id,
            instrument=intent.instrument,
            side=intent.side,
            quantity=intent.quantity,
            entry=self._price,
            stop=intent.stop,
            target=intent.target,
            opened_at=self._clock.utc_now(),
            profit=Money.of(0),
        )
        self._record.positions[position.id] = position
        deal = self._deal(DealEntry.IN, position, intent.id, intent.side, intent.quantity, None)
        return _filled(intent.id, deal)

    def _deal(
        self,
        entry: DealEntry,
        position: VenuePosition,
        client_id: str | None,
        side: Side,
        quantity: Quantity,
        reason: CloseReason | None,
    ) -> VenueDeal:
        deal = VenueDeal(
            id=len(self._record.deals) + 1,
            order_id=f"O{len(self._record.deals) + 1}",
            position_id=position.id,
            client_id=client_id,
            instrument=position.instrument,
            side=side,
            entry=entry,
            reason=reason,
            quantity=quantity,
            price=self._price,
            profit=Money.of(0),
            commission=Money.of(0),
            swap=Money.of(0),
            time=self._clock.utc_now(),
        )
        self._record.deals.append(deal)
        for listener in self._listeners:
            listener(deal)
        return deal

    def _hits(self, fault: str) -> bool:
        if self._random.random() >= getattr(self._faults, fault):
            return False
        self._record.count(fault)
        return True

    async def _query(self) -> None:
        await self._travel()
        if self._hits("query_fails"):
            raise VenueUnavailableError("no reply")

    async def _travel(self) -> None:
        await self._clock.sleep(self._random.uniform(0.0, 0.2))


def _filled(intent_id: str, deal: VenueDeal) -> OrderFilled:
    return OrderFilled(
        intent_id=intent_id,
        venue_order_id=deal.order_id,
        venue_position_id=deal.position_id,
        deal_id=str(deal.id),
        price=deal.price,
        quantity=deal.quantity,
        commission=deal.commission,
        filled_at=deal.time,
    )
