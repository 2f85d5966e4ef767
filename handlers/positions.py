"""/positions, /close and the buttons of position cards."""

from datetime import timedelta

from aiogram import Bot, F, Router
from aiogram.filters import CommandObject
from aiogram.types import CallbackQuery, Message
from aiogram.utils.formatting import Text

from bot import keyboards, texts_help, texts_position
from bot.callbacks import MenuAction, MenuTap, PositionAction, PositionTap
from bot.commands import command
from bot.flows import keep_position_fresh, post_position, refresh_position
from bot.formats import digits_of
from bot.live_cards import LiveCards
from bot.posting import Card, acknowledge, edit, place_of, post
from bot.services import Services
from bot.views import position_list_card
from core.errors import UnknownInstrumentError
from core.model.commands import ClosePosition
from core.model.outcome import CloseOutcome, CloseRefused, CloseUnresolved
from core.model.people import Person
from core.model.position import Position, PositionState

OLDEST_MONEY_COMMAND = timedelta(seconds=60)


def create_router() -> Router:
    """Routes of positions."""
    router = Router(name="positions")
    router.message.register(on_positions, command("positions"))
    router.message.register(on_positions, F.text == keyboards.WORD_POSITIONS)
    router.message.register(on_close_command, command("close"))
    router.callback_query.register(on_list, MenuTap.filter(F.action == MenuAction.POSITIONS))
    taps = (
        (on_close, PositionAction.CLOSE),
        (on_view, PositionAction.VIEW),
        (on_refresh, PositionAction.REFRESH),
    )
    for handler, action in taps:
        router.callback_query.register(handler, PositionTap.filter(F.action == action))
    return router


async def on_positions(message: Message, services: Services, bot: Bot) -> None:
    """The table of what is open."""
    await post(bot, message.chat.id, await position_list_card(services))


async def on_list(query: CallbackQuery, services: Services, bot: Bot) -> None:
    """The same table, up to date."""
    await acknowledge(query)
    await edit(bot, place_of(query), await position_list_card(services))


async def on_close_command(
    message: Message,
    command: CommandObject,
    services: Services,
    person: Person,
    live_cards: LiveCards,
    bot: Bot,
) -> None:
    """`/close btc` or `/close 12`."""
    await offer_close(message, command.args, services, person, live_cards, bot)


async def on_view(
    query: CallbackQuery,
    callback_data: PositionTap,
    services: Services,
    person: Person,
    live_cards: LiveCards,
    bot: Bot,
) -> None:
    """Open the live card."""
    position = await services.positions.get(callback_data.id)
    if position is None:
        return await acknowledge(query, texts_position.GONE)
    await acknowledge(query)
    chat_id = place_of(query).chat_id
    return await post_position(bot, chat_id, position, services, person, live_cards)


async def on_refresh(
    query: CallbackQuery,
    callback_data: PositionTap,
    services: Services,
    person: Person,
    live_cards: LiveCards,
    bot: Bot,
) -> None:
    """The live card now, and fresh for two more minutes."""
    await acknowledge(query)
    place = place_of(query)
    if await refresh_position(bot, place, callback_data.id, services, person):
        keep_position_fresh(bot, place, callback_data.id, services, person, live_cards)


async def on_close(
    query: CallbackQuery, callback_data: PositionTap, services: Services, person: Person, bot: Bot
) -> None:
    """Close once; the journal row decides, not this reading of it."""
    seen = await services.positions.get(callback_data.id)
    await acknowledge(query, _toast(seen, callback_data))
    asked = ClosePosition(
        position_id=callback_data.id, rev=callback_data.rev, user_id=person.user_id
    )
    answer = _answer(await services.closer.close(asked), services)
    place = place_of(query)
    await refresh_position(bot, place, callback_data.id, services, person)
    if answer is not None:
        await bot.send_message(place.chat_id, **answer.as_kwargs())


async def offer_close(
    message: Message,
    what: str | None,
    services: Services,
    person: Person,
    live_cards: LiveCards,
    bot: Bot,
) -> None:
    """Show the card of the position that is meant; only its button closes it."""
    refusal = _refusal(message, services, person)
    if refusal is not None:
        await message.answer(**refusal.as_kwargs())
        return
    meant = await _meant(what, services)
    if len(meant) == 1:
        await post_position(bot, message.chat.id, meant[0], services, person, live_cards)
    else:
        await post(bot, message.chat.id, await _close_which(what, services))


def _refusal(message: Message, services: Services, person: Person) -> Text | None:
    if not person.role.may_trade:
        return Text(texts_help.VIEWER)
    age = services.clocks.wall.utc_now() - message.date
    return texts_position.too_old(age) if age > OLDEST_MONEY_COMMAND else None


async def _meant(what: str | None, services: Services) -> tuple[Position, ...]:
    """The open positions that `what` names: a number, a symbol, or nothing for all."""
    held = await services.positions.open()
    if not what:
        return held
    name = what.strip().lstrip("#")
    if name.isdecimal():
        return tuple(position for position in held if str(position.id) == name)
    try:
        symbol = services.registry.find(name).symbol
    except UnknownInstrumentError:
        return ()
    return tuple(position for position in held if position.instrument == symbol)


async def _close_which(what: str | None, services: Services) -> Card:
    listed = await position_list_card(services)
    if listed.keyboard is None:
        return Card(text=Text(texts_position.NOTHING_TO_CLOSE))
    lead = texts_position.CLOSE_WHICH if not what else texts_position.not_open(what)
    return Card(text=Text(lead, "\n\n", listed.text), keyboard=listed.keyboard)


def _toast(seen: Position | None, tap: PositionTap) -> str:
    if seen is None:
        return texts_position.GONE
    usable = seen.state is PositionState.OPEN and seen.rev == tap.rev
    return texts_position.CLOSING if usable else texts_position.already(seen)


def _answer(outcome: CloseOutcome, services: Services) -> Text | None:
    """What neither the card nor a notice of the outbox says."""
    match outcome:
        case CloseRefused(position=position, refusal=refusal):
            digits = digits_of(services.registry, position.instrument)
            return texts_position.not_closed(position, refusal, digits)
        case CloseUnresolved(position=position, text=text):
            return texts_position.close_unresolved(position, text)
        case _:
            return None
