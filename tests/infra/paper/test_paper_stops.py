"""Stops and targets: triggered by the stream, once, at honest prices, both sides alike."""

import asyncio
from typing import Any

import pytest

from core.model.order import OrderFilled, OrderRejected
from core.model.position import CloseReason
from core.model.signal import Side
from core.model.values import Money, Price
from tests.support.paper_account import PaperDesk

BUY: dict[str, Any] = {"stop": Price.of("64000.00"), "target": Price.of("66000.00")}
SELL: dict[str, Any] = {"stop": Price.of("66000.00"), "target": Price.of("64000.00")}


@pytest.mark.parametrize(
    ("side", "bid", "ask", "reason", "price"),
    [
        (Side.BUY, 64000.00, 64001.00, CloseReason.STOP, "64000.00"),
        (Side.BUY, 61234.50, 61235.50, CloseReason.STOP, "61234.50"),
        (Side.BUY, 66000.00, 66001.00, CloseReason.TARGET, "66000.00"),
        (Side.BUY, 69000.00, 69001.00, CloseReason.TARGET, "66000.00"),
        (Side.SELL, 65999.00, 66000.00, CloseReason.STOP, "66000.00"),
        (Side.SELL, 68764.50, 68765.50, CloseReason.STOP, "68765.50"),
        (Side.SELL, 63999.00, 64000.00, CloseReason.TARGET, "64000.00"),
        (Side.SELL, 61000.00, 61001.00, CloseReason.TARGET, "64000.00"),
    ],
)
async def test_touched_level_closes_at_an_honest_price(
    desk: PaperDesk, side: Side, bid: float, ask: float, reason: CloseReason, price: str
) -> None:
    await desk.filled("a", side, **(BUY if side is Side.BUY else SELL))
    desk.quote("BTCUSD", bid, ask)
    await desk.settle()
    assert await desk.broker.positions() == ()
    out = (await desk.broker.deals_since(0))[-1]
    assert (out.reason, str(out.price), out.client_id) == (reason, price, "a")
    entry = 65001 if side is Side.BUY else 65000
    assert out.profit == Money.of((Price.of(price).value - entry) * side.sign / 10)


@pytest.mark.parametrize(
    ("side", "bid", "ask"),
    [
        (Side.BUY, 64000.01, 64001.00),
        (Side.BUY, 65999.99, 66000.99),
        (Side.SELL, 65998.00, 65999.99),
        (Side.SELL, 63999.00, 64000.01),
    ],
)
async def test_the_other_side_of_the_quote_touches_nothing(
    desk: PaperDesk, side: Side, bid: float, ask: float
) -> None:
    await desk.filled("a", side, **(BUY if side is Side.BUY else SELL))
    desk.quote("BTCUSD", bid, ask)
    await desk.settle()
    assert len(await desk.broker.positions()) == 1


async def test_level_triggers_once_however_often_it_is_touched(desk: PaperDesk) -> None:
    await desk.filled("a", **BUY)
    for bid in (63990.0, 63980.0, 66500.0, 63970.0):
        desk.quote("BTCUSD", bid, bid + 1)
    await desk.settle()
    deals = await desk.broker.deals_since(1)
    assert [(d.reason, str(d.price)) for d in deals] == [(CloseReason.STOP, "63990.00")]


async def test_only_positions_of_that_instrument_are_touched(desk: PaperDesk) -> None:
    desk.quote("EURUSD", 1.10000, 1.10010)
    await desk.filled("a", **BUY)
    await desk.filled(
        "b", instrument="EURUSD", stop=Price.of("1.09000"), target=Price.of("1.12000")
    )
    desk.quote("EURUSD", 1.08900, 1.08910)
    await desk.settle()
    assert [p.client_id for p in await desk.broker.positions()] == ["a"]


async def test_close_after_the_stop_was_touched_is_told_so_and_never_flips(
    desk: PaperDesk,
) -> None:
    fill = await desk.filled("a", **BUY)
    desk.quote("BTCUSD", 63990.0, 63991.0)
    outcome = await desk.leave(fill, "b")
    assert isinstance(outcome, OrderRejected)
    assert outcome.code == "position_closed"
    await desk.settle()
    assert await desk.broker.positions() == ()
    assert [d.reason for d in await desk.broker.deals_since(1)] == [CloseReason.STOP]


async def test_closes_and_stop_together_close_exactly_once(desk: PaperDesk) -> None:
    for number in range(10):
        desk.quote("BTCUSD", 65000.0, 65001.0)
        fill = await desk.filled(f"a{number}", **BUY)
        closing = [asyncio.create_task(desk.leave(fill, f"c{number}{n}")) for n in range(3)]
        for _ in range(number):
            await asyncio.sleep(0.0001)
        desk.quote("BTCUSD", 63990.0, 63991.0)
        outcomes = await asyncio.gather(*closing)
        await desk.settle()
        outs = (await desk.broker.deals_since(0))[2 * number + 1 :]
        assert len(outs) == 1
        by_hand = sum(isinstance(outcome, OrderFilled) for outcome in outcomes)
        assert by_hand == (outs[0].reason is CloseReason.MANUAL)
    assert await desk.broker.positions() == ()


async def test_unusable_quotes_trigger_nothing(desk: PaperDesk) -> None:
    await desk.filled("a", **BUY)
    for bid, ask in ((0.0, 0.0), (float("nan"), 1.0), (-5.0, 1.0), (63000.0, 62000.0)):
        desk.quote("BTCUSD", bid, ask)
    await desk.settle()
    assert len(await desk.broker.positions()) == 1


async def test_quote_during_the_entrys_commit_counts(desk: PaperDesk) -> None:
    entering = asyncio.create_task(desk.filled("a", **BUY))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    desk.quote("BTCUSD", 63990.0, 63991.0)
    await asyncio.gather(entering, return_exceptions=True)
    await desk.settle()
    assert await desk.broker.positions() == ()
