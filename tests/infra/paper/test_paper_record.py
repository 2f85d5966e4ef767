"""The record: restored whole, watched again, refused when it is not usable, told as JSON."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import VenueError, VenueUnavailableError
from core.model.order import OrderRejected
from core.model.position import CloseReason
from core.model.signal import Side
from core.model.values import Money, Price
from tests.support.paper_account import TERMS, PaperDesk, open_desk


async def test_restart_restores_everything(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    async with open_desk(path, replace(TERMS, commission_per_lot=Money.of("7"))) as desk:
        fill = await desk.filled("a")
        await desk.leave(fill, "b")
        await desk.filled("c", Side.SELL, target=Price.of("64000.00"))
        before = desk.broker.snapshot()
        deals = await desk.broker.deals_since(0)
    async with open_desk(path, replace(TERMS, starting_balance=Money.of("1"))) as desk:
        assert desk.broker.snapshot() == before
        assert await desk.broker.deals_since(0) == deals
        again = await desk.enter("a")
        assert isinstance(again, OrderRejected)
        assert again.code == "duplicate_client_id"
        fresh = await desk.filled("d")
        assert int(fill.venue_position_id) + 2 == int(fresh.venue_position_id)
        assert int(fresh.deal_id) == deals[-1].id + 1


async def test_first_quote_beyond_the_stop_after_a_restart_fills_there(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    async with open_desk(path) as desk:
        await desk.filled("a")
    async with open_desk(path) as desk:
        assert len(await desk.broker.positions()) == 1
        desk.quote("BTCUSD", 60000.00, 60001.00)
        await desk.settle()
        out = (await desk.broker.deals_since(1))[0]
        assert (out.reason, str(out.price)) == (CloseReason.STOP, "60000.00")
        assert out.profit == Money.of("-500.10")


async def test_yen_stop_right_after_a_restart_uses_the_rate_of_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    async with open_desk(path) as desk:
        desk.quote("USDJPY", 150.000, 150.020)
        desk.quote("GBPJPY", 190.000, 190.030)
        await desk.filled("a", instrument="GBPJPY", stop=Price.of("189.000"))
    async with open_desk(path) as desk:
        assert (await desk.broker.positions())[0].profit == Money.of(0)
        desk.quote("GBPJPY", 189.000, 189.030)
        await desk.settle()
        out = (await desk.broker.deals_since(1))[0]
        assert out.profit == Money.of("-68.67")  # -1.030 x 10,000 JPY / 150.000


async def test_every_answer_is_on_record_before_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    async with open_desk(path) as desk:
        for number in range(5):
            fill = await desk.filled(f"id{number}")
            with closing(sqlite3.connect(path)) as other:
                row = other.execute(
                    "SELECT state FROM orders WHERE client_id = ?", (f"id{number}",)
                ).fetchone()
                deal = other.execute(
                    "SELECT price FROM deals WHERE id = ?", (fill.deal_id,)
                ).fetchone()
            assert row == ("filled",)
            assert deal == (str(fill.price),)


@pytest.mark.parametrize("content", [b"not a database " * 400, b"\x00" * 4096 + b"x" * 4096])
async def test_garbage_record_is_refused_with_advice(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "paper.sqlite"
    path.write_bytes(content)
    with pytest.raises(VenueError, match="move the file away"):
        await PaperDesk(path).broker.open()
    assert path.read_bytes() == content


async def test_record_of_a_newer_schema_or_another_currency_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    async with open_desk(path):
        pass
    with pytest.raises(VenueError, match="kept in USD, not in EUR"):
        await PaperDesk(path, replace(TERMS, currency="EUR")).broker.open()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(VenueError, match="newer Tapedesk"):
        await PaperDesk(path).broker.open()


async def test_folder_that_is_missing_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(VenueError, match="cannot be opened"):
        await PaperDesk(tmp_path / "nowhere" / "paper.sqlite").broker.open()


async def test_account_that_is_not_open_says_so(tmp_path: Path) -> None:
    desk = PaperDesk(tmp_path / "paper.sqlite")
    with pytest.raises(VenueUnavailableError, match="not open"):
        await desk.broker.positions()
    await desk.broker.open()
    await desk.broker.shutdown()
    await desk.broker.shutdown()
    with pytest.raises(VenueUnavailableError, match="not open"):
        await desk.broker.deals_since(0)


async def test_snapshot_is_json_with_exact_texts(desk: PaperDesk) -> None:
    fill = await desk.filled("a", target=Price.of("66000.00"))
    snapshot = json.loads(json.dumps(desk.broker.snapshot()))
    assert snapshot["account"]["balance"] == "10000.00"
    when = desk.clock.utc_now().isoformat()
    assert snapshot["orders"] == [
        {
            "id": fill.venue_order_id,
            "client_id": "a",
            "kind": "entry",
            "instrument": "BTCUSD",
            "side": "buy",
            "quantity": "0.10",
            "price": "65001.00",
            "stop": "64000.00",
            "target": "66000.00",
            "state": "filled",
            "code": None,
            "text": None,
            "position_id": fill.venue_position_id,
            "time": when,
        }
    ]
    (position,) = snapshot["positions"]
    assert (position["price"], position["stop"], position["state"]) == (
        "65001.00",
        "64000.00",
        "open",
    )
    (deal,) = snapshot["deals"]
    assert (deal["id"], deal["entry"], deal["profit"]) == (1, "in", "0.00")


async def test_orders_at_hand_are_the_last_thousand(desk: PaperDesk) -> None:
    ledger = desk.broker._ledger
    assert ledger is not None
    assert ledger.orders.maxlen == ledger.deals.maxlen == 1_000
