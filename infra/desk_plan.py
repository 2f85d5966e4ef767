"""What kind of desk to open: settings and command line put together, impossible wishes refused."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import StartupRefusedError
from infra.command_line import BrokerChoice, DeskOptions, MarketChoice
from infra.settings import Settings

SANDBOX = "sandbox"
PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPlan:
    """A desk that can be opened."""

    environment: str
    """'sandbox' or 'paper'; names the folder and the journal's environment."""
    root: Path
    port: int
    seed: int
    speed: float
    open_browser: bool

    @property
    def simulated(self) -> bool:
        """Everything is on this computer: market, account and chat."""
        return self.environment == SANDBOX

    @property
    def watermark(self) -> str:
        """What stands on every picture."""
        return "SIMULATED" if self.simulated else "PAPER"


def plan_desk(options: DeskOptions, settings: Settings) -> DeskPlan:
    """The plan; raises StartupRefusedError with one plain line."""
    has_token = settings.telegram_bot_token is not None
    _check_market(options, has_token=has_token)
    _check_broker(options, has_token=has_token)
    return DeskPlan(
        environment=PAPER if has_token else SANDBOX,
        root=options.home or settings.desk_home,
        port=settings.desk_port if options.port is None else options.port,
        seed=settings.sandbox.seed if options.seed is None else options.seed,
        speed=options.speed or settings.sandbox.speed,
        open_browser=options.open_browser,
    )


def _check_market(options: DeskOptions, *, has_token: bool) -> None:
    if options.market is MarketChoice.LIVE and not has_token:
        raise StartupRefusedError(
            "--market live needs TELEGRAM_BOT_TOKEN in .env: without a token the desk opens in its"
            " sandbox, where nothing leaves this computer."
        )
    if options.market is MarketChoice.SIMULATED and has_token:
        raise StartupRefusedError(
            "--market simulated belongs to the sandbox, which opens only without"
            " TELEGRAM_BOT_TOKEN. Empty it in .env to try the sandbox."
        )
    if options.market is MarketChoice.RECORDED or options.file is not None:
        raise StartupRefusedError(
            "This version cannot play recorded markets yet. Leave --market and --file out."
        )
    for name, value in (("--speed", options.speed), ("--seed", options.seed)):
        if has_token and value is not None:
            raise StartupRefusedError(f"{name} is for the sandbox; a live market has its own pace.")


def _check_broker(options: DeskOptions, *, has_token: bool) -> None:
    if options.broker in (None, BrokerChoice.PAPER):
        return
    if not has_token:
        raise StartupRefusedError(
            f"The sandbox refuses --broker {options.broker}: it only ever trades play money."
        )
    raise StartupRefusedError(
        f"This version cannot trade through --broker {options.broker} yet; it trades on paper."
    )
