"""The composition root: reads the settings, wires the rooms together, starts and stops the desk."""

import asyncio
import logging
import os
import random
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.dispatcher import build_dispatcher
from bot.onboarding import publish_menus
from bot.outbox_sender import OutboxSender
from bot.polling import Polling
from bot.preflight import guard_bot, meet_telegram
from bot.services import Services
from bot.telegram_link import TelegramLink
from core.analysis.analyst import Analyst
from core.clock import Clocks
from core.engine.desk_services import (
    CachedMarket,
    ChatAnalyst,
    ChatPublisher,
    ClosedTrades,
    SignalTaps,
    feed_health,
)
from core.engine.health_desk import HealthDesk, HealthSources
from core.engine.known_people import list_people
from core.engine.pairing_desk import PairingDesk
from core.engine.trading import Trading, TradingInputs, assemble_trading
from core.errors import JournalError, SettingsError, StartupRefusedError, VenueError
from core.event_bus import EventBus
from core.market.feed_validator import FeedValidator
from core.market.multi_source_bridge import MultiSourceBridge
from core.market.price_cache import PriceCache
from core.model.events import NoticesQueued
from core.model.instrument import InstrumentRegistry
from core.ports.broker import Broker
from core.risk.limits import RiskLimits
from core.strategies.range_break import RangeBreak, RangeBreakParameters
from core.supervisor import Supervisor
from db.connection import Journal
from db.inspection import inspect_journal
from handlers.routers import create_routers
from infra.banner import open_page, say
from infra.binance.binance_rest import BinanceHistory
from infra.binance.binance_stream import BinanceStream
from infra.charts.renderer import ProcessChartRenderer
from infra.command_line import Command, parse_command_line
from infra.desk_home import DeskHome
from infra.desk_plan import DeskPlan, plan_desk
from infra.doctor.consultation import Patient, consult
from infra.garbage import collect_after_loading
from infra.instance_lock import instance_lock
from infra.kill_points import armed_kill_point
from infra.live_clock import WallClock
from infra.logging_setup import setup_logging
from infra.loop_lag import LoopLagMonitor
from infra.pairing_terminal import PairingTerminal
from infra.paper.paper_broker import PaperBroker
from infra.paper.terms import paper_terms
from infra.registry_file import load_registry
from infra.settings import Settings, load_settings
from infra.stop_signals import on_stop_signals
from infra.surroundings import Surroundings, surroundings_of
from infra.tokens import SystemTokens

log = logging.getLogger(__name__)

ENV_FILE = Path(__file__).with_name(".env")
REFUSED_EXIT = 3
PAPER_QUARANTINE = timedelta(seconds=5)
"""The paper venue answers at once; nothing of it can turn up later than this."""
STRATEGY = RangeBreak(RangeBreakParameters())


def main(words: Sequence[str]) -> int:
    """Open the desk and keep it open until it is asked to stop; the exit code."""
    options = parse_command_line(words)
    if options.command is Command.DOCTOR:
        patient = Patient(
            options=options, env=os.environ, env_file=ENV_FILE, inspect_journal=inspect_journal,
            wall=WallClock(),
        )  # fmt: skip
        return asyncio.run(consult(patient, say))
    try:
        settings = load_settings(os.environ, ENV_FILE)
        asyncio.run(run_desk(plan_desk(options, settings), settings))
    except SettingsError as e:
        say("The settings need mending (.env.example explains each):")
        for problem in e.problems:
            say(f"  - {problem}")
        return REFUSED_EXIT
    except (StartupRefusedError, JournalError, VenueError) as e:
        say(f"The desk did not open: {e}")
        return REFUSED_EXIT
    return 0


async def run_desk(plan: DeskPlan, settings: Settings) -> None:
    """Open everything in order, run until asked to stop, close everything in reverse order."""
    stop = asyncio.Event()
    on_stop_signals(asyncio.get_running_loop(), stop.set)
    async with AsyncExitStack() as stack:
        ground = await lay_ground(plan, settings, stack)
        market = await open_market(ground)
        broker = await open_broker(ground, market)
        trading = assemble_trading(trading_inputs(ground, market, broker))
        polling = await open_chat(ground, market, broker, trading)
        await trading.begin(ground.supervisor)
        await stop.wait()
        say("Stopping. Open positions keep the stop at their venue.")
        await polling.stop()
        await ground.supervisor.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every room stands on."""

    plan: DeskPlan
    settings: Settings
    stack: AsyncExitStack
    home: DeskHome
    clocks: Clocks
    bus: EventBus
    supervisor: Supervisor
    loop_lag: LoopLagMonitor
    registry: InstrumentRegistry
    journal: Journal
    charts: ProcessChartRenderer
    around: Surroundings
    began: float


async def lay_ground(plan: DeskPlan, settings: Settings, stack: AsyncExitStack) -> Ground:
    """Folder, lock, logs, journal, clocks, background tasks."""
    wall = WallClock()
    began = wall.monotonic()
    home = DeskHome.prepare(plan.root, plan.environment)
    stack.enter_context(instance_lock(home.lock))
    logs = setup_logging(
        folder=home.logs, level=settings.log_level, secrets=settings.secrets,
        max_megabytes=settings.logs.max_megabytes, kept=settings.logs.kept,
    )  # fmt: skip
    stack.callback(logs.close)
    journal = await stack.enter_async_context(Journal.open(home.journal, plan.environment, wall))
    around = await surroundings_of(plan, settings, home, wall)
    registry = around.listed(load_registry(settings.instruments_file))
    charts = ProcessChartRenderer(wall)
    stack.push_async_callback(charts.close)
    bus = EventBus()
    supervisor = Supervisor(wall, bus)
    stack.push_async_callback(supervisor.stop)
    loop_lag = LoopLagMonitor(wall)
    supervisor.keep("loop lag", loop_lag.run)
    supervisor.start_job("chart worker", charts.start())
    return Ground(
        plan=plan, settings=settings, stack=stack, home=home, bus=bus, supervisor=supervisor,
        clocks=Clocks(market=around.market_clock, wall=wall), around=around,
        loop_lag=loop_lag, registry=registry, journal=journal, charts=charts,
        began=began,
    )  # fmt: skip


async def open_market(ground: Ground) -> CachedMarket:
    """Stream and history into the price cache."""
    streams, rest = await ground.around.open_exchange(ground.supervisor, ground.stack)
    session = await ground.stack.enter_async_context(aiohttp.ClientSession())
    market, wall = ground.clocks.market, ground.clocks.wall
    cache = PriceCache(ground.registry, market, wall, ground.bus)
    stream = BinanceStream(
        streams, ground.around.venue, market, wall, random.Random(), cache.count_reject
    )
    history = BinanceHistory(session, rest, ground.around.venue, market, wall)
    bridge = MultiSourceBridge(
        instruments=tuple(ground.registry), stream=stream, history=history, trades=history,
        cache=cache, wall=wall,
    )  # fmt: skip
    ground.supervisor.keep("market feed", bridge.run)
    settle = collect_after_loading(lambda: bridge.loaded, wall)
    ground.supervisor.start_job("settle memory", settle)
    return CachedMarket(cache, FeedValidator(cache))


async def open_broker(ground: Ground, market: CachedMarket) -> Broker:
    """The paper account, its stops watched by the stream."""
    paper = PaperBroker(
        path=ground.home.paper_record, registry=ground.registry, quotes=market.cache.quote,
        market=ground.clocks.market, wall=ground.clocks.wall, terms=paper_terms(ground.settings),
    )  # fmt: skip
    await paper.open()
    ground.stack.push_async_callback(paper.shutdown)
    market.cache.listen_quotes(paper.on_quote)
    ground.supervisor.keep("paper broker", paper.run)
    return ground.around.broker(paper)


def trading_inputs(ground: Ground, market: CachedMarket, broker: Broker) -> TradingInputs:
    """What trading needs, from the ground, the market and the settings."""
    journal, settings = ground.journal, ground.settings
    return TradingInputs(
        clocks=ground.clocks, bus=ground.bus, registry=ground.registry, market=market,
        broker=broker, signals=journal.signals, orders=journal.orders,
        positions=journal.positions, outbox=journal.outbox, settings=journal.settings,
        limits=RiskLimits(**settings.risk.model_dump()),
        origin=ground.around.venue,
        strategies=(STRATEGY,),
        min_confidence=settings.signals.min_confidence,
        validity=timedelta(minutes=settings.signals.validity_minutes),
        quarantine=PAPER_QUARANTINE,
        reached=armed_kill_point(os.environ if ground.plan.simulated else {}),
    )  # fmt: skip


async def open_chat(
    ground: Ground, market: CachedMarket, broker: Broker, trading: Trading
) -> Polling:
    """The bot, its owner's pairing, its outbox and, in the sandbox, the Telegram it talks to."""
    address = await ground.around.open_telegram(ground.stack)
    wall, keep, start_job = ground.clocks.wall, ground.supervisor.keep, ground.supervisor.start_job
    bot = Bot(address.token, session=AiohttpSession(api=TelegramAPIServer.from_base(address.base)))
    ground.stack.push_async_callback(bot.session.close)
    link = await guard_bot(bot, trading.state, wall, say)
    await list_people(ground.journal.users, ground.around.people, wall.utc_now())
    terminal, codes = PairingTerminal(say), ground.journal.pairing
    pairing = PairingDesk(store=codes, tokens=SystemTokens(), wall=wall, terminal=terminal)
    services = chat_services(ground, market, broker, trading, link, pairing)

    async def greet() -> None:
        bot_name = (await meet_telegram(bot, say)).username or "the bot"
        await publish_menus(bot, await ground.journal.users.all())
        text, page = ground.around.opened(ground.home, address, bot_name)
        say(text)
        log.info("desk opened", extra={"seconds": round(wall.monotonic() - ground.began, 3)})
        terminal.bot_name = bot_name
        if await pairing.open():
            keep("pairing", pairing.run)
        if page:
            start_job("open the page", open_page(page))
        if ground.plan.simulated:
            start_job("first practice card", trading.practice.introduce(wall))

    polling = Polling(bot, build_dispatcher(services, create_routers()), greet)
    keep("telegram", polling.run)
    keep("outbox", OutboxSender(bot, services, ground.bus.mailbox(NoticesQueued), link).run)
    return polling


def chat_services(
    ground: Ground,
    market: CachedMarket,
    broker: Broker,
    trading: Trading,
    link: TelegramLink,
    pairing: PairingDesk,
) -> Services:
    """Everything a handler may use."""
    journal = ground.journal
    analyst = Analyst(market.cache, (STRATEGY,), ground.clocks.market)
    return Services(
        registry=ground.registry, clocks=ground.clocks, charts=ground.charts, broker=broker,
        mode=ground.plan.environment, watermark=ground.plan.watermark,
        analyst=ChatAnalyst(analyst, ground.plan.watermark),
        publisher=ChatPublisher(trading.publisher, trading.practice),
        pipeline=SignalTaps(trading.pipeline, trading.desk), closer=trading.closer,
        signals=journal.signals, positions=journal.positions, outbox=journal.outbox,
        users=journal.users, quotes=market.cache.quote, pair=pairing.claim,
        statistics=ClosedTrades(journal.positions).statistics,
        health=health_of(ground, market, broker, trading, link).report,
        start_job=ground.supervisor.start_job,
    )  # fmt: skip


def health_of(
    ground: Ground, market: CachedMarket, broker: Broker, trading: Trading, link: TelegramLink
) -> HealthDesk:
    """Whom `/health` asks."""
    sources = HealthSources(
        mode=ground.plan.environment, clocks=ground.clocks, market_speed=ground.around.speed,
        market_note=ground.around.market_note, telegram=link,
        feeds=lambda: feed_health(market.cache, ground.registry),
        loop_lag_max_ms=ground.loop_lag.max_ms_last_minute, supervisor=ground.supervisor,
        outbox=ground.journal.outbox, broker=broker, state=trading.state,
        reconciliation=trading.reconciliation,
    )  # fmt: skip
    return HealthDesk(sources)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
