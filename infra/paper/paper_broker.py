"""A hedging account of play money that behaves like a broker: own record, own rules, own stops."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from core.clock import Clock
from core.errors import UnknownInstrumentError, VenueError, VenueUnavailableError
from core.model.instrument import Instrument, InstrumentRegistry
from core.model.market import Quote
from core.model.order import OrderIntent, OrderUnknown, RiskApproved, SubmitOutcome
from core.model.position import (
    AccountState,
    CloseReason,
    DealEntry,
    InstrumentRules,
    VenueDeal,
    VenueOrder,
    VenuePosition,
)
from infra.paper import refusals
from infra.paper.booking import entered, filled, left, refused, rejected
from infra.paper.finishing import to_the_end
from infra.paper.ledger import Ledger
from infra.paper.model import Booking, PaperPosition, PaperTerms, Trigger
from infra.paper.pricing import Quotes, commission, margin, market_price, quote_age, usable
from infra.paper.record import PaperRecord
from infra.paper.refusals import Denial
from infra.paper.snapshot import JsonRow, snapshot_of
from infra.paper.valuation import Valuation
from infra.paper.watch import StopWatch


class PaperBroker:
    """Satisfies `core.ports.broker.Broker`. Every answer is on record before it is given."""

    def __init__(
        self,
        *,
        path: Path,
        registry: InstrumentRegistry,
        quotes: Quotes,
        market: Clock,
        wall: Clock,
        terms: PaperTerms,
    ) -> None:
        self._path = path
        self._registry = registry
        self._quotes = quotes
        self._market = market
        self._wall = wall
        self._terms = terms
        self._valuation = Valuation(registry, quotes, terms)
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._watch = StopWatch(market)
        self._listeners: list[Callable[[VenueDeal], None]] = []
        self._record: PaperRecord | None = None
        self._ledger: Ledger | None = None

    async def open(self) -> None:
        """Restore the account from its record and watch its stops; VenueError when unusable."""
        record = await PaperRecord.open(self._path)
        try:
            terms = self._terms
            now = self._wall.utc_now()
            ledger = await record.load(terms.starting_balance, terms.currency, now)
            if ledger.currency != terms.currency:
                raise VenueError(
                    f"The paper account {self._path} is kept in {ledger.currency}, "
                    f"not in {terms.currency}. Move the file away to open a new account."
                )
            for position in ledger.positions.values():
                self._watch.add(position, self._registry.get(position.instrument))
        except BaseException:
            await record.close()
            raise
        self._record, self._ledger = record, ledger

    async def shutdown(self) -> None:
        """Give the record's file back; safe to repeat."""
        async with self._turn:
            record, self._record = self._record, None
            if record is not None:
                await record.close()

    async def run(self) -> None:
        """Book what the stream has triggered, for ever; what failed is tried again at the start."""
        while True:
            self._wake.clear()
            for trigger in self._watch.pending():
                async with self._turn:
                    await to_the_end(self._book_trigger(trigger))
            await self._wake.wait()

    def on_quote(self, quote: Quote) -> None:
        """Check the stops and targets of this instrument; O(its open positions)."""
        if self._watch.on_quote(quote):
            self._wake.set()

    def on_deal(self, listener: Callable[[VenueDeal], None]) -> None:
        """Call `listener` after each new deal is on record."""
        self._listeners.append(listener)

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        """Fill a market entry at once, its stop and target in force from that moment."""
        async with self._turn:
            return await to_the_end(self._answer(approved.intent, self._enter))

    async def close(self, approved: RiskApproved, venue_position_id: str) -> SubmitOutcome:
        """Close all or part of a position; never opens or flips one."""

        async def leave(intent: OrderIntent) -> Booking | Denial:
            return await self._leave(intent, venue_position_id)

        async with self._turn:
            return await to_the_end(self._answer(approved.intent, leave))

    async def account(self) -> AccountState:
        """Balance, equity at exit prices, margin."""
        return self._valuation.account(self._books()[1])

    async def rules(self, instrument: Instrument) -> InstrumentRules:
        """The registry's rules; the tick's value at the rate a loss would be converted at."""
        rate = self._valuation.entry_rate(instrument)
        if rate is None:
            denial = refusals.no_conversion(instrument, self._terms.currency)
            raise VenueUnavailableError(denial.text)
        return InstrumentRules(
            tick_size=instrument.tick_size,
            tick_value=instrument.tick_size * instrument.contract_size * rate.loss,
            volume_min=instrument.lot_min,
            volume_step=instrument.lot_step,
            volume_max=instrument.lot_max,
            stops_level=instrument.stops_level,
        )

    async def positions(self) -> tuple[VenuePosition, ...]:
        """All open positions."""
        return self._valuation.positions(self._books()[1])

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Always none: market orders are filled or refused at once."""
        return ()

    async def deals_since(self, deal_id: int) -> tuple[VenueDeal, ...]:
        """Deals with a larger id, oldest first."""
        async with self._turn:
            return await self._books()[0].deals_since(deal_id)

    def snapshot(self) -> dict[str, JsonRow | list[JsonRow]]:
        """The whole record as JSON values, see `infra.paper.snapshot`."""
        ledger = self._books()[1]
        return snapshot_of(
            ledger, self._valuation.account(ledger), self._valuation.positions(ledger)
        )

    async def _answer(
        self, intent: OrderIntent, decide: Callable[[OrderIntent], Awaitable[Booking | Denial]]
    ) -> SubmitOutcome:
        """Decide, put on record, answer. Without the record the outcome is unknown, not a no."""
        try:
            record, ledger = self._books()
            known = await record.knows(intent.id)
            decided = refusals.duplicate(intent.id) if known else await decide(intent)
            if isinstance(decided, Denial):
                await self._book(rejected(ledger, intent, decided, self._market.utc_now()))
                return refused(intent, decided)
            await self._book(decided)
            return filled(decided)
        except VenueUnavailableError as e:
            return OrderUnknown(intent_id=intent.id, text=str(e))

    async def _enter(self, intent: OrderIntent) -> Booking | Denial:
        found = self._tradable(intent.instrument)
        if isinstance(found, Denial):
            return found
        instrument, quote = found
        terms = self._terms
        denial = refusals.volume_problem(instrument, intent.quantity)
        denial = denial or refusals.stops_problem(instrument, intent, quote)
        if denial is not None:
            return denial
        rate = self._valuation.entry_rate(instrument)
        if rate is None:
            return refusals.no_conversion(instrument, terms.currency)
        price = market_price(instrument, intent.side, quote, terms.slippage_ticks)
        held = margin(instrument, price, intent.quantity, rate.loss, terms.leverage)
        needed = held - commission(terms, intent.quantity)
        ledger = self._books()[1]
        free = self._valuation.account(ledger).margin_free
        denial = refusals.money_problem(needed, free, terms.currency)
        return denial or entered(ledger, intent, price, rate, terms, self._market.utc_now())

    async def _leave(self, intent: OrderIntent, venue_position_id: str) -> Booking | Denial:
        position = await self._still_open(venue_position_id)
        if position is None:
            return refusals.already_closed()
        instrument = self._registry.get(position.instrument)
        denial = refusals.close_problem(instrument, intent, position)
        if denial is not None:
            return denial
        found = self._tradable(position.instrument)
        if isinstance(found, Denial):
            return found
        return left(
            self._books()[1],
            position,
            instrument,
            client_id=intent.id,
            quantity=intent.quantity,
            price=market_price(instrument, intent.side, found[1], self._terms.slippage_ticks),
            reason=CloseReason.MANUAL,
            rate=self._valuation.exit_rate(instrument, position),
            terms=self._terms,
            at=self._market.utc_now(),
        )

    async def _still_open(self, venue_position_id: str) -> PaperPosition | None:
        """The open position; one whose stop was touched is booked as closed first."""
        for position in self._books()[1].positions.values():
            if str(position.id) == venue_position_id:
                trigger = self._watch.trigger(position.id)
                if trigger is None:
                    return position
                await self._book_trigger(trigger)
                return None
        return None

    async def _book_trigger(self, trigger: Trigger) -> None:
        """Close what is left of the position at the triggered price; VenueUnavailableError."""
        ledger = self._books()[1]
        position = ledger.positions.get(trigger.position_id)
        if position is None:
            return
        instrument = self._registry.get(position.instrument)
        booking = left(
            ledger,
            position,
            instrument,
            client_id=None,
            quantity=position.quantity,
            price=trigger.price,
            reason=trigger.reason,
            rate=self._valuation.exit_rate(instrument, position),
            terms=self._terms,
            at=trigger.at,
        )
        await self._book(booking)

    async def _book(self, booking: Booking) -> None:
        """Commit, then let the memory follow, then tell."""
        record, ledger = self._books()
        await record.write(booking, self._wall.utc_now())
        ledger.apply(booking)
        if booking.deal is None or booking.position is None:
            return
        if booking.position.quantity.value == 0:
            self._watch.forget(booking.position)
        elif booking.deal.entry is DealEntry.IN:
            self._watch_from_now(booking.position)
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.call_soon(listener, booking.deal)  # its failure is not the order's failure

    def _watch_from_now(self, position: PaperPosition) -> None:
        """Quotes that came while the entry was being committed count too."""
        self._watch.add(position, self._registry.get(position.instrument))
        latest = self._quotes(position.instrument)
        if latest is not None:
            self.on_quote(latest)

    def _tradable(self, symbol: str) -> tuple[Instrument, Quote] | Denial:
        """The instrument and a quote fresh enough to fill on, or why not."""
        try:
            instrument = self._registry.get(symbol)
        except UnknownInstrumentError:
            return refusals.unknown_instrument(symbol)
        quote = usable(self._quotes(symbol))
        if quote is None:
            return refusals.no_quote(symbol)
        age = quote_age(quote, self._market)
        limit = self._terms.max_quote_age_seconds
        return refusals.age_problem(symbol, age, limit) or (instrument, quote)

    def _books(self) -> tuple[PaperRecord, Ledger]:
        if self._record is None or self._ledger is None:
            raise VenueUnavailableError("The paper account is not open.")
        return self._record, self._ledger
