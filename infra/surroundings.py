"""What surrounds the desk: everything simulated on this computer, or the real Telegram and Binance.

Both answer the same questions, so the composition root asks them without knowing which it has.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from core.clock import Clock
from core.model.instrument import InstrumentRegistry, Venue
from core.model.people import KnownPerson, Role
from core.ports.broker import Broker
from core.supervisor import Supervisor
from infra.banner import opened_in_sandbox, opened_with_paper_account
from infra.binance.binance_rest import RestEndpoints
from infra.binance.stream_plan import StreamEndpoints
from infra.desk_home import DeskHome
from infra.desk_plan import DeskPlan
from infra.paper.paper_broker import PaperBroker
from infra.sandbox.misbehaving_broker import MisbehavingBroker
from infra.sandbox.recorded.tape import RecordedTape, open_tape
from infra.sandbox.sandbox import TOKEN, Sandbox
from infra.sandbox.telegram.people import SANDBOX_USERS
from infra.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramAddress:
    """Where the bot lives."""

    token: str
    base: str


class Surroundings(Protocol):
    """The outside world, real or not."""

    @property
    def market_clock(self) -> Clock:
        """Market time."""
        ...

    @property
    def venue(self) -> Venue:
        """Where prices come from."""
        ...

    @property
    def people(self) -> tuple[KnownPerson, ...]:
        """Who is listed from the start."""
        ...

    def speed(self) -> float:
        """Market seconds per wall second."""
        ...

    def market_note(self) -> str:
        """Which prices are recorded and which simulated; empty where that needs no word."""
        ...

    def listed(self, registry: InstrumentRegistry) -> InstrumentRegistry:
        """The registry without symbols that this market does not list."""
        ...

    async def open_exchange(
        self, supervisor: Supervisor, stack: AsyncExitStack
    ) -> tuple[StreamEndpoints, RestEndpoints]:
        """Addresses of the stream and the history."""
        ...

    def broker(self, paper: PaperBroker) -> Broker:
        """How the desk reaches its account."""
        ...

    async def open_telegram(self, stack: AsyncExitStack) -> TelegramAddress:
        """Where the bot logs in, once the broker is there; raises StartupRefusedError."""
        ...

    def opened(self, home: DeskHome, address: TelegramAddress, bot_name: str) -> tuple[str, str]:
        """What to say in the terminal, and the page to open ("" = none)."""
        ...


class SandboxSurroundings:
    """Everything on this computer."""

    def __init__(
        self, plan: DeskPlan, home: DeskHome, wall: Clock, tape: RecordedTape | None
    ) -> None:
        self._plan = plan
        self._sandbox = Sandbox(
            folder=home.sandbox, seed=plan.seed, speed=plan.speed, wall=wall, tape=tape
        )
        self.market_clock: Clock = self._sandbox.market_clock
        self.venue = Venue.SANDBOX
        self._paper: PaperBroker | None = None
        roles = dict(zip((user.name for user in SANDBOX_USERS), Role, strict=False))
        self.people = tuple(
            KnownPerson(
                user_id=user.user_id,
                role=roles[user.name],
                name=user.first_name,
                subscribed=roles[user.name] is Role.OWNER,
            )
            for user in SANDBOX_USERS
            if user.name in roles
        )

    def speed(self) -> float:
        """Market seconds per wall second."""
        return self._sandbox.market_clock.speed

    def market_note(self) -> str:
        """Which prices are recorded and which simulated."""
        return self._sandbox.market_note()

    def listed(self, registry: InstrumentRegistry) -> InstrumentRegistry:
        """A recording lists its own symbol only."""
        return self._sandbox.listed(registry)

    async def open_exchange(
        self, supervisor: Supervisor, stack: AsyncExitStack
    ) -> tuple[StreamEndpoints, RestEndpoints]:
        """Start the sandbox exchange on a free port."""
        await self._sandbox.start_exchange(supervisor)
        exchange = self._sandbox.exchange
        stack.push_async_callback(exchange.stop)
        streams = StreamEndpoints(
            spot_ws=exchange.spot_ws_base,
            futures_market_ws=exchange.futures_market_ws_base,
            futures_public_ws=exchange.futures_public_ws_base,
        )
        return streams, RestEndpoints(spot=exchange.rest_base, futures=exchange.rest_base)

    def broker(self, paper: PaperBroker) -> Broker:
        """The paper account, over a line that can be made bad."""
        self._paper = paper
        return MisbehavingBroker(paper, self._sandbox.broker_faults)

    async def open_telegram(self, stack: AsyncExitStack) -> TelegramAddress:
        """Start the sandbox Telegram on the plan's port."""
        paper = self._paper

        async def venue() -> Mapping[str, object]:
            return {} if paper is None else paper.snapshot()

        telegram = await self._sandbox.start_telegram(self._plan.port, venue)
        stack.push_async_callback(telegram.stop)
        return TelegramAddress(token=TOKEN, base=telegram.base_url)

    def opened(self, home: DeskHome, address: TelegramAddress, bot_name: str) -> tuple[str, str]:
        """The banner with the chat page."""
        text = opened_in_sandbox(self._plan, home, address.base, self._sandbox.start.detail)
        return text, address.base if self._plan.open_browser else ""


class RealSurroundings:
    """Telegram and Binance themselves; the account is paper."""

    def __init__(self, settings: Settings, wall: Clock) -> None:
        self._settings = settings
        self.market_clock = wall
        self.venue = Venue.BINANCE
        owner = settings.owner_id
        self.people = (
            ()
            if owner is None
            else (KnownPerson(user_id=owner, role=Role.OWNER, name="Owner", subscribed=True),)
        )

    def speed(self) -> float:
        """The world has its own pace."""
        return 1.0

    def market_note(self) -> str:
        """Nothing: the prices are real."""
        return ""

    def listed(self, registry: InstrumentRegistry) -> InstrumentRegistry:
        """All of it."""
        return registry

    async def open_exchange(
        self, supervisor: Supervisor, stack: AsyncExitStack
    ) -> tuple[StreamEndpoints, RestEndpoints]:
        """Binance's public addresses, from the settings."""
        binance = self._settings.binance
        streams = StreamEndpoints(
            spot_ws=binance.spot_ws_url,
            spot_ws_fallback=binance.spot_ws_fallback_url,
            futures_market_ws=binance.futures_market_ws_url,
            futures_public_ws=binance.futures_public_ws_url,
        )
        rest = RestEndpoints(
            spot=binance.spot_rest_url,
            spot_fallback=binance.spot_rest_fallback_url,
            futures=binance.futures_rest_url,
        )
        return streams, rest

    def broker(self, paper: PaperBroker) -> Broker:
        """The paper account itself."""
        return paper

    async def open_telegram(self, stack: AsyncExitStack) -> TelegramAddress:
        """The configured token."""
        secret = self._settings.telegram_bot_token
        token = "" if secret is None else secret.get_secret_value()
        return TelegramAddress(token=token, base=self._settings.telegram.api_base)

    def opened(self, home: DeskHome, address: TelegramAddress, bot_name: str) -> tuple[str, str]:
        """The banner with the bot's link."""
        return opened_with_paper_account(home, f"https://t.me/{bot_name}"), ""


async def surroundings_of(
    plan: DeskPlan, settings: Settings, home: DeskHome, wall: Clock
) -> Surroundings:
    """The sandbox without a token, the world with one; StartupRefusedError for a bad recording."""
    if plan.simulated:
        tape = None if plan.recording is None else await open_tape(plan.recording)
        return SandboxSurroundings(plan, home, wall, tape)
    return RealSurroundings(settings, wall)
