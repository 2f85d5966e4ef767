"""The sandbox in one piece: its market clock, its exchange, its Telegram."""

from pathlib import Path

from core.clock import Clock, Clocks
from core.supervisor import Supervisor
from infra.live_clock import ScaledClock
from infra.sandbox.exchange.server import SandboxExchange
from infra.sandbox.market.anchor import MarketAnchor, MarketStart
from infra.sandbox.market.listing import EPOCH
from infra.sandbox.market.simulated import SimulatedMarket
from infra.sandbox.telegram.control_api import Venue
from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.sandbox.telegram.server import SandboxTelegram

TOKEN = "1000000001:SANDBOX-NOT-A-SECRET-0123456789-abcd"
"""The sandbox's bot token: it opens nothing but the sandbox on this computer."""
BOT_NAME = "tapedesk_sandbox_bot"


class Sandbox:
    """Built at once, so that its clock can be shared; started piece by piece."""

    def __init__(self, *, folder: Path, seed: int, speed: float, wall: Clock) -> None:
        self._folder = folder
        self._seed = seed
        self._wall = wall
        self._anchor = MarketAnchor(folder / "market.json")
        self.start: MarketStart = self._anchor.resume(EPOCH, seed)
        self.market_clock = ScaledClock(wall, self.start.at, speed)
        self._clocks = Clocks(market=self.market_clock, wall=wall)
        self.exchange = SandboxExchange(SimulatedMarket(seed, self.start.at), self._clocks)

    async def start_exchange(self, supervisor: Supervisor) -> None:
        """Listen on a free port and let the market move."""
        await self.exchange.start()
        supervisor.keep("sandbox exchange", self.exchange.run)
        supervisor.keep("market anchor", lambda: self._anchor.run(self._clocks, self._seed))

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
        )
        await telegram.start()
        return telegram
