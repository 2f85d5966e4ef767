"""Between value types and columns: microseconds, cents, decimal text. Exact in both directions."""

import json
from datetime import datetime, timedelta

from core.clock import EPOCH
from core.errors import InvalidValueError
from core.model.values import Money, Price

MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    if moment.tzinfo is None:
        raise InvalidValueError(f"a time needs its zone, was {moment!r}")
    return (moment - EPOCH) // MICROSECOND


def moment_of(value: int) -> datetime:
    """The aware UTC moment of a column."""
    return EPOCH + value * MICROSECOND


def maybe_moment(value: int | None) -> datetime | None:
    """`moment_of`, None stays None."""
    return None if value is None else moment_of(value)


def maybe_money(value: int | None) -> Money | None:
    """Money from a column of cents, None stays None."""
    return None if value is None else Money.of_cents(value)


def price_text(price: Price | None) -> str | None:
    """A price as its exact decimal text, None stays None."""
    return None if price is None else str(price)


def maybe_price(text: str | None) -> Price | None:
    """A price from its text, None stays None."""
    return None if text is None else Price.of(text)


def texts(values: tuple[str, ...]) -> str:
    """A JSON list of texts."""
    return json.dumps(values, ensure_ascii=False)


def texts_of(column: str) -> tuple[str, ...]:
    """The texts of a JSON list."""
    return tuple(json.loads(column))
