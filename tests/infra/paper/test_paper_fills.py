"""Fills: bid and ask, slippage, commission, exact profit, both sides alike."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.errors import VenueUnavailableError
from core.model.order import OrderFilled, OrderRejected
from core.model.position import CloseReason, DealEntry, VenueDeal
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from tests.support.paper_account import TERMS, PaperDesk, open_desk


async def test_buy_fills_at_the_ask_and_sell_at_the_bid(desk: PaperDesk) -> None:
    assert (await desk.filled("a", Side.BUY)).price == Price.of("65001.00")
    assert (await desk.filled("b", Side.SELL)).price == Price.of("65000.00")


async def test_slippage_is_against_us_on_both_sides_and_on_both_ways(tmp_path: Path) -> None:
    terms = replace(TERMS, slippage_ticks=3)
    async with open_desk(tmp_path / "paper.sqlite", terms) as desk:
        bought = await desk.filled("a", Side.BUY)
        sold = await desk.filled("b", Side.SELL)
        assert (str(bought.price), str(sold.price)) == ("65001.03", "64999.97")
        left = await desk.leave(bought, "c")
        back = await desk.leave(sold, "d", side=Side.BUY)
        assert isinstance(left, OrderFilled)
        assert isinstance(back, OrderFilled)
        assert (str(left.price), str(back.price)) == ("64999.97", "65001.03")


async def test_entry_answer_and_record_agree(desk: PaperDesk) -> None:
    fill = await desk.filled("a", target=Price.of("66000"))
    (position,) = await desk.broker.positions()
    assert position.id == fill.venue_position_id
    assert (position.client_id, position.side) == ("a", Side.BUY)
    assert (position.stop, position.target) == (Price.of("64000.00"), Price.of("66000"))
    assert position.profit == Money.of("-0.10")
    (deal,) = await desk.broker.deals_since(0)
    assert (str(deal.id), deal.order_id) == (fill.deal_id, fill.venue_order_id)
    assert (deal.entry, deal.reason, deal.profit) == (DealEntry.IN, None, Money.of(0))
    assert (deal.time, fill.filled_at) == (desk.clock.utc_now(), desk.clock.utc_now())
    assert await desk.broker.deals_since(deal.id) == ()
    assert await desk.broker.open_orders() == ()


async def test_profit_and_commission_are_exact_and_booked_once_per_deal(tmp_path: Path) -> None:
    terms = replace(TERMS, commission_per_lot=Money.of("3.33"))
    async with open_desk(tmp_path / "paper.sqlite", terms) as desk:
        fill = await desk.filled("a")
        assert fill.commission == Money.of("-0.33")
        desk.quote("BTCUSD", 65123.45, 65124.45)
        closed = await desk.leave(fill, "b")
        assert isinstance(closed, OrderFilled)
        out = (await desk.broker.deals_since(0))[-1]
        assert out.profit == Money.of("12.24")  # 122.45 x 0.10 = 12.245, half-even
        assert (out.reason, out.side, out.client_id) == (CloseReason.MANUAL, Side.SELL, "b")
        account = await desk.broker.account()
        assert account.balance == account.equity == Money.of("10011.58")
        assert account.margin == Money.of(0)


async def test_yen_profit_is_converted_at_the_unfavourable_side(desk: PaperDesk) -> None:
    desk.quote("USDJPY", 150.000, 150.020)
    desk.quote("GBPJPY", 190.000, 190.030)
    levels: dict[str, Any] = {"instrument": "GBPJPY", "quantity": Quantity.of("0.10")}
    win = await desk.filled("a", **levels, stop=Price.of("189.000"))
    lose = await desk.filled("b", Side.SELL, **levels, stop=Price.of("191.900"))
    desk.quote("GBPJPY", 191.030, 191.060)
    await desk.leave(win, "c", instrument="GBPJPY")
    await desk.leave(lose, "d", instrument="GBPJPY", side=Side.BUY)
    profits = [d.profit for d in await desk.broker.deals_since(2)]
    # 1.000 x 10,000 = 10,000 JPY / 150.020; -1.060 x 10,000 = -10,600 JPY / 150.000
    assert profits == [Money.of("66.66"), Money.of("-70.67")]


async def test_tick_value_uses_the_rate_of_a_loss(desk: PaperDesk) -> None:
    gbpjpy = desk.registry.get("GBPJPY")
    with pytest.raises(VenueUnavailableError, match="JPY to USD"):
        await desk.broker.rules(gbpjpy)
    desk.quote("USDJPY", 125.000, 160.000)
    rules = await desk.broker.rules(gbpjpy)
    assert rules.tick_value == Decimal("0.8")  # 0.001 x 100,000 = 100 JPY / 125
    assert (rules.tick_size, rules.volume_max) == (Decimal("0.001"), Decimal(5))
    assert (await desk.broker.rules(desk.registry.get("EURUSD"))).tick_value == 1


async def test_margin_and_equity_follow_the_price(desk: PaperDesk) -> None:
    await desk.filled("a")
    account = await desk.broker.account()
    assert account.margin == Money.of("65.00")  # 65,001 x 0.10 / 100 = 65.001
    assert account.equity == Money.of("9999.90")
    assert account.margin_free == Money.of("9934.90")
    desk.quote("BTCUSD", 66001.00, 66002.00)
    account = await desk.broker.account()
    assert (account.balance, account.equity) == (Money.of("10000"), Money.of("10100"))
    assert (account.currency, account.leverage, account.real_money) == ("USD", 100, False)


async def test_partial_close_leaves_the_rest_with_its_stop(desk: PaperDesk) -> None:
    fill = await desk.filled("a")
    part = await desk.leave(fill, "b", quantity=Quantity.of("0.04"))
    assert isinstance(part, OrderFilled)
    (position,) = await desk.broker.positions()
    assert (position.quantity, position.stop) == (Quantity.of("0.06"), Price.of("64000.00"))
    desk.quote("BTCUSD", 64000.00, 64001.00)
    await desk.settle()
    assert await desk.broker.positions() == ()
    deals = await desk.broker.deals_since(0)
    assert [str(d.quantity) for d in deals] == ["0.10", "0.04", "0.06"]


async def test_hedging_account_keeps_opposite_positions_apart(desk: PaperDesk) -> None:
    await desk.filled("a", Side.BUY)
    await desk.filled("b", Side.SELL)
    assert [p.side for p in await desk.broker.positions()] == [Side.BUY, Side.SELL]


async def test_listeners_hear_of_deals_already_on_record_and_cannot_break_an_order(
    desk: PaperDesk,
) -> None:
    heard: list[VenueDeal] = []

    def broken(deal: VenueDeal) -> None:
        raise RuntimeError("listener")

    desk.broker.on_deal(broken)
    desk.broker.on_deal(heard.append)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    await desk.filled("a")
    await asyncio.sleep(0)
    assert tuple(heard) == await desk.broker.deals_since(0)


async def test_hundred_concurrent_sends_of_one_id_make_one_position(desk: PaperDesk) -> None:
    outcomes = await asyncio.gather(*(desk.enter("a") for _ in range(100)))
    assert sum(isinstance(outcome, OrderFilled) for outcome in outcomes) == 1
    codes = {o.code for o in outcomes if isinstance(o, OrderRejected)}
    assert codes == {"duplicate_client_id"}
    assert len(await desk.broker.positions()) == 1


async def test_cancelled_caller_cannot_split_record_and_memory(desk: PaperDesk) -> None:
    for number in range(12):
        task = asyncio.create_task(desk.enter(f"id{number}", quantity=Quantity.of("0.01")))
        for _ in range(number):
            await asyncio.sleep(0.0001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    recorded = await desk.broker.deals_since(0)
    held = await desk.broker.positions()
    assert [d.position_id for d in recorded] == [p.id for p in held]
    assert await desk.filled("after")
