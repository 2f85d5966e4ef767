"""Says in plain words what is wrong with a value; never repeats a secret."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.redaction import Redactor
from infra.settings_keys import NESTING, SettingKey
from infra.settings_source import RawSettings

LONGEST_SHOWN = 40
TOO_SMALL = {"greater_than", "greater_than_equal"}
TOO_LARGE = {"less_than", "less_than_equal"}
NOT_WHOLE = {"int_parsing", "int_from_float"}
NOT_A_NUMBER = {"float_parsing", "decimal_parsing", "finite_number"}


def describe_invalid(
    error: ValidationError, keys: Mapping[str, SettingKey], raw: RawSettings
) -> Iterator[str]:
    """One line for each fault of `error`: key, where it stands, what is wrong, what is allowed."""
    for fault in error.errors():
        name = NESTING.join(str(part) for part in fault["loc"]).upper()
        key = keys.get(name)
        if key is None:
            # A rule about several settings names them itself.
            yield str(fault["ctx"]["error"])
        else:
            where = raw.origins.get(name, "default")
            yield f"{name} ({where}): {_fault(key, fault)}; it must be {key.allowed}"


def _fault(key: SettingKey, fault: ErrorDetails) -> str:
    shown = "the value" if key.secret else _shown(str(fault["input"]))
    kind = fault["type"]
    if kind in TOO_SMALL:
        return f"{shown} is too small"
    if kind in TOO_LARGE:
        return f"{shown} is too large"
    if kind in NOT_A_NUMBER:
        return f"{shown} is not a number"
    if kind in NOT_WHOLE:
        return f"{shown} is not a whole number"
    return f"{shown} cannot be used"


def _shown(value: str) -> str:
    safe = Redactor().hide(value)
    return repr(safe if len(safe) <= LONGEST_SHOWN else f"{safe[:LONGEST_SHOWN]}…")
