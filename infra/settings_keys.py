"""The names of all settings, as they stand in the environment and in .env."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

NESTING = "__"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Tells in words what a field takes, where its bounds do not."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingKey:
    """One setting: its key, what it means, what it may be."""

    name: str
    meaning: str
    default: str
    """As it would be written in .env; empty for "not set"."""
    allowed: str
    secret: bool


def known_keys(model: type[BaseModel]) -> dict[str, SettingKey]:
    """All settings of `model` by key, in order of definition, sections last."""
    return {key.name: key for key in _walk(model, "")}


def _walk(model: type[BaseModel], prefix: str) -> Iterator[SettingKey]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}".upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, f"{key}{NESTING}")
        else:
            yield SettingKey(
                name=key,
                meaning=field.description or "",
                default=_written(field.default),
                allowed=_allowed(field),
                secret=SecretStr in (field.annotation, *get_args(field.annotation)),
            )


def _written(default: object) -> str:
    if default is None:
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)


def _allowed(field: FieldInfo) -> str:
    in_words = next((item.text for item in field.metadata if isinstance(item, Allowed)), None)
    if in_words is not None:
        return in_words
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(get_args(field.annotation))}"
    kind = "a whole number" if field.annotation is int else "a number"
    return f"{kind} {_bounds(field)}"


def _bounds(field: FieldInfo) -> str:
    least, above, most = (
        next((getattr(item, name) for item in field.metadata if hasattr(item, name)), None)
        for name in ("ge", "gt", "le")
    )
    low = f"above {above}" if least is None else f"from {least}"
    return f"{low} to {most}" if above is None else f"{low} and at most {most}"
