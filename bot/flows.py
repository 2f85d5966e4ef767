"""Conversations that several handlers share."""

import logging

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, Message
from aiogram.utils.formatting import Text

from bot import keyboards, texts_analysis, texts_signal
from bot.analysis_cards import AnalysisCard, AnalysisCards
from bot.live_cards import LiveCards
from bot.phrases import DEFAULT_SYMBOL, DEFAULT_TIMEFRAME, AnalysisWish
from bot.posting import Card, Place, edit, place_of, post, remove
from bot.services import Services
from bot.views import analysis_card, position_card, signal_card
from core.model.market import Timeframe
from core.model.notice import CardPlace
from core.model.order import Refusal
from core.model.people import Person
from core.model.position import Position, PositionState
from core.model.signal import Signal, SignalKind, SignalState

log = logging.getLogger(__name__)

_PRACTICE_RETRIES = 10
_PRACTICE_RETRY_SECONDS = 5.0


async def show_analysis(
    message: Message,
    wish: AnalysisWish,
    services: Services,
    person: Person,
    analyses: AnalysisCards,
    *,
    practice: bool = False,
) -> None:
    """One progress line, then the card instead of it."""
    progress = await message.answer(texts_analysis.progress(wish.instrument, wish.timeframe))
    try:
        remembered = analyses.remember(wish.instrument.symbol, practice=practice)
        may_trade = person.role.may_trade
        card = await analysis_card(services, remembered, wish.timeframe, may_trade=may_trade)
        await post(_bot(message), message.chat.id, card)
    finally:
        await remove(progress)


async def update_analysis(
    query: CallbackQuery,
    remembered: AnalysisCard,
    timeframe: Timeframe,
    services: Services,
    person: Person,
) -> None:
    """Show the card afresh: a photo changes in place, from a list of markets a new card follows."""
    may_trade = person.role.may_trade
    card = await analysis_card(services, remembered, timeframe, may_trade=may_trade)
    place = place_of(query)
    if place.has_photo:
        await edit(_bot(query), place, card)
    else:
        await post(_bot(query), place.chat_id, card)


def market_card(services: Services, analyses: AnalysisCards, text: str, *only: str) -> Card:
    """A line of text with a button per market (all of them, or `only` these)."""
    symbols = only or tuple(instrument.symbol for instrument in services.registry)
    cards = [analyses.remember(symbol) for symbol in symbols]
    return Card(text=Text(text), keyboard=keyboards.markets(cards, DEFAULT_TIMEFRAME))


async def offer_practice(services: Services) -> Signal | Refusal | None:
    """Ask for a practice signal unless one is waiting (None); its card comes by the outbox."""
    waiting = await services.signals.in_state(SignalState.OPEN)
    if any(signal.kind is SignalKind.PRACTICE for signal in waiting):
        return None
    if services.real_money:
        return Refusal(code="real_money", text=texts_signal.PRACTICE_LIVE)
    return await services.publisher.practice(services.registry.get(DEFAULT_SYMBOL))


async def practise_soon(services: Services, bot: Bot, chat_id: int) -> None:
    """As `offer_practice`, patient with a desk that has just started and has no prices yet."""
    offered = await offer_practice(services)
    for _ in range(_PRACTICE_RETRIES):
        if not isinstance(offered, Refusal):
            return
        await services.clocks.wall.sleep(_PRACTICE_RETRY_SECONDS)
        offered = await offer_practice(services)
    if isinstance(offered, Refusal):
        await bot.send_message(chat_id, **texts_signal.no_practice(offered).as_kwargs())


async def refresh_signal(
    query: CallbackQuery, signal: Signal, services: Services, person: Person
) -> None:
    """Make the tapped card show `signal` as it is now."""
    place = await _signal_place(query, signal, services)
    card = await signal_card(services, signal, may_trade=person.role.may_trade)
    await _show(_bot(query), place, card)


async def remember_card(query: CallbackQuery, signal: Signal, services: Services) -> None:
    """A card can stand in a chat although Telegram never confirmed it: a tap on it proves it."""
    place = place_of(query)
    known = {(p.chat_id, p.message_id) for p in await services.signals.cards(signal.id)}
    if isinstance(query.message, Message) and (place.chat_id, place.message_id) not in known:
        await services.signals.save_card(
            CardPlace(
                signal_id=signal.id,
                chat_id=place.chat_id,
                message_id=place.message_id,
                has_photo=place.has_photo,
            )
        )


async def post_signal(
    query: CallbackQuery, signal: Signal, services: Services, person: Person
) -> None:
    """Bring a signal's card to the bottom of the chat; it is kept up to date like the first."""
    may_trade = person.role.may_trade
    card = await signal_card(services, signal, may_trade=may_trade, with_picture=True)
    sent = await post(_bot(query), place_of(query).chat_id, card)
    place = CardPlace(
        signal_id=signal.id,
        chat_id=sent.chat.id,
        message_id=sent.message_id,
        has_photo=bool(sent.photo),
    )
    await services.signals.save_card(place)


async def post_position(
    bot: Bot, chat_id: int, position: Position, services: Services, person: Person, live: LiveCards
) -> None:
    """A position's card at the bottom of the chat, fresh for two minutes."""
    card = await position_card(services, position, may_trade=person.role.may_trade)
    sent = await post(bot, chat_id, card)
    place = Place(chat_id=chat_id, message_id=sent.message_id, has_photo=False)
    keep_position_fresh(bot, place, position.id, services, person, live)


async def refresh_position(
    bot: Bot, place: Place, position_id: int, services: Services, person: Person
) -> bool:
    """Show a position as it is now; False once it is closed."""
    position = await services.positions.get(position_id)
    if position is None:
        return False
    card = await position_card(services, position, may_trade=person.role.may_trade)
    await _show(bot, place, card)
    return position.state is not PositionState.CLOSED


def keep_position_fresh(
    bot: Bot, place: Place, position_id: int, services: Services, person: Person, live: LiveCards
) -> None:
    """Edit the card every five seconds for two minutes."""

    async def refresh() -> bool:
        return await refresh_position(bot, place, position_id, services, person)

    live.keep_fresh(place, refresh)


async def _signal_place(query: CallbackQuery, signal: Signal, services: Services) -> Place:
    """Telegram hides old messages from taps; the journal knows whether there was a photo."""
    tapped = place_of(query)
    for known in await services.signals.cards(signal.id):
        if (known.chat_id, known.message_id) == (tapped.chat_id, tapped.message_id):
            return Place(
                chat_id=known.chat_id, message_id=known.message_id, has_photo=known.has_photo
            )
    return tapped


async def _show(bot: Bot, place: Place, card: Card) -> None:
    """Edit a card after the fact: what was done stands, and the next edit puts it right."""
    try:
        await edit(bot, place, card)
    except AiogramError as error:
        log.warning("card not refreshed", extra={"cause": type(error).__name__})


def _bot(event: Message | CallbackQuery) -> Bot:
    if event.bot is None:
        raise ValueError("the update carries no bot")
    return event.bot
