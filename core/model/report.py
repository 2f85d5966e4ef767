"""Reports a person reads: statistics and health, as plain numbers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.events import FeedStatus
from core.model.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Results of closed trades; practice trades are counted apart."""

    trades: int
    wins: int
    losses: int
    win_rate: float | None
    """0-1; None without trades."""
    win_rate_low: float | None
    """Wilson 95 % interval."""
    win_rate_high: float | None
    profit_factor: float | None
    """None without losses or without trades."""
    expectancy_r: float | None
    net: Money
    best_r: Decimal | None
    worst_r: Decimal | None
    max_drawdown: Money
    """Largest fall of the closed-trade equity curve, positive."""
    practice_trades: int
    practice_net: Money
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """One instrument's feed."""

    instrument: str
    status: FeedStatus
    age_seconds: float | None
    bars: int
    """Closed M1 bars in the cache."""
    duplicates: int
    gaps: int
    rejects: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """One supervised component."""

    name: str
    running: bool
    restarts: int
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Everything `/health` tells."""

    mode: str
    """'sandbox', 'paper', 'live-<account>'."""
    uptime_seconds: float
    market_time: datetime
    market_speed: float
    market_note: str = ""
    """Which prices are recorded and which simulated; empty where that needs no word."""
    wall_time: datetime
    feeds: tuple[FeedHealth, ...]
    components: tuple[ComponentHealth, ...]
    journal_ok: bool
    journal_detail: str
    venue_ok: bool
    venue_detail: str
    telegram_ok: bool
    telegram_detail: str
    outbox_waiting: int
    loop_lag_max_ms: float
    """Largest event-loop stall of the last minute."""
    trading_enabled: bool
    trading_detail: str
    """Why entries are not allowed, or 'ready'."""
