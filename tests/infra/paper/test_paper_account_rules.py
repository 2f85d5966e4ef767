"""Whatever is done to the account, its sums hold and every position keeps its stop."""

import asyncio
import tempfile
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.model.order import OrderFilled
from core.model.position import DealEntry
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from tests.support.paper_account import TERMS, PaperDesk

SIDES = st.sampled_from(list(Side))
LOTS = st.sampled_from(["0.01", "0.03", "0.10", "0.105", "9.00"])
TICKS = st.integers(-40_000, 40_000)


def price_of(cents: int) -> Price:
    return Price.of(Decimal(cents).scaleb(-2))


class PaperAccount(RuleBasedStateMachine):
    """Random orders, closes, prices and restarts."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.count = 0
        self.mid = 6_500_000
        self.fills: dict[str, tuple[OrderFilled, Side]] = {}
        self.desk = self.opened()
        self.move(0)

    def opened(self) -> PaperDesk:
        terms = replace(TERMS, slippage_ticks=2, commission_per_lot=Money.of("3.33"))
        desk = PaperDesk(Path(self.folder.name) / "paper.sqlite", terms)
        self.runner.run(desk.broker.open())
        return desk

    @rule()
    def restart(self) -> None:
        self.runner.run(self.desk.broker.shutdown())
        quotes = self.desk.quotes
        self.desk = self.opened()
        self.desk.quotes.update(quotes)

    @rule(ticks=TICKS)
    def move(self, ticks: int) -> None:
        self.mid = max(self.mid + ticks, 100_000)
        self.desk.quote("BTCUSD", (self.mid - 50) / 100, (self.mid + 50) / 100)

        async def book() -> None:
            worker = asyncio.create_task(self.desk.broker.run())
            await self.desk.settle()
            worker.cancel()

        self.runner.run(book())

    @rule(side=SIDES, lots=LOTS, distance=st.integers(-10, 30_000), aimed=st.booleans())
    def enter(self, side: Side, lots: str, distance: int, aimed: bool) -> None:
        self.count += 1
        outcome = self.runner.run(
            self.desk.enter(
                f"id{self.count}",
                side,
                quantity=Quantity.of(lots),
                stop=price_of(self.mid - side.sign * distance),
                target=price_of(self.mid + side.sign * 20_000) if aimed else None,
            )
        )
        if isinstance(outcome, OrderFilled):
            self.fills[outcome.venue_position_id] = (outcome, side)

    @rule(data=st.data(), lots=LOTS)
    def leave(self, data: st.DataObject, lots: str) -> None:
        if not self.fills:
            return
        fill, side = self.fills[data.draw(st.sampled_from(sorted(self.fills)))]
        self.count += 1
        size = data.draw(st.sampled_from([fill.quantity, Quantity.of(lots)]))
        self.runner.run(self.desk.leave(fill, f"id{self.count}", side=side.opposite, quantity=size))

    @invariant()
    def balance_is_the_sum_of_the_deals(self) -> None:
        async def look() -> None:
            deals = await self.desk.broker.deals_since(0)
            account = await self.desk.broker.account()
            booked = [d.profit + d.commission + d.swap for d in deals]
            assert account.balance == sum(booked, Money.of("10000"))
            assert account.margin_free == account.equity - account.margin
            assert [d.id for d in deals] == list(range(1, len(deals) + 1))

        self.runner.run(look())

    @invariant()
    def positions_are_what_the_deals_leave_open_and_have_their_stops(self) -> None:
        async def look() -> None:
            sizes: dict[str, Decimal] = defaultdict(Decimal)
            for deal in await self.desk.broker.deals_since(0):
                sign = 1 if deal.entry is DealEntry.IN else -1
                sizes[deal.position_id] += sign * deal.quantity.value
            held = await self.desk.broker.positions()
            assert {p.id: p.quantity.value for p in held} == {
                key: size for key, size in sizes.items() if size != 0
            }
            assert all(p.stop is not None for p in held)

        self.runner.run(look())

    def teardown(self) -> None:
        self.runner.run(self.desk.broker.shutdown())
        self.runner.close()
        self.folder.cleanup()


TestPaperAccount = PaperAccount.TestCase
TestPaperAccount.settings = settings(
    max_examples=10,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
