"""What the account is worth: floating profit at exit prices, margin, equity."""

from core.model.instrument import Instrument, InstrumentRegistry, Venue
from core.model.position import AccountState, VenuePosition
from core.model.values import Money
from infra.paper.ledger import Ledger
from infra.paper.model import PaperPosition, PaperTerms
from infra.paper.pricing import Converter, Quotes, Rate, flat_rate, floating, margin, usable

NOTHING = Money.of(0)


class Valuation:
    """Values a ledger with the live quotes."""

    def __init__(self, registry: InstrumentRegistry, quotes: Quotes, terms: PaperTerms) -> None:
        self._registry = registry
        self._quotes = quotes
        self._terms = terms
        self._converter = Converter(registry, quotes, terms.currency)

    def entry_rate(self, instrument: Instrument) -> Rate | None:
        """The live rate of the instrument's quote currency, None when there is none."""
        return self._converter.rate(instrument.quote)

    def exit_rate(self, instrument: Instrument, position: PaperPosition) -> Rate:
        """The live rate; before the first quote of its pair the one of the entry."""
        return self._converter.rate(instrument.quote) or flat_rate(position.rate)

    def account(self, ledger: Ledger) -> AccountState:
        """Balance, equity and margin now."""
        opened = ledger.positions.values()
        equity = sum(map(self._floating, opened), ledger.balance)
        held = sum(map(self._held, opened), NOTHING)
        return AccountState(
            number=ledger.number,
            venue=Venue.PAPER.value,
            currency=ledger.currency,
            balance=ledger.balance,
            equity=equity,
            margin=held,
            margin_free=equity - held,
            leverage=self._terms.leverage,
            real_money=False,
        )

    def positions(self, ledger: Ledger) -> tuple[VenuePosition, ...]:
        """All open positions with their floating profit, oldest first."""
        return tuple(self._position(position) for position in ledger.positions.values())

    def _position(self, position: PaperPosition) -> VenuePosition:
        return VenuePosition(
            id=str(position.id),
            client_id=position.client_id,
            instrument=position.instrument,
            side=position.side,
            quantity=position.quantity,
            entry=position.entry,
            stop=position.stop,
            target=position.target,
            opened_at=position.opened_at,
            profit=self._floating(position),
        )

    def _floating(self, position: PaperPosition) -> Money:
        """Zero before the first quote after a start: nothing better is known."""
        quote = usable(self._quotes(position.instrument))
        if quote is None:
            return NOTHING
        instrument = self._registry.get(position.instrument)
        return floating(instrument, position, quote, self.exit_rate(instrument, position))

    def _held(self, position: PaperPosition) -> Money:
        instrument = self._registry.get(position.instrument)
        leverage = self._terms.leverage
        return margin(instrument, position.entry, position.quantity, position.rate, leverage)
