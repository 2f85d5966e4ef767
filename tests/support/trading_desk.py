"""The real trading core over a real journal, a still market and a well-behaved broker model."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.clock import Clocks
from core.engine.trading import Trading, TradingInputs, assemble_trading
from core.event_bus import EventBus
from core.model.instrument import Venue
from core.model.people import Role
from core.model.values import Price
from core.ports.outside import not_armed
from core.risk.limits import RiskLimits
from db.connection import Journal
from tests.simulation.broker_model import BrokerModel, BrokerRecord, Faults
from tests.support.clock import START, ManualClock
from tests.support.desk_builders import REGISTRY, StillMarket

OWNER = 1


class NowClock(ManualClock):
    """Sleeping takes no time: the broker answers at once."""

    async def sleep(self, seconds: float) -> None:
        self.tick(0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOnTheBench:
    """What a test needs in its hands."""

    trading: Trading
    journal: Journal
    clock: ManualClock
    market: StillMarket
    record: BrokerRecord
    broker: BrokerModel
    bus: EventBus


@asynccontextmanager
async def trading_desk(
    folder: Path, *, faults: Faults | None = None, booted: bool = True, **changes: Any
) -> AsyncIterator[DeskOnTheBench]:
    """A desk with one subscribed owner; `changes` go into its TradingInputs."""
    clock, market, bus, record = ManualClock(START), StillMarket(), EventBus(), BrokerRecord()
    broker = BrokerModel(
        record,
        NowClock(START),
        random.Random(1),
        faults or Faults(),
        Price.of("97001"),
        lambda approved: None,
    )
    async with Journal.open(folder / "journal.sqlite3", "sandbox", clock) as journal:
        inputs: dict[str, Any] = {
            "clocks": Clocks(market=clock, wall=clock),
            "bus": bus,
            "registry": REGISTRY,
            "market": market,
            "broker": broker,
            "signals": journal.signals,
            "orders": journal.orders,
            "positions": journal.positions,
            "outbox": journal.outbox,
            "settings": journal.settings,
            "limits": RiskLimits(),
            "origin": Venue.SANDBOX,
            "strategies": (),
            "min_confidence": 0.6,
            "validity": timedelta(minutes=15),
            "quarantine": timedelta(seconds=5),
            "reached": not_armed,
        }
        trading = assemble_trading(TradingInputs(**{**inputs, **changes}))
        await journal.users.save(OWNER, Role.OWNER, "Owner", clock.utc_now())
        await journal.users.subscribe(OWNER, True)
        if booted:
            await trading.boot.run()
        yield DeskOnTheBench(
            trading=trading,
            journal=journal,
            clock=clock,
            market=market,
            record=record,
            broker=broker,
            bus=bus,
        )
