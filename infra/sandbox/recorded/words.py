"""What a person is told about the recording, so that nobody takes simulated prices for recorded."""

from datetime import datetime

from core.clock import from_millis, to_millis
from infra.sandbox.recorded.tape import RecordedTape


def told(tape: RecordedTape, now: datetime) -> str:
    """Which prices are recorded and which simulated, seen from a moment of market time."""
    if to_millis(now) >= tape.end_ms:
        return f"the {ended(tape)}; prices are simulated from there on"
    span = f"from {_moment(tape.start_ms)} to {_moment(tape.end_ms)} UTC"
    faults = "".join(f", {fault}" for fault in _faults(tape))
    return f"{tape.listing.name} recorded {span}{faults}; prices before and after are simulated"


def ended(tape: RecordedTape) -> str:
    """That it ended, and when; without the article."""
    return f"recording ended at {_moment(tape.end_ms)} UTC"


def _faults(tape: RecordedTape) -> list[str]:
    holes = int((~tape.books.known).sum())
    counts = (
        (tape.bad_lines, f"of {tape.lines:,} lines unreadable"),
        (tape.missing_trades, "trades missing"),
        (holes, "moments without a book"),
    )
    return [f"{count:,} {what}" for count, what in counts if count]


def _moment(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d %H:%M:%S}"
