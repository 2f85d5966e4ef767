"""A paper broker with settable quotes and manual clocks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.clock import to_millis
from core.model.instrument import AssetClass, FlowSupport, Instrument, InstrumentRegistry
from core.model.market import Quote
from core.model.order import IntentLeg, OrderFilled, OrderIntent, RiskApproved, SubmitOutcome
from core.model.signal import Side
from core.model.values import Money, Price, Quantity
from infra.paper.model import PaperTerms
from infra.paper.paper_broker import PaperBroker
from tests.support.clock import ManualClock


def instrument(symbol: str, digits: int, contract: str, **changes: Any) -> Instrument:
    """An instrument whose symbol is base + quote, three letters each."""
    facts: dict[str, Any] = {
        "symbol": symbol,
        "name": symbol,
        "asset_class": AssetClass.FX,
        "base": symbol[:3],
        "quote": symbol[3:],
        "price_digits": digits,
        "tick_size": Decimal(1).scaleb(-digits),
        "pip": Decimal(10).scaleb(-digits),
        "contract_size": Decimal(contract),
        "lot_step": Decimal("0.01"),
        "lot_min": Decimal("0.01"),
        "lot_max": Decimal("5"),
        "stops_level": Decimal(5).scaleb(-digits),
        "risk_percent": Decimal("1.0"),
        "flow": FlowSupport.NONE,
        "silence_limit_seconds": 5.0,
        "venue_symbols": (),
    }
    return Instrument(**{**facts, **changes})


INSTRUMENTS = (
    instrument("BTCUSD", 2, "1", asset_class=AssetClass.CRYPTO),
    instrument("EURUSD", 5, "100000"),
    instrument("USDJPY", 3, "100000"),
    instrument("GBPJPY", 3, "100000"),
)
TERMS = PaperTerms(
    starting_balance=Money.of("10000"),
    slippage_ticks=0,
    commission_per_lot=Money.of("0"),
    leverage=100,
    max_quote_age_seconds=5.0,
)


class PaperDesk:
    """The broker, its quotes and its clock; `quote` also tells the broker, as the feed does."""

    def __init__(self, path: Path, terms: PaperTerms = TERMS) -> None:
        self.clock = ManualClock()
        self.quotes: dict[str, Quote] = {}
        self.registry = InstrumentRegistry(INSTRUMENTS)
        self.broker = PaperBroker(
            path=path,
            registry=self.registry,
            quotes=self.quotes.get,
            market=self.clock,
            wall=self.clock,
            terms=terms,
        )

    def quote(self, symbol: str, bid: float, ask: float) -> None:
        """A fresh quote arrives."""
        self.quotes[symbol] = Quote(
            instrument=symbol,
            bid=bid,
            ask=ask,
            event_ms=to_millis(self.clock.utc_now()),
            received=self.clock.monotonic(),
        )
        self.broker.on_quote(self.quotes[symbol])

    async def settle(self) -> None:
        """Let the broker's worker book everything that was triggered."""
        for _ in range(500):
            if not self.broker._watch.pending():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("triggered stops were not booked")

    async def enter(self, client_id: str, side: Side = Side.BUY, **changes: Any) -> SubmitOutcome:
        """Submit a market entry (0.10 lots of BTCUSD unless told otherwise)."""
        return await self.broker.submit(RiskApproved(intent=entry(client_id, side, **changes)))

    async def filled(self, client_id: str, side: Side = Side.BUY, **changes: Any) -> OrderFilled:
        """`enter`, which must fill."""
        outcome = await self.enter(client_id, side, **changes)
        assert isinstance(outcome, OrderFilled), outcome
        return outcome

    async def leave(self, fill: OrderFilled, client_id: str, **changes: Any) -> SubmitOutcome:
        """Close (a part of) the position of `fill`; the side is SELL unless told otherwise."""
        facts: dict[str, Any] = {
            "leg": IntentLeg.CLOSE,
            "side": Side.SELL,
            "stop": None,
            "quantity": fill.quantity,
        }
        intent = replace(entry(client_id, Side.SELL), **{**facts, **changes})
        return await self.broker.close(RiskApproved(intent=intent), fill.venue_position_id)


def entry(client_id: str, side: Side, **changes: Any) -> OrderIntent:
    """An entry intent on the default market of the tests."""
    clock = ManualClock()
    facts: dict[str, Any] = {
        "id": client_id,
        "leg": IntentLeg.ENTRY,
        "signal_id": 1,
        "position_id": 1,
        "instrument": "BTCUSD",
        "side": side,
        "quantity": Quantity.of("0.10"),
        "stop": Price.of("64000.00" if side is Side.BUY else "66000.00"),
        "target": None,
        "reference": Price.of("65000"),
        "created_at": clock.utc_now(),
        "created_market_at": clock.utc_now(),
    }
    return OrderIntent(**{**facts, **changes})


@asynccontextmanager
async def open_desk(path: Path, terms: PaperTerms = TERMS) -> AsyncIterator[PaperDesk]:
    """A running paper account at `path` with BTCUSD quoted 65000.00 / 65001.00."""
    desk = PaperDesk(path, terms)
    await desk.broker.open()
    worker = asyncio.create_task(desk.broker.run())
    try:
        desk.quote("BTCUSD", 65000.00, 65001.00)
        yield desk
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await desk.broker.shutdown()
