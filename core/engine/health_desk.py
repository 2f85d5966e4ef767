"""Collects everything `/health` tells; each part is asked, none is assumed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.clock import Clocks
from core.errors import JournalError, VenueError
from core.execution.position_reconciliation import PositionReconciliation
from core.model.report import ComponentHealth, FeedHealth, HealthReport
from core.ports.broker import Broker
from core.ports.journal import OutboxStore
from core.risk.trading_state import TradingState
from core.supervisor import Supervisor


class TelegramState(Protocol):
    """How the chat's connection is doing."""

    @property
    def ok(self) -> bool:
        """Messages come and go."""
        ...

    @property
    def detail(self) -> str:
        """In plain words."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSources:
    """Whom the health desk asks."""

    mode: str
    clocks: Clocks
    market_speed: Callable[[], float]
    market_note: Callable[[], str]
    telegram: TelegramState
    feeds: Callable[[], tuple[FeedHealth, ...]]
    loop_lag_max_ms: Callable[[], float]
    supervisor: Supervisor
    outbox: OutboxStore
    broker: Broker
    state: TradingState
    reconciliation: PositionReconciliation


class HealthDesk:
    """Answers `/health`."""

    def __init__(self, sources: HealthSources) -> None:
        self._sources = sources
        self._started = sources.clocks.wall.monotonic()

    async def report(self) -> HealthReport:
        """The state of everything, now."""
        sources = self._sources
        journal_ok, waiting, journal_detail = await self._journal()
        venue_ok, venue_detail = await self._venue()
        halted = sources.state.halted
        return HealthReport(
            mode=sources.mode,
            uptime_seconds=sources.clocks.wall.monotonic() - self._started,
            market_time=sources.clocks.market.utc_now(),
            market_speed=sources.market_speed(),
            market_note=sources.market_note(),
            wall_time=sources.clocks.wall.utc_now(),
            feeds=sources.feeds(),
            components=self._components(),
            journal_ok=journal_ok,
            journal_detail=journal_detail,
            venue_ok=venue_ok,
            venue_detail=venue_detail,
            telegram_ok=sources.telegram.ok,
            telegram_detail=sources.telegram.detail,
            outbox_waiting=waiting,
            loop_lag_max_ms=sources.loop_lag_max_ms(),
            trading_enabled=halted is None,
            trading_detail=self._trading_detail(),
        )

    def _components(self) -> tuple[ComponentHealth, ...]:
        return tuple(
            ComponentHealth(
                name=c.name, running=c.running, restarts=c.restarts, last_error=c.last_error
            )
            for c in self._sources.supervisor.components.values()
        )

    def _trading_detail(self) -> str:
        halted = self._sources.state.halted
        if halted is not None:
            return halted.text
        locked = sorted(self._sources.state.locked())
        return f"locked: {', '.join(locked)}" if locked else "ready"

    async def _journal(self) -> tuple[bool, int, str]:
        try:
            waiting = await self._sources.outbox.waiting()
        except JournalError as e:
            return False, 0, str(e)
        return True, waiting, "writing"

    async def _venue(self) -> tuple[bool, str]:
        try:
            account = await self._sources.broker.account()
        except VenueError as e:
            return False, str(e) or e.user_text
        last = self._sources.reconciliation.last
        if last is None:
            return True, f"{account.venue} answers; not compared with the journal yet"
        if last.breaks:
            return True, "; ".join(last.breaks)
        return True, f"{account.venue} answers; journal and venue agree"
