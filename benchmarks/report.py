"""What a benchmark hands back: lines for people, one JSON object for machines."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Result of one benchmark."""

    title: str
    rows: tuple[tuple[str, str], ...]
    """(what, how much) for the table."""
    figures: dict[str, float]
    """The JSON line."""
