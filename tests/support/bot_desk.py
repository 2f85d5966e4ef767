"""A desk for chat tests: journal in memory, services that answer what they are told."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from aiogram import Bot, Dispatcher

from bot.dispatcher import build_dispatcher
from bot.services import Services
from core.clock import Clocks
from core.errors import ChartError, VenueUnavailableError
from core.model.analysis import Analysis, FlowReading, IndicatorReading, Trend
from core.model.chart import ChartRequest
from core.model.commands import ClosePosition, DismissSignal, ExecuteSignal, UseNewPrice
from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Quote, Timeframe
from core.model.notice import CardPlace, Notice, NoticePriority, NoticeTopic, OutboxItem
from core.model.order import Refusal
from core.model.outcome import (
    CloseNotWon,
    CloseOutcome,
    ExecutionOutcome,
    NotWon,
    RepriceOutcome,
    SignalChange,
)
from core.model.people import Person, Role
from core.model.position import AccountState, Position, PositionState, VenuePosition
from core.model.report import FeedHealth, HealthReport, Statistics
from core.model.signal import NoSetup, Setup, Side, Signal, SignalKind, SignalState
from core.model.values import Money, Price, Quantity
from handlers.routers import create_routers
from tests.support.clock import START, ManualClock
from tests.support.desk_builders import REGISTRY, account_of, quote_of
from tests.support.telegram_session import TOKEN, RecordingSession

OWNER, VIEWER, STRANGER = 100, 200, 900


def position_of(**changes: Any) -> Position:
    """An open BUY of 0.02 BTC with 100 of stop distance and 2.00 at risk."""
    base = Position(
        id=7,
        signal_id=1,
        intent_id="td1-entry-1",
        venue_position_id="v7",
        instrument="BTCUSD",
        side=Side.BUY,
        quantity=Quantity.of("0.02"),
        entry=Price.of("97002.00"),
        stop=Price.of("96902.00"),
        stop_initial=Price.of("96902.00"),
        target=Price.of("97221.00"),
        risk=Money.of("2.00"),
        opened_at=START - timedelta(minutes=12),
        opened_market_at=START - timedelta(minutes=12),
        practice=False,
        state=PositionState.OPEN,
        rev=1,
    )
    return replace(base, **changes)


def analysis_of(instrument: Instrument, timeframe: Timeframe, **changes: Any) -> Analysis:
    """A calm up-trend without a trade."""
    base = Analysis(
        instrument=instrument,
        timeframe=timeframe,
        at=START,
        bid=96_999.0,
        ask=97_001.0,
        price_age_seconds=0.4,
        feed=FeedStatus.LIVE,
        indicators=IndicatorReading(
            bars=1500, close=97_000.0, trend=Trend.UP, rsi=56.2, atr=120.5, adx=24.1,
            ema_fast=96_900.0, ema_slow=96_800.0, missing=(),
        ),
        flow=FlowReading(
            seconds=30, trades=124, buy_volume=3.0, sell_volume=1.75, cvd=1.25, flow_ratio=1.7,
            book_share=0.56, proxy=False, gap=False,
        ),
        supports=(96_500.0,),
        resistances=(97_500.0, 98_000.0),
        setup=NoSetup(reason="inside", detail="the price is inside its range"),
        bars=(),
        forming=None,
    )  # fmt: skip
    return replace(base, **changes)


class MemoryUsers:
    """Listed people."""

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.fails: Exception | None = None

    async def get(self, user_id: int) -> Person | None:
        if self.fails is not None:
            raise self.fails
        return self.people.get(user_id)

    async def all(self) -> tuple[Person, ...]:
        return tuple(self.people.values())

    async def save(self, user_id: int, role: Role, name: str, at: datetime) -> Person:
        person = Person(user_id=user_id, role=role, name=name, subscribed=True, added_at=at)
        self.people[user_id] = person
        return person

    async def subscribe(self, user_id: int, on: bool) -> None:
        if self.fails is not None:
            raise self.fails
        if user_id in self.people:
            self.people[user_id] = replace(self.people[user_id], subscribed=on)


class MemorySignals:
    """Signals and their cards."""

    def __init__(self) -> None:
        self.rows: dict[int, Signal] = {}
        self.places: list[CardPlace] = []

    async def get(self, signal_id: int) -> Signal | None:
        return self.rows.get(signal_id)

    async def in_state(self, *states: SignalState) -> tuple[Signal, ...]:
        return tuple(row for row in self.rows.values() if row.state in states)

    async def recent(self, limit: int) -> tuple[Signal, ...]:
        return tuple(reversed(self.rows.values()))[:limit]

    async def save_card(self, place: CardPlace) -> None:
        self.places.append(place)

    async def cards(self, signal_id: int) -> tuple[CardPlace, ...]:
        return tuple(place for place in self.places if place.signal_id == signal_id)


class MemoryPositions:
    """Positions."""

    def __init__(self) -> None:
        self.rows: dict[int, Position] = {}

    async def get(self, position_id: int) -> Position | None:
        return self.rows.get(position_id)

    async def open(self) -> tuple[Position, ...]:
        return tuple(r for r in self.rows.values() if r.state is not PositionState.CLOSED)

    async def closed(self, limit: int) -> tuple[Position, ...]:
        return tuple(r for r in self.rows.values() if r.state is PositionState.CLOSED)[:limit]


class MemoryOutbox:
    """The outbox; `done` tells what became of each item."""

    def __init__(self) -> None:
        self.items: list[OutboxItem] = []
        self.done: dict[int, tuple[str, str | int | None]] = {}
        self.until: dict[int, datetime] = {}

    def add(
        self,
        topic: NoticeTopic,
        subject_id: int = 1,
        chat_id: int = OWNER,
        priority: NoticePriority = NoticePriority.SIGNAL,
        text: str | None = None,
    ) -> OutboxItem:
        key = f"{topic}-{subject_id}-{len(self.items)}"
        notice = Notice(key=key, topic=topic, subject_id=subject_id, priority=priority, text=text)
        item = OutboxItem(
            id=len(self.items) + 1, chat_id=chat_id, notice=notice, created_at=START,
            expires_at=None, attempts=0,
        )  # fmt: skip
        self.items.append(item)
        return item

    async def due(self, at: datetime, limit: int) -> tuple[OutboxItem, ...]:
        waiting = [
            item
            for item in self.items
            if item.id not in self.done and self.until.get(item.id, at) <= at
        ]
        return tuple(sorted(waiting, key=lambda i: (i.notice.priority, i.id))[:limit])

    async def sent(self, item_id: int, at: datetime, message_id: int | None) -> None:
        self.done[item_id] = ("sent", message_id)

    async def postpone(self, item_id: int, until: datetime, error: str) -> None:
        self.until[item_id] = until

    async def fail(self, item_id: int, at: datetime, error: str) -> None:
        self.done[item_id] = ("failed", error)


@dataclass
class Told:
    """Answers of the services; tests change them."""

    analysis: dict[str, Any] = field(default_factory=dict)
    chart_error: bool = False
    venue_silent: bool = False
    offered: Signal | Refusal | None = None
    practised: Signal | Refusal | None = None
    executed: ExecutionOutcome | Exception | None = None
    dismissed: SignalChange | None = None
    repriced: RepriceOutcome | None = None
    closed: CloseOutcome | None = None
    floating: tuple[VenuePosition, ...] = ()
    commands: list[object] = field(default_factory=list)


class ToldServices:
    """Analyst, charts, publisher, pipeline, closer and broker in one obedient object."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def analyse(self, instrument: Instrument, timeframe: Timeframe) -> Analysis:
        return analysis_of(instrument, timeframe, **self.told.analysis)

    def chart_request(self, analysis: Analysis, signal: Signal | None) -> ChartRequest:
        return ChartRequest(
            title=analysis.instrument.symbol, stamp="", watermark="", price_digits=2, bars=()
        )

    async def candles(self, request: ChartRequest) -> bytes:
        if self.told.chart_error:
            raise ChartError("no paper")
        return b"png"

    async def offer(self, setup: Setup, kind: SignalKind) -> Signal | Refusal:
        self.told.commands.append((setup.key, kind))
        return self.told.offered or Refusal(code="repeated", text="It was already shown.")

    async def practice(self, instrument: Instrument) -> Signal | Refusal:
        self.told.commands.append("practice")
        return self.told.practised or Refusal(code="no_data", text="No live data yet.")

    async def execute(self, command: ExecuteSignal) -> ExecutionOutcome:
        self.told.commands.append(command)
        if isinstance(self.told.executed, Exception):
            raise self.told.executed
        return self.told.executed or NotWon(signal=None)

    async def dismiss(self, command: DismissSignal) -> SignalChange:
        self.told.commands.append(command)
        return self.told.dismissed or SignalChange(done=False, signal=None)

    async def reprice(self, command: UseNewPrice) -> RepriceOutcome:
        self.told.commands.append(command)
        return self.told.repriced or NotWon(signal=None)

    async def close(self, command: ClosePosition) -> CloseOutcome:
        self.told.commands.append(command)
        return self.told.closed or CloseNotWon(position=None)

    async def account(self) -> AccountState:
        if self.told.venue_silent:
            raise VenueUnavailableError("silence")
        return account_of()

    async def positions(self) -> tuple[VenuePosition, ...]:
        if self.told.venue_silent:
            raise VenueUnavailableError("silence")
        return self.told.floating


def held(profit: str, venue_id: str = "v7") -> VenuePosition:
    """The venue's view of `position_of()`."""
    return VenuePosition(
        id=venue_id, client_id="td1-entry-1", instrument="BTCUSD", side=Side.BUY,
        quantity=Quantity.of("0.02"), entry=Price.of("97002.00"), stop=None, target=None,
        opened_at=START, profit=Money.of(profit),
    )  # fmt: skip


def statistics_of(**changes: Any) -> Statistics:
    """Four trades, three of them good."""
    base = Statistics(
        trades=4, wins=3, losses=1, win_rate=0.75, win_rate_low=0.30, win_rate_high=0.95,
        profit_factor=2.5, expectancy_r=0.62, net=Money.of("1240.50"), best_r=Decimal("2.1"),
        worst_r=Decimal("-1.0"), max_drawdown=Money.of("100"), practice_trades=2,
        practice_net=Money.of("-3.10"), since=None,
    )  # fmt: skip
    return replace(base, **changes)


def health_of(**changes: Any) -> HealthReport:
    """A healthy desk with one feed."""
    feed = FeedHealth(
        instrument="BTCUSD", status=FeedStatus.LIVE, age_seconds=0.3, bars=1500, duplicates=0,
        gaps=0, rejects=0, detail="",
    )  # fmt: skip
    base = HealthReport(
        mode="sandbox", uptime_seconds=4000.0, market_time=START, market_speed=1.0,
        wall_time=START, feeds=(feed,), components=(), telegram_ok=True,
        telegram_detail="connected",
        journal_ok=True, journal_detail="writing",
        venue_ok=True, venue_detail="paper, answering", outbox_waiting=0, loop_lag_max_ms=4.0,
        trading_enabled=True, trading_detail="ready",
    )  # fmt: skip
    return replace(base, **changes)


class ChatDesk:
    """A dispatcher with everything around it, driven by raw updates."""

    def __init__(self) -> None:
        self.wall, self.market = ManualClock(), ManualClock()
        self.told = Told()
        self.users, self.signals = MemoryUsers(), MemorySignals()
        self.positions, self.outbox = MemoryPositions(), MemoryOutbox()
        self.session = RecordingSession()
        self.bot = Bot(TOKEN, session=self.session)
        self.jobs: list[asyncio.Task[None]] = []
        self.quote: Quote | None = quote_of(97_102.0)
        self.services = self._services()
        self.dispatcher: Dispatcher = build_dispatcher(self.services, create_routers())
        self._update_id = 0
        for user_id, role in ((OWNER, Role.OWNER), (VIEWER, Role.VIEWER)):
            self.users.people[user_id] = Person(
                user_id=user_id, role=role, name="x", subscribed=True, added_at=START
            )

    def restart(self) -> None:
        """A new process over the same journal."""
        self.dispatcher = build_dispatcher(self.services, create_routers())

    async def text(
        self, text: str | None, user: int = OWNER, *, sender: bool = True, **changes: Any
    ) -> None:
        """`user` writes `text` in the private chat (or whatever `changes` say)."""
        nobody = {} if sender else {"from": None}
        await self._feed({"message": self._message(user, text=text) | changes | nobody})

    async def tap(
        self, data: str, user: int = OWNER, *, message_id: int = 55, photo: bool = True, **chat: Any
    ) -> None:
        """`user` taps a button that carries `data`."""
        message = self._message(user, bot=True) | {"message_id": message_id}
        size = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}
        message |= {"photo": [size]} if photo else {"text": "x"}
        message["chat"] |= chat
        query = {
            "id": "q1", "from": _user(user), "chat_instance": "c", "data": data,
            "message": message,
        }  # fmt: skip
        await self._feed({"callback_query": query})

    async def _feed(self, update: dict[str, Any]) -> None:
        self._update_id += 1
        await self.dispatcher.feed_raw_update(self.bot, {"update_id": self._update_id} | update)
        for _ in range(5):  # jobs just started reach their first wait
            await asyncio.sleep(0)

    def _message(self, user: int, *, bot: bool = False, **content: Any) -> dict[str, Any]:
        sender = {"id": 42, "is_bot": True, "first_name": "T"} if bot else _user(user)
        date = int(self.wall.utc_now().timestamp())
        chat = {"id": user, "type": "private"}
        return {"message_id": 5, "date": date, "chat": chat, "from": sender} | content

    def _services(self) -> Services:
        obedient: Any = ToldServices(self.told)
        stores: dict[str, Any] = {
            "signals": self.signals, "positions": self.positions,
            "outbox": self.outbox, "users": self.users,
        }  # fmt: skip
        return Services(
            registry=REGISTRY,
            clocks=Clocks(market=self.market, wall=self.wall),
            mode="sandbox",
            watermark="SIMULATED",
            analyst=obedient,
            charts=obedient,
            publisher=obedient,
            pipeline=obedient,
            closer=obedient,
            broker=obedient,
            statistics=self._statistics,
            health=self._health,
            quotes=lambda symbol: self.quote,
            start_job=self._start_job,
            **stores,
        )

    async def _statistics(self, since: datetime | None) -> Statistics:
        return statistics_of(since=since)

    async def _health(self) -> HealthReport:
        return health_of()

    def _start_job(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self.jobs.append(asyncio.create_task(work, name=name))

    async def end(self) -> None:
        """Cancel the jobs."""
        for job in self.jobs:
            job.cancel()
        await asyncio.gather(*self.jobs, return_exceptions=True)


def _user(user_id: int) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": "U"}
