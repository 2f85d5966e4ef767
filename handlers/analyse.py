"""/analyse and the buttons of analysis cards."""

from aiogram import Bot, F, Router
from aiogram.filters import CommandObject
from aiogram.types import CallbackQuery, Message

from bot import keyboards, texts_analysis
from bot.analysis_cards import AnalysisCards
from bot.callbacks import AnalysisTap, MenuAction, MenuTap
from bot.commands import command
from bot.flows import market_card, show_analysis, update_analysis
from bot.phrases import read_analysis
from bot.posting import acknowledge, place_of, post
from bot.services import Services
from core.errors import UnknownInstrumentError
from core.model.people import Person


def create_router() -> Router:
    """Routes of the analysis."""
    router = Router(name="analyse")
    router.message.register(on_analyse, command("analyse"))
    router.message.register(on_word, F.text == keyboards.WORD_ANALYSE)
    router.callback_query.register(on_markets, MenuTap.filter(F.action == MenuAction.MARKETS))
    router.callback_query.register(on_analysis_tap, AnalysisTap.filter())
    return router


async def on_analyse(
    message: Message,
    command: CommandObject,
    services: Services,
    person: Person,
    analyses: AnalysisCards,
    bot: Bot,
) -> None:
    """A chart with everything known about one market."""
    try:
        wish = read_analysis(command.args, services.registry)
    except UnknownInstrumentError as error:
        text = texts_analysis.unknown_instrument(error.text, error.nearest)
        card = market_card(services, analyses, text, *error.nearest)
        await post(bot, message.chat.id, card)
    else:
        await show_analysis(message, wish, services, person, analyses)


async def on_word(message: Message, services: Services, analyses: AnalysisCards, bot: Bot) -> None:
    """The word on the keyboard asks which market."""
    card = market_card(services, analyses, texts_analysis.MARKETS)
    await post(bot, message.chat.id, card)


async def on_markets(
    query: CallbackQuery, services: Services, analyses: AnalysisCards, bot: Bot
) -> None:
    """All markets as buttons."""
    await acknowledge(query)
    card = market_card(services, analyses, texts_analysis.MARKETS)
    await post(bot, place_of(query).chat_id, card)


async def on_analysis_tap(
    query: CallbackQuery,
    callback_data: AnalysisTap,
    services: Services,
    person: Person,
    analyses: AnalysisCards,
) -> None:
    """Another timeframe, or the same one afresh."""
    remembered = analyses.find(callback_data.id)
    if remembered is None:
        await acknowledge(query, texts_analysis.FORGOTTEN_CARD, alert=True)
        return
    await acknowledge(query)
    await update_analysis(query, remembered, callback_data.timeframe, services, person)
