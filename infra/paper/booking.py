"""Builds what goes on record for each event of the account. Pure: ids come from the ledger."""

from dataclasses import replace
from datetime import datetime

from core.model.instrument import Instrument
from core.model.order import IntentLeg, OrderFilled, OrderIntent, OrderRejected
from core.model.position import CloseReason, DealEntry, VenueDeal
from core.model.values import Money, Price, Quantity
from infra.paper.ledger import Ledger
from infra.paper.model import (
    Booking,
    OrderKind,
    OrderState,
    PaperOrder,
    PaperPosition,
    PaperTerms,
)
from infra.paper.pricing import Rate, commission, gross
from infra.paper.refusals import Denial

NOTHING = Money.of(0)
_KINDS = {CloseReason.STOP: OrderKind.STOP, CloseReason.TARGET: OrderKind.TARGET}


def rejected(ledger: Ledger, intent: OrderIntent, denial: Denial, at: datetime) -> Booking:
    """An order the venue refused."""
    order = PaperOrder(
        id=ledger.last_order_id + 1,
        client_id=intent.id,
        kind=OrderKind.ENTRY if intent.leg is IntentLeg.ENTRY else OrderKind.CLOSE,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        stop=intent.stop,
        target=intent.target,
        state=OrderState.REJECTED,
        created_at=at,
        code=denial.code,
        text=denial.text,
    )
    return Booking(order=order)


def entered(
    ledger: Ledger, intent: OrderIntent, price: Price, rate: Rate, terms: PaperTerms, at: datetime
) -> Booking:
    """A filled entry: order, IN deal and the new position with its stop."""
    position = PaperPosition(
        id=ledger.last_position_id + 1,
        client_id=intent.id,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        entry=price,
        stop=intent.stop,
        target=intent.target,
        rate=rate.loss,
        opened_at=at,
    )
    order = PaperOrder(
        id=ledger.last_order_id + 1,
        client_id=intent.id,
        kind=OrderKind.ENTRY,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        stop=intent.stop,
        target=intent.target,
        state=OrderState.FILLED,
        created_at=at,
        price=price,
        position_id=position.id,
    )
    cost = commission(terms, intent.quantity)
    deal = _deal(ledger, order, intent.id, price, DealEntry.IN, None, NOTHING, cost)
    return Booking(order=order, deal=deal, position=position)


def left(
    ledger: Ledger,
    position: PaperPosition,
    instrument: Instrument,
    *,
    client_id: str | None,
    quantity: Quantity,
    price: Price,
    reason: CloseReason,
    rate: Rate,
    terms: PaperTerms,
    at: datetime,
) -> Booking:
    """A full or partial exit. Its profit is rounded to the cent once.

    The venue's own exits (stop, target) have no client id on the order; their deal carries the
    entry's, as a broker's does.
    """
    order = PaperOrder(
        id=ledger.last_order_id + 1,
        client_id=client_id,
        kind=_KINDS.get(reason, OrderKind.CLOSE),
        instrument=position.instrument,
        side=position.side.opposite,
        quantity=quantity,
        stop=None,
        target=None,
        state=OrderState.FILLED,
        created_at=at,
        price=price,
        position_id=position.id,
    )
    result = gross(instrument, position.side, position.entry, price, quantity)
    profit = Money.of(rate.convert(result))
    named = client_id or position.client_id
    cost = commission(terms, quantity)
    deal = _deal(ledger, order, named, price, DealEntry.OUT, reason, profit, cost)
    rest = Quantity.of(position.quantity.value - quantity.value)
    return Booking(order=order, deal=deal, position=replace(position, quantity=rest))


def filled(booking: Booking) -> OrderFilled:
    """The venue's answer to a filled order."""
    deal = booking.deal
    if deal is None or deal.client_id is None:
        raise AssertionError("a filled order has its deal")
    return OrderFilled(
        intent_id=deal.client_id,
        venue_order_id=deal.order_id,
        venue_position_id=deal.position_id,
        deal_id=str(deal.id),
        price=deal.price,
        quantity=deal.quantity,
        commission=deal.commission,
        filled_at=deal.time,
    )


def refused(intent: OrderIntent, denial: Denial) -> OrderRejected:
    """The venue's answer to a refused order."""
    return OrderRejected(
        intent_id=intent.id, code=denial.code, text=denial.text, advice=denial.advice
    )


def _deal(
    ledger: Ledger,
    order: PaperOrder,
    client_id: str,
    price: Price,
    entry: DealEntry,
    reason: CloseReason | None,
    profit: Money,
    cost: Money,
) -> VenueDeal:
    return VenueDeal(
        id=ledger.last_deal_id + 1,
        order_id=str(order.id),
        position_id=str(order.position_id),
        client_id=client_id,
        instrument=order.instrument,
        side=order.side,
        entry=entry,
        reason=reason,
        quantity=order.quantity,
        price=price,
        profit=profit,
        commission=cost,
        swap=NOTHING,
        time=order.created_at,
    )
