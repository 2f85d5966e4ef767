"""What the doctor found: one line each."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    SKIPPED = "skip"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One checked thing. `text` says what is so and, if that is not good, what to do."""

    level: Level
    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.level.value:<5} {self.topic:<9} {self.text}"


def good(topic: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(level=Level.OK, topic=topic, text=text)


def skipped(topic: str, text: str) -> Finding:
    """Not looked at, and why."""
    return Finding(level=Level.SKIPPED, topic=topic, text=text)


def warning(topic: str, text: str) -> Finding:
    """The desk opens, but something will be missing."""
    return Finding(level=Level.WARN, topic=topic, text=text)


def failure(topic: str, text: str) -> Finding:
    """The desk cannot do its work before this is mended."""
    return Finding(level=Level.FAIL, topic=topic, text=text)
