"""The bridge: history underneath, holes filled before bars are announced, failures survived."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import FeedError, StaleDataError
from core.market import multi_source_bridge
from core.market.multi_source_bridge import MultiSourceBridge
from core.model.events import BarClosed, FeedStatus
from core.model.instrument import Instrument
from core.model.market import Bar, Timeframe, TradeTick
from core.ports.market import MarketSink
from infra.registry_file import load_registry
from tests.support.clock import START
from tests.support.market_data import make_minute, make_minutes, make_tick, merged
from tests.support.market_desk import MarketDesk

BITCOIN = load_registry().get("BTCUSD")
GOLD = load_registry().get("XAUUSD")


class ScriptedStream:
    """Delivers what the test feeds."""

    def __init__(self) -> None:
        self.sink: MarketSink | None = None

    async def run(self, instruments: Sequence[Instrument], sink: MarketSink) -> None:
        self.sink = sink
        await asyncio.Event().wait()


class Venue:
    """Has every minute up to `now`; may be told to fail."""

    def __init__(self) -> None:
        self.now = START
        self.failures: list[FeedError] = []
        self.broken: set[str] = set()
        self.without: set[int] = set()
        self.empty = False
        self.asked: list[tuple[str, Timeframe, int]] = []
        self.trade_failures = 0
        self.trades_asked = 0

    async def bars(
        self, instrument: Instrument, timeframe: Timeframe, *, limit: int, end: datetime | None
    ) -> tuple[Bar, ...]:
        self.asked.append((instrument.symbol, timeframe, limit))
        if self.failures:
            raise self.failures.pop(0)
        if instrument.symbol in self.broken:
            raise StaleDataError("no answer")
        if self.empty:
            return ()
        last = timeframe.open_time(min(end or self.now, self.now))
        minutes = timeframe.seconds // 60
        count = min(limit, 30)
        firsts = [
            (last - START) // timedelta(minutes=1) - minutes * back for back in range(count, 0, -1)
        ]
        if timeframe is Timeframe.M1:
            return tuple(make_minute(n) for n in firsts if n not in self.without)
        return tuple(replace(make_minute(first), timeframe=timeframe) for first in firsts)

    async def trades(
        self, instrument: Instrument, *, first_id: int, last_id: int
    ) -> tuple[TradeTick, ...]:
        self.trades_asked += 1
        if self.trade_failures:
            self.trade_failures -= 1
            raise StaleDataError("no answer")
        return tuple(make_tick(number) for number in range(first_id, last_id + 1))


class Room:
    """A bridge with its desk and venue."""

    def __init__(self, *instruments: Instrument) -> None:
        self.desk, self.venue, self.stream = MarketDesk(), Venue(), ScriptedStream()
        self.cache = self.desk.cache
        self.bridge = MultiSourceBridge(
            instruments=instruments or (BITCOIN,),
            stream=self.stream,
            history=self.venue,
            trades=self.venue,
            cache=self.cache,
            wall=self.desk.wall,
        )

    def minutes(self) -> list[int]:
        return [
            event.bar.open_time.minute
            for event in self.desk.events
            if isinstance(event, BarClosed) and event.bar.timeframe is Timeframe.M1
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.bridge.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never happened")


async def test_prefill_loads_every_timeframe() -> None:
    room = Room(BITCOIN, GOLD)
    await room.bridge.prefill()
    for symbol in ("BTCUSD", "XAUUSD"):
        for timeframe in Timeframe:
            assert len(room.cache.bars(symbol, timeframe)) >= 30
    assert {limit for _, _, limit in room.venue.asked} == {1_500}
    assert room.desk.events == []


async def test_prefill_never_asks_too_much_at_once() -> None:
    room = Room(BITCOIN, GOLD)
    now, most = 0, 0
    plain = room.venue.bars

    async def counted(
        instrument: Instrument, timeframe: Timeframe, *, limit: int, end: datetime | None
    ) -> tuple[Bar, ...]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return await plain(instrument, timeframe, limit=limit, end=end)

    room.venue.bars = counted  # type: ignore[method-assign]
    await room.bridge.prefill()
    assert most == multi_source_bridge.REQUESTS_AT_ONCE


async def test_one_failing_instrument_does_not_hurt_the_other_and_is_retried() -> None:
    room = Room(BITCOIN, GOLD)
    room.venue.broken = {"XAUUSD"}
    await room.bridge.prefill()
    assert room.cache.bars("XAUUSD", Timeframe.H1) == ()
    assert "no answer" in (room.cache.feed("XAUUSD").history_problem or "")
    assert room.cache.feed("BTCUSD").history_problem is None
    async with room.running():
        room.venue.broken = set()
        await room.desk.wall.advance(1.1)
        await until(lambda: room.cache.feed("XAUUSD").history_problem is None)
    assert len(room.cache.bars("XAUUSD", Timeframe.H1)) == 30


async def test_a_refusal_is_final_and_stays_visible() -> None:
    room = Room()
    room.venue.failures = [FeedError("BTCUSD is not listed")] * 7
    await room.bridge.prefill()
    async with room.running():
        await room.desk.wall.advance(60)
    assert len(room.venue.asked) == 7
    assert "not listed" in (room.cache.feed("BTCUSD").history_problem or "")


async def test_bars_missed_during_an_outage_are_filled_before_later_ones_are_announced() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        assert room.stream.sink is not None
        room.stream.sink.on_bar(make_minute(0))
        room.venue.now = START + timedelta(minutes=5)
        room.stream.sink.on_bar(make_minute(5))
        assert room.minutes() == [0]
        await until(lambda: room.minutes() == [0, 5])
        minutes = [bar.open_time.minute for bar in room.cache.bars("BTCUSD", Timeframe.M1, 6)]
    assert minutes == [0, 1, 2, 3, 4, 5]
    assert room.cache.bars("BTCUSD", Timeframe.M5)[-1] == merged(make_minutes(0, 5), Timeframe.M5)


async def test_a_feed_that_comes_back_is_caught_up_at_once() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        assert room.stream.sink is not None
        room.stream.sink.on_status("BTCUSD", FeedStatus.STALE, "silent")
        room.desk.market.tick(190)
        room.venue.now = START + timedelta(minutes=3)
        room.stream.sink.on_status("BTCUSD", FeedStatus.LIVE, "")
        await until(lambda: room.cache.bar_holes("BTCUSD") == ())
        assert room.cache.bars("BTCUSD", Timeframe.M1)[-1] == make_minute(2)
    assert room.minutes() == [2]


async def test_a_failed_back_fill_is_tried_again_and_nothing_is_announced_before() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        assert room.stream.sink is not None
        room.venue.now = START + timedelta(minutes=3)
        room.venue.failures = [StaleDataError("HTTP 503"), StaleDataError("HTTP 503")]
        room.stream.sink.on_bar(make_minute(3))
        await settle()
        assert "HTTP 503" in (room.cache.feed("BTCUSD").history_problem or "")
        await room.desk.wall.advance(1.1)
        await settle()
        assert room.minutes() == []
        await room.desk.wall.advance(2.1)
        await until(lambda: room.minutes() == [3])
    assert room.cache.feed("BTCUSD").history_problem is None


async def test_a_minute_the_venue_lacks_is_asked_for_several_times_then_accepted() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        assert room.stream.sink is not None
        room.venue.now = START + timedelta(minutes=3)
        room.venue.without = {1}
        room.stream.sink.on_bar(make_minute(3))
        asked = len(room.venue.asked)
        for _ in range(4):
            await room.desk.wall.advance(5)
            await settle()
        assert room.minutes() == [3]
    assert len(room.venue.asked) - asked == multi_source_bridge.TRIES
    minutes = [bar.open_time.minute for bar in room.cache.bars("BTCUSD", Timeframe.M1, 3)]
    assert minutes == [0, 2, 3]


async def test_a_small_trade_gap_is_repaired() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        await lose_trades(room, 2, 900)
        await until(lambda: room.cache.feed("BTCUSD").missing_trades == 0)
    tape = room.cache.tape("BTCUSD")
    assert tape is not None
    assert len(tape) == 901


async def test_a_large_trade_gap_stays_marked_without_asking() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        await lose_trades(room, 2, 1_500)
        await settle()
    assert room.venue.trades_asked == 0
    assert room.cache.feed("BTCUSD").missing_trades == 1_499


async def test_a_gap_that_cannot_be_repaired_is_given_up_after_a_few_tries() -> None:
    room = Room()
    room.venue.trade_failures = 99
    await room.bridge.prefill()
    async with room.running():
        await lose_trades(room, 2, 10)
        for _ in range(6):
            await room.desk.wall.advance(10)
            await settle()
    assert room.venue.trades_asked == multi_source_bridge.TRIES
    assert room.cache.feed("BTCUSD").missing_trades == 9


async def lose_trades(room: Room, first: int, last: int) -> None:
    sink = room.stream.sink
    assert sink is not None
    sink.on_trade(make_tick(first - 1))
    sink.on_gap("BTCUSD", first, last)
    sink.on_trade(make_tick(last + 1))


async def test_an_empty_history_is_asked_for_again_until_it_is_not() -> None:
    room = Room()
    room.venue.empty = True
    await room.bridge.prefill()
    assert "sent no bars" in (room.cache.feed("BTCUSD").history_problem or "")
    async with room.running():
        for _ in range(6):
            await room.desk.wall.advance(31)
            await settle()
        assert not room.bridge.loaded
        room.venue.empty = False
        await room.desk.wall.advance(31)
        await until(lambda: room.bridge.loaded)
    assert room.cache.feed("BTCUSD").history_problem is None
    assert len(room.cache.bars("BTCUSD", Timeframe.D1)) == 30


async def test_an_empty_answer_never_proves_that_minutes_do_not_exist() -> None:
    room = Room()
    await room.bridge.prefill()
    async with room.running():
        assert room.stream.sink is not None
        room.venue.now = START + timedelta(minutes=3)
        room.venue.empty = True
        room.stream.sink.on_bar(make_minute(3))
        for _ in range(8):
            await room.desk.wall.advance(31)
            await settle()
        assert room.minutes() == []
        room.venue.empty = False
        await room.desk.wall.advance(31)
        await until(lambda: room.minutes() == [3])
    minutes = [bar.open_time.minute for bar in room.cache.bars("BTCUSD", Timeframe.M1, 4)]
    assert minutes == [0, 1, 2, 3]
