"""Whatever nobody else took: free text, stickers, buttons of another age."""

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery, Message

from bot import texts_help
from bot.analysis_cards import AnalysisCards
from bot.commands import nearest_command
from bot.flows import market_card, show_analysis
from bot.live_cards import LiveCards
from bot.phrases import AnalysisWish, CloseWish, SimpleWish, understand
from bot.posting import acknowledge, post
from bot.services import Services
from core.model.people import Person
from handlers.positions import offer_close
from handlers.stats import show_statistics

_LONGEST_NAME = 20


def create_router() -> Router:
    """Routes of last resort; must be included last."""
    router = Router(name="fallback")
    router.message.register(on_text, F.text)
    router.message.register(on_other)
    router.callback_query.register(on_unknown_tap)
    return router


async def on_text(
    message: Message,
    services: Services,
    person: Person,
    analyses: AnalysisCards,
    live_cards: LiveCards,
    bot: Bot,
) -> None:
    """A market, a phrase, or something not understood."""
    match understand(message.text or "", services.registry):
        case AnalysisWish() as wish:
            await show_analysis(message, wish, services, person, analyses)
        case CloseWish(what=what):
            await offer_close(message, what, services, person, live_cards, bot)
        case SimpleWish.STATISTICS:
            await show_statistics(message, services, None)
        case None:
            await _help_out(message, services, analyses, bot)


async def on_other(message: Message) -> None:
    """Stickers, photos, voice."""
    await message.answer(texts_help.NOT_TEXT)


async def on_unknown_tap(query: CallbackQuery) -> None:
    """A button this version does not know."""
    await acknowledge(query, texts_help.OLD_BUTTON, alert=True)


async def _help_out(
    message: Message, services: Services, analyses: AnalysisCards, bot: Bot
) -> None:
    text = (message.text or "").strip()
    nearest = () if nearest_command(text) else _nearest_markets(text, services)
    if nearest:
        question = texts_help.did_you_mean(nearest)
        await post(bot, message.chat.id, market_card(services, analyses, question, *nearest))
    else:
        await message.answer(texts_help.not_understood(text))


def _nearest_markets(text: str, services: Services) -> tuple[str, ...]:
    if text.startswith("/") or len(text) > _LONGEST_NAME:
        return ()
    return services.registry.nearest(text.split(maxsplit=1)[0]) if text else ()
