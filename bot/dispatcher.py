"""Builds aiogram's dispatcher around the desk's services."""

from collections.abc import Sequence

from aiogram import Dispatcher, Router
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.fsm.strategy import FSMStrategy

from bot.analysis_cards import AnalysisCards
from bot.late_answers import LateAnswers
from bot.live_cards import LiveCards
from bot.middlewares import AccessMiddleware
from bot.pairing_gate import PairingGate
from bot.services import Services


def build_dispatcher(services: Services, routers: Sequence[Router]) -> Dispatcher:
    """A dispatcher that hands handlers `services`, `person` and what they share.

    Updates of one person are handled one after the other.
    """
    dispatcher = Dispatcher(
        storage=MemoryStorage(),
        fsm_strategy=FSMStrategy.GLOBAL_USER,
        events_isolation=SimpleEventIsolation(),
        services=services,
        analyses=AnalysisCards(services.clocks.wall),
        live_cards=LiveCards(services),
        late_answers=LateAnswers(services),
    )
    gate = PairingGate(services.pair, services.clocks.wall)
    _guard(dispatcher, AccessMiddleware(services.users, services.clocks.wall, gate))
    dispatcher.include_routers(*routers)
    return dispatcher


def _guard(dispatcher: Dispatcher, access: AccessMiddleware) -> None:
    """Access before isolation: strangers must not leave locks and states behind."""
    dispatcher.update.outer_middleware.unregister(dispatcher.fsm)
    dispatcher.update.outer_middleware.register(access)
    dispatcher.update.outer_middleware.register(dispatcher.fsm)
