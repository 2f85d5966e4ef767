"""Every setting, its default and its bounds; read once at start, all faults reported together."""

import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from os.path import expanduser
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.errors import SettingsError
from infra.settings_keys import NESTING, Allowed, known_keys
from infra.settings_problems import describe_invalid
from infra.settings_source import read_source

BOT_TOKEN = re.compile(r"\d+:[\w-]{30,}", re.ASCII)


def _bot_token(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not BOT_TOKEN.fullmatch(secret.get_secret_value()):
        raise ValueError("this is not a bot token")
    return secret


def _existing_file(path: Path | None) -> Path | None:
    with suppress(OSError):
        if path is None or path.is_file():
            return path
    raise ValueError("this is not a file")


def _address(schemes: str) -> AfterValidator:
    shape = re.compile(rf"(?:{schemes})://[^\s/]+(?:/\S*)?")

    def check(address: str) -> str:
        if not shape.fullmatch(address):
            raise ValueError("this is not an address")
        return address.rstrip("/")

    return AfterValidator(check)


BotToken = Annotated[
    SecretStr | None,
    AfterValidator(_bot_token),
    Allowed("the token from @BotFather: digits, a colon, at least 30 letters and digits; or empty"),
]
OwnerId = Annotated[int | None, Field(gt=0), Allowed("a numeric Telegram user id; or empty")]
HOME_MARK = BeforeValidator(lambda path: expanduser(path) if isinstance(path, str) else path)
Folder = Annotated[Path, HOME_MARK, Allowed("a folder")]
OptionalFile = Annotated[
    Path | None,
    HOME_MARK,
    AfterValidator(_existing_file),
    Allowed("a file that exists; or empty"),
]
WebAddress = Annotated[str, _address("https?"), Allowed("an address like https://example.com")]
StreamAddress = Annotated[str, _address("wss?"), Allowed("an address like wss://example.com")]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda level: level.upper() if isinstance(level, str) else level),
]


class Section(BaseModel):
    """A slice of the settings that one component receives."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TelegramSettings(Section):
    """How Telegram is reached."""

    api_base: WebAddress = Field("https://api.telegram.org", description="Where the Bot API is")


class BinanceSettings(Section):
    """Where Binance is reached: public market data, no key."""

    spot_ws_url: StreamAddress = Field(
        "wss://stream.binance.com:9443",
        description="Spot streams of trades, bars and order books",
    )
    spot_ws_fallback_url: StreamAddress = Field(
        "wss://data-stream.binance.vision",
        description="The same spot streams, used where Binance blocks the region",
    )
    futures_market_ws_url: StreamAddress = Field(
        "wss://fstream.binance.com/market", description="Futures streams of trades and bars"
    )
    futures_public_ws_url: StreamAddress = Field(
        "wss://fstream.binance.com/public", description="Futures streams of order books"
    )
    spot_rest_url: WebAddress = Field("https://api.binance.com", description="Spot history")
    spot_rest_fallback_url: WebAddress = Field(
        "https://data-api.binance.vision",
        description="The same spot history, used where Binance blocks the region",
    )
    futures_rest_url: WebAddress = Field("https://fapi.binance.com", description="Futures history")


class PaperSettings(Section):
    """The built-in paper account."""

    starting_balance: Decimal = Field(
        Decimal(10_000), ge=100, le=1_000_000_000, description="Balance of a new paper account, USD"
    )
    slippage_ticks: int = Field(
        1, ge=0, le=100, description="Ticks by which every paper fill is worse than the quote"
    )
    commission_per_lot: Decimal = Field(
        Decimal(0), ge=0, le=1_000, description="Commission per lot and side, USD"
    )
    leverage: int = Field(100, ge=1, le=1_000, description="Leverage of the paper account, N:1")


class RiskSettings(Section):
    """Limits that no signal and no tap can pass."""

    max_open_positions: int = Field(5, ge=1, le=100, description="Most open positions in all")
    max_fx_positions: int = Field(5, ge=0, le=100, description="Most open currency positions")
    max_per_instrument: int = Field(
        1, ge=1, le=10, description="Most open positions per instrument"
    )
    max_risk_percent: Decimal = Field(
        Decimal(2), gt=0, le=2, description="Largest risk of one trade, percent of equity"
    )
    max_open_risk_percent: Decimal = Field(
        Decimal(5), gt=0, le=20, description="Largest risk of all open positions, percent of equity"
    )
    max_leverage_used: Decimal = Field(
        Decimal(10), gt=0, le=100, description="Largest position value over equity, N:1"
    )
    orders_per_minute: int = Field(10, ge=1, le=60, description="Most orders a minute")
    entries_per_instrument_hour: int = Field(
        3, ge=1, le=60, description="Most entries per instrument and hour"
    )
    entries_per_day: int = Field(20, ge=1, le=500, description="Most entries a day")
    min_reward_risk: Decimal = Field(
        Decimal("1.5"), ge=Decimal("0.5"), le=10, description="Smallest reward over risk"
    )
    drift_r: Decimal = Field(
        Decimal("0.25"), gt=0, le=1, description="Price drift that stops an Execute tap, in R"
    )

    @model_validator(mode="after")
    def _one_trade_fits_in_all(self) -> "RiskSettings":
        if self.max_risk_percent > self.max_open_risk_percent:
            raise ValueError(
                "RISK__MAX_RISK_PERCENT: one trade may not risk more than all open positions "
                f"together; it must be at most RISK__MAX_OPEN_RISK_PERCENT, "
                f"{self.max_open_risk_percent}"
            )
        return self


class SignalSettings(Section):
    """Signal cards."""

    validity_minutes: int = Field(
        15, ge=1, le=60, description="How long a card can be executed, minutes"
    )
    min_confidence: float = Field(0.6, ge=0, le=1, description="Least confidence of a rule's setup")


class SandboxSettings(Section):
    """The simulated market."""

    seed: int = Field(7, ge=0, le=2**32 - 1, description="The same seed plays the same market")
    speed: float = Field(1.0, gt=0, le=1_000, description="How fast market time runs")


class LogSettings(Section):
    """Log files."""

    max_megabytes: int = Field(100, ge=1, le=1_000, description="Size of one log file, MB")
    kept: int = Field(5, ge=1, le=100, description="How many older log files are kept")


class Settings(BaseSettings):
    """All settings of one desk."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    telegram_bot_token: BotToken = Field(
        None, description="Your bot's token; empty starts the sandbox, which needs no account"
    )
    owner_id: OwnerId = Field(
        None, description="Telegram user id of the owner; empty lets you pair with the printed code"
    )
    desk_home: Folder = Field(
        Path("desk-home"), description="Folder for the journal, logs and recordings"
    )
    desk_port: int = Field(
        8765, ge=0, le=65_535, description="Port of the sandbox's chat page; 0 takes any free one"
    )
    log_level: LogLevel = Field(
        "WARNING", description="Least importance of what the terminal shows"
    )
    instruments_file: OptionalFile = Field(
        None, description="Your own instrument list; empty takes the seven that ship"
    )
    telegram: TelegramSettings = TelegramSettings()
    binance: BinanceSettings = BinanceSettings()
    paper: PaperSettings = PaperSettings()
    risk: RiskSettings = RiskSettings()
    signals: SignalSettings = SignalSettings()
    sandbox: SandboxSettings = SandboxSettings()
    logs: LogSettings = LogSettings()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The exact values that no log may show."""
        token = self.telegram_bot_token
        return () if token is None else (token.get_secret_value(),)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `load_settings` decides where values come from."""
        return (init_settings,)


def load_settings(env: Mapping[str, str], env_file: Path | None) -> Settings:
    """The settings from `env` and, below it, from `env_file` (which need not exist).

    Keys are not case-sensitive and an empty value means "not set". Raises SettingsError with
    every fault found, one plain line each; secret values are never part of a line.
    """
    keys = known_keys(Settings)
    source = read_source(env, env_file, keys)
    problems = list(source.problems)
    nesting = EnvSettingsSource(Settings, env_nested_delimiter=NESTING)
    nesting.env_vars = {key.lower(): value for key, value in source.values.items()}
    try:
        settings = Settings(**nesting())
    except ValidationError as error:
        problems += describe_invalid(error, keys, source)
        raise SettingsError(tuple(problems)) from None
    if problems:
        raise SettingsError(tuple(problems))
    return settings
