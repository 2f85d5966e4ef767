"""What kind of desk to open: settings and command line put together, impossible wishes refused."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import StartupRefusedError
from infra.command_line import BrokerChoice, DeskOptions, MarketChoice
from infra.settings import Settings

SANDBOX = "sandbox"
PAPER = "paper"
RECORDED = "recorded"


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
    recording: Path | None = None
    """The recorded market to play."""

    @property
    def simulated(self) -> bool:
        """Everything is on this computer: market, account and chat."""
        return self.environment == SANDBOX

    @property
    def watermark(self) -> str:
        """What stands on every picture."""
        if not self.simulated:
            return "PAPER"
        return "SIMULATED" if self.recording is None else "RECORDED + SIM"


def plan_desk(options: DeskOptions, settings: Settings) -> DeskPlan:
    """The plan; raises StartupRefusedError with one plain line."""
    has_token = settings.telegram_bot_token is not None
    _check_market(options, has_token=has_token)
    _check_broker(options, has_token=has_token)
    return DeskPlan(
        environment=PAPER if has_token else SANDBOX,
        root=_root(options, settings),
        port=settings.desk_port if options.port is None else options.port,
        seed=settings.sandbox.seed if options.seed is None else options.seed,
        speed=options.speed or settings.sandbox.speed,
        open_browser=options.open_browser,
        recording=options.file,
    )


def _root(options: DeskOptions, settings: Settings) -> Path:
    """A recorded market has an account of its own: another market's prices would ruin positions."""
    root = options.home or settings.desk_home
    return root / RECORDED if options.file is not None else root


def _check_market(options: DeskOptions, *, has_token: bool) -> None:
    if options.market is MarketChoice.LIVE and not has_token:
        raise StartupRefusedError(
            "--market live needs TELEGRAM_BOT_TOKEN in .env: without a token the desk opens in its"
            " sandbox, where nothing leaves this computer."
        )
    if options.market in (MarketChoice.SIMULATED, MarketChoice.RECORDED) and has_token:
        raise StartupRefusedError(
            f"--market {options.market} belongs to the sandbox, which opens only without"
            " TELEGRAM_BOT_TOKEN. Empty it in .env to try the sandbox."
        )
    _check_file(options)
    for name, value in (("--speed", options.speed), ("--seed", options.seed)):
        if has_token and value is not None:
            raise StartupRefusedError(f"{name} is for the sandbox; a live market has its own pace.")


def _check_file(options: DeskOptions) -> None:
    if options.market is not MarketChoice.RECORDED:
        if options.file is not None:
            raise StartupRefusedError("--file is for --market recorded; leave it out otherwise.")
        return
    if options.file is None:
        raise StartupRefusedError("--market recorded needs --file, the recording to play.")
    try:
        options.file.open("rb").close()
    except OSError as e:
        reason = (e.strerror or type(e).__name__).lower()
        raise StartupRefusedError(f"The recording {options.file} cannot be read: {reason}.") from e


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
