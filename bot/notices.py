"""From an outbox item to what must be sent, rendered from the journal as it is at that moment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiogram.utils.formatting import Text

from bot import keyboards, position_cards, texts_signal
from bot.formats import MESSAGE_LIMIT, clip, digits_of
from bot.posting import Card, Place
from bot.services import Services
from bot.views import signal_card
from core.model.notice import CardPlace, NoticeTopic, OutboxItem
from core.model.signal import Signal, SignalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A new message."""

    card: Card
    reply_to: int | None = None
    card_of: int | None = None
    """The signal whose card this is: its place must be remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Messages to change in place; doing so twice harms nobody."""

    changes: tuple[tuple[Place, Card], ...]


Delivery = Post | Edits
Renderer = Callable[[Services, OutboxItem], Awaitable[Delivery | None]]
_NO_LONGER_NEWS = (SignalState.EXPIRED, SignalState.DISMISSED)


async def render(services: Services, item: OutboxItem) -> Delivery | None:
    """What to send for `item`; None when it is no longer worth telling."""
    return await _RENDERERS[item.notice.topic](services, item)


async def _signal_card(services: Services, item: OutboxItem) -> Delivery | None:
    signal = await services.signals.get(item.notice.subject_id)
    if signal is None or _too_late(services, signal):
        return None
    may_trade = await _may_trade(services, item.chat_id)
    card = await signal_card(services, signal, may_trade=may_trade, with_picture=True)
    standing = await _card_in(services, signal.id, item.chat_id)
    if standing is not None:
        return Edits(changes=((_place(standing), card),))
    return Post(card=card, card_of=signal.id)


async def _signal_edit(services: Services, item: OutboxItem) -> Delivery | None:
    """The cards of this chat, and of chats that get no notices of their own any more.

    An untouched signal on a standing card has taken it over: its levels need a new picture.
    """
    signal = await services.signals.get(item.notice.subject_id)
    if signal is None:
        return None
    people = {person.user_id: person for person in await services.users.all()}
    redraw = signal.state is SignalState.OPEN and signal.rev == 1
    changes = []
    for place in await services.signals.cards(signal.id):
        person = people.get(place.chat_id)
        if place.chat_id != item.chat_id and person is not None and person.subscribed:
            continue
        may_trade = person is not None and person.role.may_trade
        card = await signal_card(services, signal, may_trade=may_trade, with_picture=redraw)
        changes.append((_place(place), card))
    return Edits(changes=tuple(changes))


async def _position_opened(services: Services, item: OutboxItem) -> Delivery | None:
    position = await services.positions.get(item.notice.subject_id)
    if position is None:
        return None
    signal = await services.signals.get(position.signal_id)
    digits = digits_of(services.registry, position.instrument)
    text = position_cards.opened(position, signal, digits)
    card = Card(text=text, keyboard=keyboards.to_position(position))
    return await _reply(services, item, position.signal_id, card)


async def _position_closed(services: Services, item: OutboxItem) -> Delivery | None:
    position = await services.positions.get(item.notice.subject_id)
    if position is None:
        return None
    text = position_cards.closed(position, digits_of(services.registry, position.instrument))
    return await _reply(services, item, position.signal_id, Card(text=text))


async def _execution_problem(services: Services, item: OutboxItem) -> Delivery | None:
    signal = await services.signals.get(item.notice.subject_id)
    if signal is None or signal.state not in (SignalState.REJECTED, SignalState.UNKNOWN):
        return None
    return await _reply(services, item, signal.id, Card(text=texts_signal.problem(signal)))


async def _text(services: Services, item: OutboxItem) -> Delivery | None:
    if not item.notice.text:
        return None
    return Post(card=Card(text=Text(clip(item.notice.text, MESSAGE_LIMIT))))


_RENDERERS: dict[NoticeTopic, Renderer] = {
    NoticeTopic.SIGNAL_CARD: _signal_card,
    NoticeTopic.SIGNAL_EDIT: _signal_edit,
    NoticeTopic.POSITION_OPENED: _position_opened,
    NoticeTopic.POSITION_CLOSED: _position_closed,
    NoticeTopic.EXECUTION_PROBLEM: _execution_problem,
    NoticeTopic.TEXT: _text,
}


def _too_late(services: Services, signal: Signal) -> bool:
    overdue = services.clocks.wall.utc_now() >= signal.expires_at
    waiting = signal.state is SignalState.OPEN
    return signal.state in _NO_LONGER_NEWS or (waiting and overdue)


async def _reply(services: Services, item: OutboxItem, signal_id: int, card: Card) -> Post:
    standing = await _card_in(services, signal_id, item.chat_id)
    return Post(card=card, reply_to=None if standing is None else standing.message_id)


async def _card_in(services: Services, signal_id: int, chat_id: int) -> CardPlace | None:
    """The newest card of a signal in a chat."""
    places = [p for p in await services.signals.cards(signal_id) if p.chat_id == chat_id]
    return max(places, key=lambda place: place.message_id, default=None)


async def _may_trade(services: Services, chat_id: int) -> bool:
    person = await services.users.get(chat_id)
    return person is not None and person.role.may_trade


def _place(place: CardPlace) -> Place:
    return Place(chat_id=place.chat_id, message_id=place.message_id, has_photo=place.has_photo)
