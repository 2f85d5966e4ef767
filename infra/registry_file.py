"""The instrument registry file: TOML in, checked facts out, every fault named at once."""

import tomllib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import SettingsError
from core.model.instrument import (
    AssetClass,
    FlowSupport,
    Instrument,
    InstrumentRegistry,
    MarketClass,
    Venue,
    VenueSymbol,
)

SHIPPED_FILE = Path(__file__).with_name("instruments.toml")


def _exact(raw: object) -> object:
    """TOML whole numbers are as exact as the decimals `tomllib` was told to make."""
    return Decimal(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw


def _seconds(raw: object) -> object:
    return float(raw) if isinstance(raw, Decimal | int) and not isinstance(raw, bool) else raw


Positive = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9._]{2,20}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _VenueRow(_Strict):
    market: Annotated[MarketClass, Field(strict=False)]
    symbol: Symbol


class _InstrumentRow(_Strict):
    symbol: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,20}$")]
    name: Name
    aliases: list[Name] = []
    asset_class: Annotated[AssetClass, Field(strict=False)]
    base: Name
    quote: Name
    price_digits: Annotated[int, Field(ge=0, le=10)]
    tick_size: Positive
    pip: Positive
    contract_size: Positive
    lot_min: Positive
    lot_step: Positive
    lot_max: Positive
    stops_level: NotNegative
    risk_percent: Annotated[Positive, Field(le=2)]
    flow: Annotated[FlowSupport, Field(strict=False)]
    silence_limit_seconds: Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=600)]
    venues: dict[Annotated[Venue, Field(strict=False)], _VenueRow] = {}

    def to_instrument(self) -> Instrument:
        """The same facts as the core's type."""
        facts = self.model_dump(exclude={"venues", "aliases"})
        return Instrument(
            **facts,
            aliases=tuple(self.aliases),
            venue_symbols=tuple(
                VenueSymbol(venue=venue, market=row.market, symbol=row.symbol)
                for venue, row in self.venues.items()
            ),
        )


def load_registry(path: Path | None = None) -> InstrumentRegistry:
    """The registry from `path` (None: the shipped file); SettingsError lists every fault."""
    file = path or SHIPPED_FILE
    rows, problems = _checked_rows(_read(file))
    problems += _grid_faults(rows)
    problems += _clashes(rows)
    if problems:
        raise SettingsError(tuple(f"{file.name}: {problem}" for problem in problems))
    return InstrumentRegistry(row.to_instrument() for row in rows)


def _read(file: Path) -> list[Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as e:
        raise SettingsError((f"{file.name}: cannot be read ({e.strerror})",)) from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise SettingsError((f"{file.name}: is not TOML: {e}",)) from e
    unknown = sorted(set(document) - {"instrument"})
    rows = document.get("instrument")
    if unknown or not isinstance(rows, list) or not rows:
        detail = f"unknown top-level {unknown}" if unknown else "has no [[instrument]]"
        raise SettingsError((f"{file.name}: {detail}",))
    return rows


def _checked_rows(raw_rows: Iterable[Any]) -> tuple[list[_InstrumentRow], list[str]]:
    rows: list[_InstrumentRow] = []
    problems: list[str] = []
    for number, raw in enumerate(raw_rows, start=1):
        try:
            rows.append(_InstrumentRow.model_validate(raw))
        except ValidationError as e:
            symbol = raw.get("symbol") if isinstance(raw, dict) else None
            problems += [_plain(symbol or f"instrument {number}", fault) for fault in e.errors()]
    return rows, problems


def _plain(who: object, fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "entry"
    reason = "is not a known setting" if fault["type"] == "extra_forbidden" else fault["msg"]
    return f"{who}: {place}: {reason}"


def _grid_faults(rows: Iterable[_InstrumentRow]) -> list[str]:
    problems = []
    for row in rows:
        if row.tick_size % Decimal(1).scaleb(-row.price_digits) != 0:
            problems.append(f"{row.symbol}: tick_size: needs more than price_digits decimals")
        problems += [
            f"{row.symbol}: {field}: must be a multiple of lot_step"
            for field in ("lot_min", "lot_max")
            if getattr(row, field) % row.lot_step != 0
        ]
        if row.lot_min > row.lot_max:
            problems.append(f"{row.symbol}: lot_min: is larger than lot_max")
    return problems


def _clashes(rows: Iterable[_InstrumentRow]) -> list[str]:
    owner: dict[str, str] = {}
    problems = []
    for row in rows:
        for name in _claimed_names(row):
            if name in owner:
                problems.append(f"{row.symbol}: {name!r} is already taken by {owner[name]}")
            owner.setdefault(name, row.symbol)
    return problems


def _claimed_names(row: _InstrumentRow) -> Iterator[str]:
    yield row.symbol
    yield from (alias.upper() for alias in row.aliases)
    for venue, place in row.venues.items():
        yield f"{venue.value} {place.market.value} {place.symbol.lower()}"
