"""From ids to cards: gathers what a card shows from the journal, the market and the venue."""

import logging
from collections.abc import Sequence
from decimal import Decimal

from bot import cards, keyboards, position_cards
from bot.analysis_cards import AnalysisCard
from bot.formats import digits_of
from bot.position_cards import PositionView
from bot.posting import Card
from bot.services import Services
from bot.texts_analysis import caption
from core.errors import ChartError, FeedError, UnknownInstrumentError, VenueUnavailableError
from core.model.analysis import Analysis
from core.model.market import Quote, Timeframe
from core.model.order import Refusal
from core.model.position import Position
from core.model.signal import Setup, Side, Signal, SignalKind, SignalState
from core.model.values import Money

log = logging.getLogger(__name__)

_CLOSED_TO_SEARCH = 200


async def signal_card(
    services: Services, signal: Signal, *, may_trade: bool, with_picture: bool = False
) -> Card:
    """The card of a signal as the journal knows it now."""
    photo = await _signal_picture(services, signal) if with_picture else None
    position = await position_of(services, signal)
    view = cards.SignalView(
        signal=signal,
        position=position,
        digits=digits_of(services.registry, signal.instrument),
        watermark=services.watermark,
        picture=not with_picture or photo is not None,
    )
    buttons = keyboards.signal(signal, position, may_trade=may_trade)
    return Card(text=cards.signal_caption(view), keyboard=buttons, photo=photo)


async def position_of(services: Services, signal: Signal) -> Position | None:
    """The position a signal became, or None."""
    if signal.state is not SignalState.EXECUTED:
        return None
    known = (*await services.positions.open(), *await services.positions.closed(_CLOSED_TO_SEARCH))
    return next((position for position in known if position.signal_id == signal.id), None)


async def analysis_card(
    services: Services, card: AnalysisCard, timeframe: Timeframe, *, may_trade: bool
) -> Card:
    """A fresh analysis; what it finds is offered as a signal to those who may trade."""
    instrument = services.registry.get(card.symbol)
    analysis = services.analyst.analyse(instrument, timeframe)
    offered = await _offer(services, analysis) if may_trade else None
    photo = await _picture(services, analysis, None)
    text = caption(analysis, offered, services.watermark, drawn=photo is not None)
    return Card(text=text, keyboard=keyboards.analysis(card, timeframe), photo=photo)


async def position_card(services: Services, position: Position, *, may_trade: bool) -> Card:
    """The live card of a position."""
    (view,) = await position_views(services, (position,))
    buttons = keyboards.position_card(view, may_trade=may_trade)
    return Card(text=position_cards.position_text(view), keyboard=buttons)


async def position_list_card(services: Services) -> Card:
    """All open positions."""
    views = await position_views(services, await services.positions.open())
    return Card(text=position_cards.position_list(views), keyboard=keyboards.position_list(views))


async def position_views(
    services: Services, positions: Sequence[Position]
) -> tuple[PositionView, ...]:
    """Positions with today's price and the venue's own profit figure."""
    floating = await _floating(services) if positions else {}
    return tuple(_position_view(services, position, floating) for position in positions)


def _position_view(
    services: Services, position: Position, floating: dict[str, Money]
) -> PositionView:
    quote = services.quotes(position.instrument)
    age = None if quote is None else services.clocks.market.monotonic() - quote.received
    return PositionView(
        position=position,
        digits=digits_of(services.registry, position.instrument),
        watermark=services.watermark,
        at=services.clocks.wall.utc_now(),
        exit_price=None if quote is None else _exit_price(quote, position.side),
        price_age_seconds=age,
        floating=floating.get(position.venue_position_id),
    )


def _exit_price(quote: Quote, side: Side) -> Decimal:
    return Decimal(repr(quote.bid if side is Side.BUY else quote.ask))


async def _floating(services: Services) -> dict[str, Money]:
    try:
        return {held.id: held.profit for held in await services.broker.positions()}
    except VenueUnavailableError:
        log.warning("venue did not tell its positions")
        return {}


async def _offer(services: Services, analysis: Analysis) -> Signal | Refusal | None:
    if not isinstance(analysis.setup, Setup):
        return None
    return await services.publisher.offer(analysis.setup, SignalKind.ANALYSIS)


async def _signal_picture(services: Services, signal: Signal) -> bytes | None:
    try:
        instrument = services.registry.get(signal.instrument)
        analysis = services.analyst.analyse(instrument, signal.timeframe)
    except (FeedError, UnknownInstrumentError):
        log.warning("no market data for a signal's picture", extra={"signal_id": signal.id})
        return None
    return await _picture(services, analysis, signal)


async def _picture(services: Services, analysis: Analysis, signal: Signal | None) -> bytes | None:
    try:
        return await services.charts.candles(services.analyst.chart_request(analysis, signal))
    except ChartError:
        log.warning("chart not drawn", extra={"instrument": analysis.instrument.symbol})
        return None
