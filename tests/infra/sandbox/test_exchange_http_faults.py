"""The exchange's HTTP side misbehaves; nothing storms, nothing false is believed, all is said."""

import pytest

from core.market import multi_source_bridge
from core.model.events import FeedStatus
from core.model.market import Timeframe
from infra.binance import binance_rest
from infra.sandbox.market.simulated import SimulatedMarket
from tests.support.exchange_desk import exchange_desk

BARS = 40
FIRST_ROUND = 1 + multi_source_bridge.REQUESTS_AT_ONCE
"""The stream's knock and the requests that leave before the first answer."""


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """Shared: it is a pure function of time."""
    return SimulatedMarket(7)


@pytest.fixture(autouse=True)
def short_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_source_bridge, "HISTORY_BARS", BARS)


@pytest.mark.parametrize(
    ("fault", "words", "most"),
    [
        ("http_429", "the venue says: too many requests (HTTP 429)", 3 * FIRST_ROUND),
        ("http_418", "the venue has banned this address for a while (HTTP 418)", FIRST_ROUND),
        ("http_451", "no feed: Binance blocks this region (HTTP 451)", FIRST_ROUND),
        ("http_403_html", "no feed: the venue refuses this connection (HTTP 403)", FIRST_ROUND),
        ("http_5xx", "the venue has trouble (HTTP 502)", 12 + 5 * len(Timeframe)),
    ],
)
async def test_a_door_that_stays_shut_is_said_and_not_stormed(
    market: SimulatedMarket, fault: str, words: str, most: int
) -> None:
    async with exchange_desk(market, before=(fault,)) as desk:
        await desk.turns(FeedStatus.DOWN, 11)
        assert desk.health().detail == words
        assert words in (desk.refusal() or "")
        assert 2 <= desk.fired(fault) <= most
        if fault in ("http_429", "http_5xx"):
            desk.exchange.faults.clear()
            await desk.live(6 + 5)
            await desk.eventually(lambda: desk.health().bars == BARS, 20, "history")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("http_429", "too many requests"),
        ("http_5xx", "the venue has trouble (HTTP 502)"),
        ("slow_http", "the venue did not answer in time"),
        ("wrong_schema", "unusable answer from the venue"),
        ("empty_lists", "not sent yet"),
    ],
)
async def test_bars_missed_while_history_fails_are_said_and_filled_when_it_works(
    market: SimulatedMarket, fault: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binance_rest, "DEADLINE_SECONDS", 0.15)
    async with exchange_desk(market) as desk:
        left = await desk.near_minute_end()
        desk.misbehave("mute_stream", stream="btcusdt@kline_1m", seconds=left + 1)
        desk.misbehave(fault)
        await desk.eventually(lambda: words in desk.health().detail, left + 8, "word of it")
        assert desk.health().status is FeedStatus.LIVE
        assert desk.refusal() == "Bars of BTCUSD are missing; they are being fetched."
        await desk.clock.sleep(6)
        assert desk.refusal() == "Bars of BTCUSD are missing; they are being fetched."
        desk.exchange.faults.clear()
        await desk.recovers(15)
        assert desk.health().detail == ""
    assert desk.fired(fault) >= 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [("wrong_schema", "unusable answer"), ("empty_lists", "the venue sent no bars")],
)
async def test_false_history_at_the_start_is_not_believed(
    market: SimulatedMarket, fault: str, words: str
) -> None:
    async with exchange_desk(market, before=(fault,)) as desk:
        await desk.turns(FeedStatus.LIVE, 6)
        await desk.clock.sleep(5)
        assert words in desk.health().detail
        desk.exchange.faults.clear()
        await desk.eventually(lambda: not desk.health().detail, 20, "whole history")
        assert all(len(desk.cache.bars("BTCUSD", frame)) >= BARS for frame in Timeframe)
