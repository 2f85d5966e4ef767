"""The exchange misbehaves on command; the desk's market side survives, says so and recovers.

Clock seconds: both clocks run eight times as fast as real time unless a test says otherwise.
"""

import asyncio
import re

import pytest

from core.market import multi_source_bridge
from core.model.events import FeedStatus
from core.model.market import Timeframe
from infra.binance.binance_stream import FRAMES_PER_TURN
from infra.sandbox.market.simulated import SimulatedMarket
from tests.support.exchange_desk import ExchangeDesk, exchange_desk

NOTICED = 3.0 + 0.25 + 2.0
"""Silence limit, one watch tick, and a quarter of a real second for a busy machine."""
DEAD = 10.0 + 2.0
LACK = r"no (trades|order book) for \d s"
MOST_CONNECTS = 12
"""In fifteen seconds of a storm; with full jitter it would be about seven."""
LONGEST_PAUSE = 6.0
"""A tenth of the longest pause between two connections."""


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """Shared: it is a pure function of time."""
    return SimulatedMarket(7)


@pytest.fixture(autouse=True)
def short_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_source_bridge, "HISTORY_BARS", 40)


async def notices(desk: ExchangeDesk, words: str, seconds: float = NOTICED) -> None:
    """The feed goes stale in time, says why (a pattern), and entries are refused with that."""
    detail = await desk.turns(FeedStatus.STALE, seconds)
    assert re.fullmatch(words, detail)
    assert len(detail) <= 80
    assert desk.refusal() == f"The BTCUSD feed is stale ({detail})."


@pytest.mark.parametrize("code", [1001, 1008, 1011, 1012])
async def test_a_close_by_the_venue_is_followed_by_a_new_connection(
    market: SimulatedMarket, code: int
) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave(f"close_{code}")
        await desk.eventually(lambda: desk.doors.reasons, 1, "end of the connection")
        assert desk.exchange.faults.active() == ()
        await desk.recovers()
    assert len(desk.doors.reasons) == 1
    assert desk.doors.reasons[0].startswith("the venue closed the connection (")
    assert f"{code}), reconnecting" in desk.doors.reasons[0]


async def test_a_connection_cut_without_a_close_frame_is_replaced(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("close_without_frame")
        await desk.eventually(lambda: desk.doors.reasons, 1, "end of the connection")
        await desk.recovers()
    assert desk.doors.reasons == ["the connection broke off, reconnecting"]


async def test_an_announced_shutdown_is_not_waited_for(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("server_shutdown")
        await desk.eventually(lambda: desk.doors.reasons, 1, "end of the connection")
        await desk.recovers()
    assert desk.doors.reasons == ["the venue announced a restart, reconnecting"]


async def test_silence_behind_answered_pings_is_noticed(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("silence")
        await notices(desk, f"{LACK}, reconnecting")
        assert "connected, but no " in await desk.turns(FeedStatus.DOWN, DEAD)
        assert len(desk.doors.reasons) == 1
        await desk.recovers()


async def test_silent_trades_are_noticed_within_three_seconds_and_a_tick_of_real_time(
    market: SimulatedMarket,
) -> None:
    async with exchange_desk(market, speed=1.0) as desk:
        desk.misbehave("silence")
        took = await desk.eventually(
            lambda: desk.health().status is FeedStatus.STALE, 4, "notice of silence"
        )
        assert desk.refusal() is not None
    assert took <= 3.0 + 0.25 + 0.1


async def test_a_half_open_connection_is_noticed_and_left(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("half_open")
        await notices(desk, f"{LACK}, reconnecting")
        await desk.turns(FeedStatus.DOWN, DEAD)
        assert len(desk.doors.reasons) == 1
        await desk.recovers()


@pytest.mark.parametrize(
    ("stream", "words", "seconds"),
    [
        ("btcusdt@aggTrade", r"no trades for \d s, reconnecting", NOTICED),
        ("btcusdt@depth20@100ms", r"no order book for \d s, reconnecting", NOTICED),
        ("btcusdt@kline_1m", r"no bars for \d+ s, reconnecting", NOTICED + 12),
    ],
)
async def test_one_mute_stream_of_many_is_noticed_by_name(
    market: SimulatedMarket, stream: str, words: str, seconds: float
) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("mute_stream", stream=stream)
        await notices(desk, words, seconds)
        await asyncio.sleep(0.3)
        assert len(desk.doors.reasons) == 1
        await desk.recovers()


async def test_the_same_message_for_ever_is_no_sign_of_life(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("repeat_last")
        await notices(desk, LACK + r"( \(the same again and again\))?, reconnecting")
        detail = await desk.turns(FeedStatus.DOWN, DEAD)
        assert "the same again and again" in detail
        assert (desk.health().age_seconds or 0) > 9
        assert len(desk.doors.reasons) == 1
        await desk.recovers()


async def test_duplicates_are_dropped_and_counted(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("duplicates")
        await desk.eventually(lambda: desk.health().duplicates > 12, 10, "duplicates")
        assert desk.rejects()["repeated"] > 12
        assert desk.tape_is_true(4)
        assert desk.refusal() is None
        await desk.recovers()
    assert not desk.doors.reasons


@pytest.mark.parametrize("fault", ["disorder", "gaps"])
async def test_trades_out_of_order_or_missing_are_repaired_from_history(
    market: SimulatedMarket, fault: str
) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave(fault)
        await desk.eventually(lambda: desk.health().gaps >= 3, 20, "gaps")
        assert desk.health().status is FeedStatus.LIVE
        await desk.recovers()
        assert desk.tape_is_true(6)
    assert desk.fired(fault) > 6
    assert not desk.doors.reasons


async def test_a_crossed_book_never_reaches_the_cache(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("crossed_book")
        await notices(desk, r"no order book for \d s \(bid above ask\), reconnecting")
        assert desk.rejects()["crossed"] > 10
        desk.check_prices()
        await desk.recovers()
    assert all(quote.bid < quote.ask for quote in desk.quotes)


async def test_bad_numbers_never_reach_the_cache(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("bad_numbers")
        await notices(desk, LACK + r" \([a-z ]+\), reconnecting")
        await desk.turns(FeedStatus.DOWN, DEAD)
        assert set(desk.rejects()) == {"wrong_shape", "malformed", "leap"}
        await desk.recovers()
        await asyncio.sleep(0.2)
        desk.check_prices()
        assert desk.tape_is_true(3)


async def test_one_wrong_time_does_not_blind_the_tape(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("bad_numbers", stream="btcusdt@aggTrade")
        await desk.eventually(lambda: desk.rejects().get("leap"), 5, "wrong time")
        await desk.recovers()
        await desk.eventually(lambda: desk.tape_is_true(2), 10, "true tape")


@pytest.mark.parametrize("fault", ["truncated", "garbage"])
async def test_unreadable_frames_are_refused_and_said(market: SimulatedMarket, fault: str) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave(fault)
        await notices(desk, LACK + r"( \(unreadable\))?, reconnecting")
        await desk.eventually(lambda: "(unreadable)" in desk.health().detail, 3, "the reason")
        assert len(desk.doors.reasons) <= 1
        await desk.recovers()
    assert desk.fired(fault) > 10


async def test_an_oversized_message_ends_the_connection_without_a_storm(
    market: SimulatedMarket,
) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("oversized")
        words = "the venue sent far too much at once, reconnecting"
        await desk.eventually(lambda: desk.health().detail == words, 3, "the reason")
        assert words in (desk.refusal() or "")
        await desk.turns(FeedStatus.DOWN, DEAD)
        assert len(desk.doors.reasons) <= MOST_CONNECTS
        await desk.recovers(LONGEST_PAUSE + 5)


async def test_a_tenfold_price_is_not_believed(market: SimulatedMarket) -> None:
    def sound_after(spikes: int) -> bool:
        desk.check_prices()
        return desk.rejects().get("spike", 0) >= spikes

    async with exchange_desk(market) as desk:
        desk.misbehave("spike")
        await desk.eventually(lambda: sound_after(12), 30, "spikes")
        assert desk.health().status is FeedStatus.LIVE
        await desk.recovers()
        desk.check_prices()


async def test_a_hundredfold_burst_does_not_hold_the_loop(market: SimulatedMarket) -> None:
    async with exchange_desk(market, speed=3.0) as desk:
        desk.misbehave("burst")
        most = 0
        while desk.health().duplicates < 1_500:
            before = desk.health().duplicates
            await asyncio.sleep(0)
            most = max(most, desk.health().duplicates - before)
        assert desk.refusal() is None
        assert desk.tape_is_true(2)
        await desk.recovers()
    assert 1 < most <= FRAMES_PER_TURN
    assert not desk.doors.reasons


async def test_a_door_that_opens_and_slams_is_not_stormed(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("accept_then_drop")
        words = "the connection broke off, reconnecting"
        await desk.eventually(lambda: desk.health().detail == words, 3, "the reason")
        assert words in (desk.refusal() or "")
        await desk.turns(FeedStatus.DOWN, DEAD)
        await desk.clock.sleep(4)
        assert 4 < desk.fired("accept_then_drop") <= MOST_CONNECTS
        await desk.recovers(LONGEST_PAUSE + 5)


async def test_an_open_bar_sent_as_closed_is_not_believed(market: SimulatedMarket) -> None:
    async with exchange_desk(market, second=46.0) as desk:
        desk.misbehave("open_bar_as_closed")
        await desk.eventually(lambda: desk.rejects().get("early_close", 0) >= 3, 12, "early bars")
        assert desk.cache.bars("BTCUSD", Timeframe.M1, 1)[0].close_time <= desk.market.utc_now()
        await desk.clock.sleep(4)
        await desk.recovers()


async def test_a_late_snapshot_does_not_turn_the_book_back(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        ids = []
        desk.cache.listen_quotes(
            lambda _: ids.append(book.update_id) if (book := desk.cache.book("BTCUSD")) else None
        )
        desk.misbehave("late_snapshot")
        await desk.eventually(lambda: desk.rejects().get("late_book", 0) > 20, 10, "late books")
        assert desk.refusal() is None
        await desk.recovers()
    assert ids == sorted(ids)


async def test_a_fault_ends_by_itself_after_its_time(market: SimulatedMarket) -> None:
    async with exchange_desk(market) as desk:
        desk.misbehave("silence", seconds=4)
        assert desk.exchange.faults.active() == ("silence",)
        await desk.turns(FeedStatus.STALE, NOTICED)
        await desk.live(6)
        assert desk.exchange.faults.active() == ()


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("hang", "there is no fault 'hang'; there are close_1001, "),
        ({"name": "silence", "second": 3}, "silence has no parameter 'second'; it has seconds, "),
        ({"name": "silence", "seconds": -1}, "seconds must be a number from 0 to 86400"),
        ({"name": "mute_stream"}, 'mute_stream needs a "stream"'),
        ({"name": "mute_stream", "stream": "btcusd@x"}, "there is no stream 'btcusd@x'"),
        ({"name": "http_429", "retry_after": True}, "retry_after must be a number"),
        (5, 'a fault is a name or an object with a "name"'),
    ],
)
async def test_orders_that_make_no_sense_are_refused_in_plain_words(
    market: SimulatedMarket, order: object, words: str
) -> None:
    faults = ExchangeDesk(market, speed=1.0, second=0.0).exchange.faults
    with pytest.raises(ValueError, match=re.escape(words)):
        faults.set(order)
    assert faults.active() == ()
