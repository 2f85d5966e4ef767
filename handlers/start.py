"""/start and /stop, and the buttons of the first minute."""

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery, Message

from bot import keyboards, texts_help, texts_signal
from bot.analysis_cards import AnalysisCards
from bot.callbacks import MenuAction, MenuTap
from bot.commands import command
from bot.flows import offer_practice, practise_soon, show_analysis
from bot.onboarding import publish_menu
from bot.phrases import read_analysis
from bot.posting import acknowledge, place_of
from bot.services import Services
from core.errors import VenueUnavailableError
from core.model.order import Refusal
from core.model.people import Person
from core.model.position import AccountState


def create_router() -> Router:
    """Routes of the first minute."""
    router = Router(name="start")
    router.message.register(on_start, command("start"))
    router.message.register(on_stop, command("stop"))
    router.callback_query.register(on_practice, MenuTap.filter(F.action == MenuAction.PRACTICE))
    return router


async def on_start(
    message: Message, services: Services, person: Person, analyses: AnalysisCards, bot: Bot
) -> None:
    """Subscribe, greet, show a first market, and let a practice card follow."""
    await services.users.subscribe(person.user_id, True)
    await publish_menu(bot, person)
    greeting = texts_help.greeting(person, await _account(services), services.mode)
    await message.answer(**greeting.as_kwargs(), reply_markup=keyboards.words())
    practises = person.role.may_trade and not services.real_money
    wish = read_analysis(None, services.registry)
    await show_analysis(message, wish, services, person, analyses, practice=practises)
    if practises:
        services.start_job("first practice card", practise_soon(services, bot, person.user_id))


async def on_stop(message: Message, services: Services, person: Person) -> None:
    """No more pushes."""
    await services.users.subscribe(person.user_id, False)
    await message.answer(texts_help.STOPPED)


async def on_practice(query: CallbackQuery, services: Services, bot: Bot) -> None:
    """A practice card on request."""
    await acknowledge(query, texts_signal.PRACTICE_ASKED)
    offered = await offer_practice(services)
    chat_id = place_of(query).chat_id
    if offered is None:
        await bot.send_message(chat_id, texts_signal.PRACTICE_WAITS)
    elif isinstance(offered, Refusal):
        await bot.send_message(chat_id, **texts_signal.no_practice(offered).as_kwargs())


async def _account(services: Services) -> AccountState | None:
    try:
        return await services.broker.account()
    except VenueUnavailableError:
        return None
