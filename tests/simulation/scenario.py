"""One seeded story: cards, an impatient owner, a bad broker, crashes; then calm, then the check."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.clock import Clocks
from core.engine.trading import Trading, TradingInputs, assemble_trading
from core.errors import TapedeskError
from core.event_bus import EventBus
from core.model.commands import ClosePosition, DismissSignal, ExecuteSignal, UseNewPrice
from core.model.instrument import Venue
from core.model.market import Timeframe
from core.model.order import RiskApproved
from core.model.people import Role
from core.model.signal import Setup, Side, Signal, SignalKind
from core.model.values import Price
from core.risk.limits import RiskLimits
from db.connection import Journal
from db.preparation import prepare
from tests.simulation.broker_model import BrokerModel, BrokerRecord, Faults
from tests.simulation.checker import check_always, check_settled
from tests.simulation.inline_database import InlineDatabase
from tests.simulation.mutants import Mutant, mutated
from tests.simulation.virtual_loop import START, VirtualClock, VirtualLoop
from tests.support.desk_builders import BTC, REGISTRY, StillMarket, quote_of

OWNER = 1
MID = 97_000.0
QUARANTINE = timedelta(seconds=10)
VALIDITY = timedelta(seconds=20)
STORY_SECONDS = 40.0
CALM_SECONDS = 45.0
MAX_LIVES = 6

KILL_POINTS = (
    "tap.received",
    "signal.claimed",
    "risk.approved",
    "intent.committed",
    "order.answered",
    "outcome.committed",
    "close.claimed",
    "close.intent.committed",
    "close.answered",
    "close.committed",
)


class SimulatedCrash(SystemExit):
    """The process is gone: asyncio lets it through every task."""


@dataclass(slots=True)
class World:
    """What a crash does not touch: the files, the venue, the owner's intentions, the dice."""

    journal: Path
    random: random.Random
    faults: Faults
    record: BrokerRecord = field(default_factory=BrokerRecord)
    now: float = 0.0
    kill_point: str | None = None
    crashes: int = 0
    violations: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    minted: int = 0
    tapped: list[ExecuteSignal] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one seed showed."""

    seed: int
    violations: tuple[str, ...]
    crashes: int
    entries: int
    fired: dict[str, int]
    trace: str


def run_seed(
    seed: int, folder: Path, mutant: Mutant | None = None, kill_point: str | None = None
) -> Result:
    """Play one story; the same seed plays the same one. Without `kill_point` the dice choose."""
    dice = random.Random(seed)
    world = World(
        journal=folder / f"journal-{seed}.sqlite3",
        random=dice,
        faults=swarm(dice),
        kill_point=kill_point or dice.choice((None, *KILL_POINTS)),
    )
    prepare(world.journal, "sandbox", START)
    while world.now < STORY_SECONDS and world.crashes < MAX_LIVES:
        live(world, seed + world.crashes, STORY_SECONDS, mutant, owner=True)
        world.violations += check_always(world.journal, world.record)
    world.faults, world.kill_point = Faults(), None
    live(world, seed + 1000, world.now + CALM_SECONDS, mutant, owner=False)
    world.violations += check_always(world.journal, world.record)
    world.violations += check_settled(world.journal, world.record)
    return Result(
        seed=seed,
        violations=tuple(dict.fromkeys(world.violations)),
        crashes=world.crashes,
        entries=len(world.record.entries),
        fired=world.record.fired,
        trace=":".join(world.trace),
    )


def swarm(dice: random.Random) -> Faults:
    """A random subset of faults at random rates, so that rare pairs meet."""
    return Faults(
        **{
            name: dice.choice((0.0, 0.0, 0.1, 0.4))
            for name in ("reply_lost", "request_lost", "rejected", "query_fails")
        }
    )


def live(world: World, seed: int, until: float, mutant: Mutant | None, *, owner: bool) -> None:
    """One life of the process, to its end or its crash."""
    loop = VirtualLoop(seed, start=world.now)
    clock = VirtualClock(loop)
    database = InlineDatabase(world.journal, clock, world.random)
    main = _main(world, clock, database, until, mutant, owner=owner)
    try:
        loop.run_until_complete(main)
    except SimulatedCrash:
        world.crashes += 1
        world.record.count("crash")
    finally:
        world.now = loop.time()
        world.trace.append(loop.trace()[:12])
        database.kill()
        _bury(loop)


async def _main(
    world: World,
    clock: VirtualClock,
    database: InlineDatabase,
    until: float,
    mutant: Mutant | None,
    *,
    owner: bool,
) -> None:
    trading, journal = _desk(world, clock, database, mutant)
    await journal.users.save(OWNER, Role.OWNER, "Owner", clock.utc_now())
    await trading.boot.run()
    tasks = [
        asyncio.create_task(forever(trading.reconciliation.run, clock)),
        asyncio.create_task(forever(trading.deals.run, clock)),
        asyncio.create_task(forever(trading.expiry.run, clock)),
    ]
    if owner:
        tasks += [asyncio.create_task(_owner(world, clock, trading, journal)) for _ in range(3)]
        tasks.append(asyncio.create_task(_venue_stops(world, clock)))
    while clock.monotonic() < until:
        await clock.sleep(0.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _desk(
    world: World, clock: VirtualClock, database: InlineDatabase, mutant: Mutant | None
) -> tuple[Trading, Journal]:
    journal = Journal(database, clock)
    broker = BrokerModel(
        world.record, clock, world.random, world.faults, Price.of("97001"), _witness(world)
    )
    inputs = TradingInputs(
        clocks=Clocks(market=clock, wall=clock),
        bus=EventBus(),
        registry=REGISTRY,
        market=StillMarket(quote_of(MID)),
        broker=broker,
        signals=journal.signals,
        orders=journal.orders,
        positions=journal.positions,
        outbox=journal.outbox,
        settings=journal.settings,
        limits=RiskLimits(
            entries_per_instrument_hour=100, orders_per_minute=100, entries_per_day=500,
            max_per_instrument=3,
        ),
        origin=Venue.SANDBOX,
        strategies=(),
        min_confidence=0.6,
        validity=VALIDITY,
        quarantine=QUARANTINE,
        reached=_kill_switch(world),
    )  # fmt: skip
    return assemble_trading(mutated(inputs, mutant)), journal


def _kill_switch(world: World) -> Callable[[str], None]:
    def reached(name: str) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            loop.note(name)
        if name == world.kill_point and world.random.random() < 0.5:
            raise SimulatedCrash(name)

    return reached


def _witness(world: World) -> Callable[[RiskApproved], None]:
    """The venue looks into the journal's file at the moment an order arrives (I7)."""

    def arrived(approved: RiskApproved) -> None:
        connection = sqlite3.connect(f"file:{world.journal.as_posix()}?mode=ro", uri=True)
        found = connection.execute(
            "SELECT 1 FROM order_intents WHERE id = ?", (approved.intent.id,)
        ).fetchone()
        connection.close()
        if found is None:
            world.violations.append(f"I7: {approved.intent.id} sent before its intent")

    return arrived


async def forever(work: Callable[[], Any], clock: VirtualClock) -> None:
    """What the supervisor does: start it again."""
    while True:
        try:
            await work()
        except TapedeskError:
            await clock.sleep(0.5)


async def _owner(world: World, clock: VirtualClock, trading: Trading, journal: Journal) -> None:
    """Gets a card now and then and taps it like a person on a bad line."""
    dice = world.random
    await _tap_again(world, clock, trading)
    while True:
        await clock.sleep(dice.uniform(0.5, 4.0))
        try:
            signal = await _new_card(world, clock, trading)
            if not isinstance(signal, Signal):
                continue
            await clock.sleep(dice.choice((0.1, 1.0, 21.0)))
            await _taps(dice, trading, signal)
            world.tapped.append(ExecuteSignal(signal_id=signal.id, rev=signal.rev, user_id=OWNER))
            await _close_something(dice, trading, journal)
            await trading.pipeline.execute(dice.choice(world.tapped))
        except TapedeskError:
            continue


async def _tap_again(world: World, clock: VirtualClock, trading: Trading) -> None:
    """After a restart the phone sends its old taps again."""
    for tap in world.tapped[-4:]:
        await clock.sleep(world.random.uniform(0.5, 3.0))
        try:
            await trading.pipeline.execute(tap)
        except TapedeskError:
            continue


async def _new_card(world: World, clock: VirtualClock, trading: Trading) -> object:
    world.minted += 1
    entry, stop, target = 97_001.0, 96_901.0, 97_221.0
    side = world.random.choice((Side.BUY, Side.BUY, Side.SELL))
    if side is Side.SELL:
        entry, stop, target = 96_999.0, 97_099.0, 96_779.0
    setup = Setup(
        strategy=f"story{world.minted}",
        instrument=BTC.symbol,
        timeframe=Timeframe.M1,
        side=side,
        entry=entry + world.random.choice((0.0, 0.0, 40.0)),
        stop=stop,
        targets=(target + 100.0 * side.sign,),
        confidence=0.7,
        reasons=("story",),
        bar_close=clock.utc_now(),
    )
    return await trading.publisher.offer(setup, SignalKind.STRATEGY)


async def _taps(dice: random.Random, trading: Trading, signal: Signal) -> None:
    """Double taps, a late finger, a dismissal racing an approval."""
    execute = ExecuteSignal(signal_id=signal.id, rev=signal.rev, user_id=OWNER)
    dismiss = DismissSignal(signal_id=signal.id, rev=signal.rev, user_id=OWNER)
    again = UseNewPrice(signal_id=signal.id, rev=signal.rev + 2, user_id=OWNER)
    taps: list[Any] = [trading.pipeline.execute(execute) for _ in range(dice.randint(1, 3))]
    if dice.random() < 0.2:
        taps.append(trading.desk.dismiss(dismiss))
    if dice.random() < 0.3:
        taps.append(trading.desk.reprice(again))
    for outcome in await asyncio.gather(*taps, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, TapedeskError):
            raise outcome


async def _close_something(dice: random.Random, trading: Trading, journal: Journal) -> None:
    for position in await journal.positions.open():
        if dice.random() < 0.5:
            close = ClosePosition(position_id=position.id, rev=position.rev, user_id=OWNER)
            await asyncio.gather(trading.closer.close(close), trading.closer.close(close))


async def _venue_stops(world: World, clock: VirtualClock) -> None:
    """Now and then the venue's own stop fires."""
    model = BrokerModel(
        world.record, clock, world.random, Faults(), Price.of("96901"), lambda approved: None
    )
    while True:
        await clock.sleep(world.random.uniform(3.0, 9.0))
        if world.record.positions and world.random.random() < 0.5:
            model.stop_out(world.random.choice(sorted(world.record.positions)))


def _bury(loop: VirtualLoop) -> None:
    """Take the dead process's tasks apart without letting them run on."""
    loop.set_exception_handler(lambda _loop, _context: None)
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine = task.get_coro()
        try:
            if coroutine is not None:
                coroutine.close()
        except (RuntimeError, sqlite3.Error, TapedeskError):
            continue
    asyncio.set_event_loop(None)
