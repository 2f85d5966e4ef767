"""What the paper venue refuses, like a broker: every no has its code, its words, its record."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.errors import VenueUnavailableError
from core.model.order import OrderRejected, OrderUnknown
from core.model.signal import Side
from core.model.values import Price, Quantity
from tests.support.paper_account import PaperDesk


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("volume_below_min", {"quantity": Quantity.of("0.00")}),
        ("volume_below_min", {"quantity": Quantity.of("0.009")}),
        ("volume_above_max", {"quantity": Quantity.of("5.01")}),
        ("volume_off_step", {"quantity": Quantity.of("0.105")}),
        ("invalid_stops", {"stop": Price.of("65000.00")}),
        ("invalid_stops", {"stop": Price.of("65100.00")}),
        ("invalid_stops", {"stop": Price.of("64999.96")}),
        ("invalid_stops", {"target": Price.of("64990.00")}),
        ("invalid_stops", {"target": Price.of("65000.04")}),
        ("invalid_price", {"stop": Price.of("64000.005")}),
        ("no_quote", {"instrument": "EURUSD"}),
        ("unknown_instrument", {"instrument": "DOGEUSD"}),
        ("no_conversion_rate", {"instrument": "GBPJPY", "stop": Price.of("180.000")}),
        ("no_money", {"quantity": Quantity.of("5.00"), "stop": Price.of("64000.00")}),
    ],
)
async def test_bad_entry_is_refused_with_its_code(
    desk: PaperDesk, code: str, changes: dict[str, Any]
) -> None:
    desk.quote("GBPJPY", 190.000, 190.030)
    if code == "no_money":
        desk.quote("BTCUSD", 650_000.0, 650_001.0)
    outcome = await desk.enter("a", **changes)
    assert isinstance(outcome, OrderRejected)
    assert (outcome.code, outcome.intent_id) == (code, "a")
    assert outcome.text.endswith(".")
    assert await desk.broker.positions() == ()
    assert await desk.broker.deals_since(0) == ()
    (order,) = desk.broker.snapshot()["orders"]
    assert isinstance(order, dict)
    assert (order["state"], order["code"], order["client_id"]) == ("rejected", code, "a")


@pytest.mark.parametrize(
    ("stop", "target", "code"),
    [
        ("64900.00", None, "invalid_stops"),
        ("65001.04", None, "invalid_stops"),
        ("65100.00", "65000.99", "invalid_stops"),
        ("65001.06", "64000.00", None),
    ],
)
async def test_sell_levels_are_judged_from_the_ask(
    desk: PaperDesk, stop: str, target: str | None, code: str | None
) -> None:
    outcome = await desk.enter(
        "a",
        Side.SELL,
        stop=Price.of(stop),
        target=None if target is None else Price.of(target),
    )
    assert (outcome.code if isinstance(outcome, OrderRejected) else None) == code


@pytest.mark.parametrize(
    ("age", "code"),
    [(5.0, None), (5.1, "stale_quote"), (299.0, "stale_quote"), (301.0, "market_closed")],
)
async def test_old_quotes_are_not_filled_on(desk: PaperDesk, age: float, code: str | None) -> None:
    desk.clock.tick(age)
    outcome = await desk.enter("a")
    assert (outcome.code if isinstance(outcome, OrderRejected) else None) == code


async def test_old_quotes_are_not_closed_on_either(desk: PaperDesk) -> None:
    fill = await desk.filled("a")
    desk.clock.tick(6.0)
    outcome = await desk.leave(fill, "b")
    assert isinstance(outcome, OrderRejected)
    assert outcome.code == "stale_quote"
    assert len(await desk.broker.positions()) == 1


async def test_second_send_of_an_id_is_refused_also_after_a_refusal(desk: PaperDesk) -> None:
    await desk.enter("a", quantity=Quantity.of("9"))
    await desk.filled("b")
    for client_id in ("a", "b", "b"):
        outcome = await desk.enter(client_id)
        assert isinstance(outcome, OrderRejected)
        assert outcome.code == "duplicate_client_id"
    assert len(await desk.broker.positions()) == 1


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("volume_above_position", {"quantity": Quantity.of("0.11")}),
        ("volume_off_step", {"quantity": Quantity.of("0.055")}),
        ("volume_below_min", {"quantity": Quantity.of("0")}),
        ("invalid_close", {"side": Side.BUY}),
        ("invalid_close", {"instrument": "EURUSD"}),
    ],
)
async def test_bad_close_is_refused_and_changes_nothing(
    desk: PaperDesk, code: str, changes: dict[str, Any]
) -> None:
    fill = await desk.filled("a")
    before = await desk.broker.positions()
    outcome = await desk.leave(fill, "b", **changes)
    assert isinstance(outcome, OrderRejected)
    assert outcome.code == code
    assert await desk.broker.positions() == before


async def test_closing_twice_closes_once(desk: PaperDesk) -> None:
    fill = await desk.filled("a")
    await desk.leave(fill, "b")
    outcome = await desk.leave(fill, "c")
    assert isinstance(outcome, OrderRejected)
    assert outcome.code == "position_closed"
    assert len(await desk.broker.deals_since(0)) == 2


async def test_record_that_cannot_be_written_leaves_the_outcome_unknown(desk: PaperDesk) -> None:
    record = desk.broker._record
    assert record is not None
    await record._rows("PRAGMA query_only = ON")
    outcome = await desk.enter("a")
    assert isinstance(outcome, OrderUnknown)
    assert await desk.broker.positions() == ()
    await record._rows("PRAGMA query_only = OFF")
    await desk.filled("a")


async def test_stop_touched_while_the_record_fails_is_booked_afterwards(tmp_path: Path) -> None:
    desk = PaperDesk(tmp_path / "paper.sqlite")
    await desk.broker.open()
    desk.quote("BTCUSD", 65000.0, 65001.0)
    await desk.filled("a")
    record = desk.broker._record
    assert record is not None
    await record._rows("PRAGMA query_only = ON")
    desk.quote("BTCUSD", 63990.0, 63991.0)
    with pytest.raises(VenueUnavailableError, match="record cannot be used"):
        await desk.broker.run()
    assert len(await desk.broker.positions()) == 1
    await record._rows("PRAGMA query_only = OFF")
    desk.quote("BTCUSD", 65000.0, 65001.0)
    restarted = asyncio.create_task(desk.broker.run())
    await desk.settle()
    restarted.cancel()
    await asyncio.gather(restarted, return_exceptions=True)
    assert await desk.broker.positions() == ()
    assert str((await desk.broker.deals_since(1))[0].price) == "63990.00"
    await desk.broker.shutdown()
