"""Instruments that the recorded market does not list have no feed, and say so from the start."""

from collections.abc import Collection
from dataclasses import replace

from core.model.instrument import Instrument, InstrumentRegistry, Venue


def only_listed(registry: InstrumentRegistry, symbols: Collection[str]) -> InstrumentRegistry:
    """The registry without sandbox symbols that are not among `symbols` (lower case)."""
    return InstrumentRegistry(_only_listed(instrument, symbols) for instrument in registry)


def _only_listed(instrument: Instrument, symbols: Collection[str]) -> Instrument:
    places = tuple(
        place
        for place in instrument.venue_symbols
        if place.venue is not Venue.SANDBOX or place.symbol.lower() in symbols
    )
    return replace(instrument, venue_symbols=places)
