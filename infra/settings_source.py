"""Reads raw settings from the environment and a .env file, and finds what cannot be meant."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from infra.redaction import Redactor
from infra.settings_keys import NESTING, SettingKey

ALIKE = 0.85
"""How similar a foreign variable must be to one of our keys to be taken for a misspelling."""

Keys = Mapping[str, SettingKey]


@dataclass(slots=True, kw_only=True)
class RawSettings:
    """Values by upper-case key, where each came from, and the faults found while reading."""

    values: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_source(env: Mapping[str, str], env_file: Path | None, keys: Keys) -> RawSettings:
    """The file's values, overridden by the environment's; empty values are left out."""
    raw = RawSettings()
    if env_file is not None and env_file.exists():
        _read_file(env_file, keys, raw)
    _read_environment(env, keys, raw)
    return raw


def _read_environment(env: Mapping[str, str], keys: Keys, raw: RawSettings) -> None:
    sections = tuple({key.split(NESTING)[0] + NESTING for key in keys if NESTING in key})
    for name, value in env.items():
        key = name.upper()
        if key in keys:
            _take(raw, key, value, "environment")
        elif key.startswith(sections) or get_close_matches(key, keys, n=1, cutoff=ALIKE):
            raw.problems.append(f"{_unknown(key, keys)} (environment)")


def _read_file(path: Path, keys: Keys, raw: RawSettings) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raw.problems.append(f"{path.name}: cannot be read ({error.strerror}); it must be a file")
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raw.problems.append(f"{path.name} line {line}: is not text; save the file as UTF-8")
        return
    for line, binding in _bindings(text):
        _read_binding(binding, f"{path.name} line {line}", keys, raw)
    raw.problems += _exposed_token(path, keys, raw)


def _bindings(text: str) -> Iterator[tuple[int, Binding]]:
    for binding in parse_stream(StringIO(text)):
        whole = binding.original.string
        blank_lines_before = whole[: len(whole) - len(whole.lstrip())].count("\n")
        yield binding.original.line + blank_lines_before, binding


def _read_binding(binding: Binding, where: str, keys: Keys, raw: RawSettings) -> None:
    if binding.error or (binding.key is not None and binding.value is None):
        raw.problems.append(f"{where}: cannot be understood; it must be KEY=value or # a comment")
    elif binding.key is not None and binding.value is not None:
        key = binding.key.upper()
        if key in keys:
            _take(raw, key, binding.value, where)
        else:
            raw.problems.append(f"{_unknown(key, keys)} ({where})")


def _take(raw: RawSettings, key: str, value: str, where: str) -> None:
    stripped = value.strip()
    if stripped:
        raw.values[key] = stripped
        raw.origins[key] = where


def _unknown(key: str, keys: Keys) -> str:
    shown = Redactor().hide(key[:60])
    nearest = get_close_matches(key, keys, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else ".env.example lists all settings"
    return f"{shown}: there is no such setting; {hint}"


def _exposed_token(path: Path, keys: Keys, raw: RawSettings) -> Iterator[str]:
    # On Windows a file's mode says nothing about who may read it.
    if os.name != "posix" or not any(
        key.secret for name, key in keys.items() if name in raw.values
    ):
        return
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield (
            f"{path.name}: holds a token that other users of this computer can read; "
            f"run: chmod 600 {path}"
        )
