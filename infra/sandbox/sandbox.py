"""The sandbox in one piece: its market clock, its exchange, its Telegram."""

import asyncio
from dataclasses import replace
from pathlib import Path

from core.clock import Clock, Clocks, from_millis
from core.model.instrument import InstrumentRegistry
from core.supervisor import Supervisor
from infra.banner import say
from infra.live_clock import ScaledClock
from infra.sandbox.exchange.server import SandboxExchange
from infra.sandbox.market.anchor import MarketAnchor, MarketStart
from infra.sandbox.market.listing import EPOCH
from infra.sandbox.market.simulated import SimulatedMarket
from infra.sandbox.market.source import MarketSource
from infra.sandbox.misbehaving_broker import BrokerFaults
from infra.sandbox.recorded.listed import only_listed
from infra.sandbox.recorded.market import RecordedMarket
from infra.sandbox.recorded.tape import RecordedTape
from infra.sandbox.recorded.words import ended, told
from infra.sandbox.telegram.control_api import Venue
from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.sandbox.telegram.server import SandboxTelegram

TOKEN = "1000000001:SANDBOX-NOT-A-SECRET-0123456789-abcd"
"""The sandbox's bot token: it opens nothing but the sandbox on this computer."""
BOT_NAME = "tapedesk_sandbox_bot"


class Sandbox:
    """Built at once, so that its clock can be shared; started piece by piece."""

    def __init__(
        self,
        *,
        folder: Path,
        seed: int,
        speed: float,
        wall: Clock,
        tape: RecordedTape | None = None,
    ) -> None:
        """`tape`: play it, with simulated prices around it; None: simulate everything."""
        self._folder = folder
        self._seed = seed
        self._wall = wall
        self._tape = tape
        self._anchor = MarketAnchor(folder / "market.json", tape.identity if tape else "")
        self.start = self._resume()
        self.market_clock = ScaledClock(wall, self.start.at, speed)
        self._clocks = Clocks(market=self.market_clock, wall=wall)
        self._market: MarketSource = (
            RecordedMarket(seed, tape) if tape else SimulatedMarket(seed, self.start.at)
        )
        self.broker_faults = BrokerFaults(wall)
        self.exchange = SandboxExchange(self._market, self._clocks)

    def _resume(self) -> MarketStart:
        if self._tape is None:
            return self._anchor.resume(EPOCH, self._seed)
        start = self._anchor.resume(from_millis(self._tape.start_ms), self._seed)
        return replace(start, detail=f"{start.detail}; {told(self._tape, start.at)}")

    def market_note(self) -> str:
        """Which prices are recorded and which simulated; empty where all are simulated."""
        return told(self._tape, self.market_clock.utc_now()) if self._tape else ""

    def listed(self, registry: InstrumentRegistry) -> InstrumentRegistry:
        """The registry without the sandbox symbols that this market does not list."""
        return only_listed(registry, self._market.symbols())

    async def start_exchange(self, supervisor: Supervisor) -> None:
        """Listen on a free port and let the market move."""
        await self.exchange.start()
        supervisor.keep("sandbox exchange", self.exchange.run)
        supervisor.keep("market anchor", lambda: self._anchor.run(self._clocks, self._seed))
        if self._tape is not None:
            tape = self._tape
            supervisor.keep("recording", lambda: self._watch_end(tape))

    async def _watch_end(self, tape: RecordedTape) -> None:
        """Say in the terminal that the recording has ended; then there is nothing to do."""
        end, clock = from_millis(tape.end_ms), self.market_clock
        if clock.utc_now() < end:
            await clock.sleep((end - clock.utc_now()).total_seconds())
            say(f"The {ended(tape)}; the market is simulated from here on.")
        await asyncio.Event().wait()

    async def start_telegram(self, port: int, venue: Venue) -> SandboxTelegram:
        """Open the chat; raises StartupRefusedError when the port is taken."""
        telegram = SandboxTelegram(
            token=TOKEN,
            bot_name=BOT_NAME,
            users=SANDBOX_USERS,
            wall=self._wall,
            venue=venue,
            set_speed=self.market_clock.set_speed,
            data_dir=self._folder / "telegram",
            port=port,
            faults={"exchange": self.exchange.faults, "broker": self.broker_faults},
        )
        await telegram.start()
        return telegram
