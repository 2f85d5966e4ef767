"""/signals and the buttons of signal cards: Execute, Dismiss, Use new price."""

from aiogram import Bot, F, Router
from aiogram.types import CallbackQuery, Message
from aiogram.utils.formatting import Text

from bot import keyboards, texts_signal
from bot.callbacks import SignalAction, SignalTap
from bot.commands import command
from bot.flows import post_signal, refresh_signal, remember_card
from bot.formats import digits_of
from bot.posting import acknowledge, place_of
from bot.services import Services
from core.model.commands import DismissSignal, ExecuteSignal, UseNewPrice
from core.model.outcome import (
    Drifted,
    ExecutionOutcome,
    NotWon,
    Refused,
)
from core.model.people import Person
from core.model.signal import Signal, SignalState

_LATEST = 10
_DISMISSIBLE = (SignalState.OPEN, SignalState.DRIFTED)


def create_router() -> Router:
    """Routes of signals."""
    router = Router(name="signals")
    router.message.register(on_signals, command("signals"))
    router.message.register(on_signals, F.text == keyboards.WORD_SIGNALS)
    taps = (
        (on_execute, SignalAction.EXECUTE),
        (on_dismiss, SignalAction.DISMISS),
        (on_new_price, SignalAction.NEW_PRICE),
        (on_show, SignalAction.SHOW),
    )
    for handler, action in taps:
        router.callback_query.register(handler, SignalTap.filter(F.action == action))
    return router


async def on_signals(message: Message, services: Services) -> None:
    """Open signals and the latest ones."""
    waiting = await services.signals.in_state(SignalState.OPEN)
    text = texts_signal.signal_list(waiting, await services.signals.recent(_LATEST))
    await message.answer(**text.as_kwargs(), reply_markup=keyboards.signal_list(waiting))


async def on_execute(
    query: CallbackQuery, callback_data: SignalTap, services: Services, person: Person, bot: Bot
) -> None:
    """At most one order; the journal row decides, not this reading of it."""
    seen = await services.signals.get(callback_data.id)
    await acknowledge(query, _toast(seen, callback_data, texts_signal.SENDING, SignalState.OPEN))
    if seen is not None:
        await remember_card(query, seen, services)
    asked = ExecuteSignal(signal_id=callback_data.id, rev=callback_data.rev, user_id=person.user_id)
    outcome = await services.pipeline.execute(asked)
    if outcome.signal is not None:
        await refresh_signal(query, outcome.signal, services, person)
    answer = _answer(outcome, services, seen)
    if answer is not None:
        await bot.send_message(place_of(query).chat_id, **answer.as_kwargs())


async def on_dismiss(
    query: CallbackQuery, callback_data: SignalTap, services: Services, person: Person
) -> None:
    """Let it go."""
    seen = await services.signals.get(callback_data.id)
    await acknowledge(query, _toast(seen, callback_data, texts_signal.DISMISSING, *_DISMISSIBLE))
    asked = DismissSignal(signal_id=callback_data.id, rev=callback_data.rev, user_id=person.user_id)
    change = await services.pipeline.dismiss(asked)
    if change.signal is not None:
        await refresh_signal(query, change.signal, services, person)


async def on_new_price(
    query: CallbackQuery, callback_data: SignalTap, services: Services, person: Person, bot: Bot
) -> None:
    """The same idea at the live price, on the same card."""
    await acknowledge(query, texts_signal.REPRICING)
    asked = UseNewPrice(signal_id=callback_data.id, rev=callback_data.rev, user_id=person.user_id)
    outcome = await services.pipeline.reprice(asked)
    if outcome.signal is not None:
        await refresh_signal(query, outcome.signal, services, person)
    if isinstance(outcome, Refused):
        text = texts_signal.not_repriced(outcome.signal.id, outcome.refusal)
        await bot.send_message(place_of(query).chat_id, **text.as_kwargs())


async def on_show(
    query: CallbackQuery, callback_data: SignalTap, services: Services, person: Person
) -> None:
    """Bring the card down to where the person is reading."""
    signal = await services.signals.get(callback_data.id)
    if signal is None:
        return await acknowledge(query, texts_signal.GONE)
    await acknowledge(query)
    return await post_signal(query, signal, services, person)


def _toast(seen: Signal | None, tap: SignalTap, working: str, *usable: SignalState) -> str:
    """The truth in a toast, before any work."""
    if seen is None:
        return texts_signal.GONE
    current = seen.state in usable and seen.rev == tap.rev
    return working if current else texts_signal.already(seen)


def _answer(outcome: ExecutionOutcome, services: Services, seen: Signal | None) -> Text | None:
    """What neither the card nor a notice of the outbox says."""
    match outcome:
        case Drifted(signal=signal, live_price=live):
            digits = digits_of(services.registry, signal.instrument)
            return texts_signal.drifted(signal, live, digits)
        case Refused(signal=signal, refusal=refusal) if signal.state is not SignalState.REJECTED:
            return texts_signal.refused(signal.id, refusal)
        case NotWon(signal=signal) if _just_lost(signal, seen):
            return None if signal is None else Text(texts_signal.already(signal))
        case _:
            return None


def _just_lost(now: Signal | None, seen: Signal | None) -> bool:
    """Whether somebody else was quicker after the toast had promised to send."""
    return now is not None and seen is not None and now.rev != seen.rev
