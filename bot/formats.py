"""How numbers, times and foreign text appear in the chat."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from aiogram.utils.formatting import DateTime, Text, sizeof

from core.errors import UnknownInstrumentError
from core.model.instrument import InstrumentRegistry
from core.model.values import Money, Price, Quantity

MESSAGE_LIMIT = 4096
CAPTION_LIMIT = 1024
TOAST_LIMIT = 200
TABLE_COLUMNS = 31
MINUS = "−"
_UNLISTED_DIGITS = 5
_DECIMALS_BELOW_SECONDS = 10
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

Number = Decimal | float


def digits_of(registry: InstrumentRegistry, symbol: str) -> int:
    """Price digits of `symbol`; the journal may remember what the registry has forgotten."""
    try:
        return registry.get(symbol).price_digits
    except UnknownInstrumentError:
        return _UNLISTED_DIGITS


def grouped(value: Number, digits: int) -> str:
    """`64,120.50`, with a real minus sign and never a negative zero."""
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and text.strip("0.,") else text


def signed(value: Number, digits: int) -> str:
    """As `grouped`, with a plus sign where it is one."""
    text = grouped(value, digits)
    return "+" + text if value > 0 and text.strip("0.,") else text


def price(value: Price | Number, digits: int) -> str:
    """A price with the digits of its instrument."""
    return grouped(value.value if isinstance(value, Price) else value, digits)


def quantity(value: Quantity) -> str:
    """A size in lots without trailing zeros."""
    text = f"{value.value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def lots(value: Quantity) -> str:
    """`0.02 lot`, `2 lots`."""
    return f"{quantity(value)} {'lot' if value.value <= 1 else 'lots'}"


def money(value: Money) -> str:
    """`$12.40` or `−$12.40`."""
    text = f"${abs(value.amount):,.2f}"
    return MINUS + text if value.amount < 0 else text


def signed_money(value: Money) -> str:
    """`+$12.40`, `−$12.40`, `$0.00`."""
    return "+" + money(value) if value.amount > 0 else money(value)


def in_r(value: Number) -> str:
    """`+1.5R`: a result in units of the initial risk."""
    return signed(value, 1) + "R"


def percent(fraction: float, digits: int = 0) -> str:
    """`68%` of a 0-1 fraction."""
    return f"{fraction * 100:.{digits}f}%"


def change(part: Decimal, whole: Decimal) -> str:
    """`+1.50%`: `part` as a percentage of `whole`."""
    return signed(part / whole * 100, 2) + "%"


def age(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h`, `4 days`: how old something is."""
    if seconds < _DECIMALS_BELOW_SECONDS:
        return f"{max(seconds, 0.0):.1f} s"
    return span(seconds)


def span(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `2 days`: how long something lasted."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{max(whole, 0)} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < 2 * _DAY:
        minutes = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR} h {minutes} min" if minutes else f"{whole // _HOUR} h"
    return f"{whole // _DAY} days"


def clock_time(at: datetime) -> str:
    """`14:45 UTC`, for places without entities (toasts)."""
    return f"{at:%H:%M} UTC"


def at_time(at: datetime) -> DateTime:
    """A time of day in the reader's own zone; UTC where the client cannot."""
    return DateTime(clock_time(at), unix_time=at, date_time_format="t")


def at_second(at: datetime) -> DateTime:
    """As `at_time`, with seconds."""
    return DateTime(f"{at:%H:%M:%S} UTC", unix_time=at, date_time_format="T")


def at_date(at: datetime) -> DateTime:
    """A date and time in the reader's own zone; UTC where the client cannot."""
    return DateTime(f"{at:%d %b %Y %H:%M} UTC", unix_time=at, date_time_format="dt")


def plain(text: str, limit: int) -> str:
    """Foreign text on one line: no control or direction characters, at most `limit` units."""
    spaced = " ".join(text[: limit * 4].split())
    return clip("".join(c for c in spaced if unicodedata.category(c)[0] != "C"), limit)


def sentence(text: str, limit: int = 200) -> str:
    """Foreign text as one sentence with a full stop."""
    cleaned = plain(text, limit)
    return cleaned if not cleaned or cleaned[-1] in ".!?…" else cleaned + "."


def clip(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units (Telegram's measure), an ellipsis where something is missing."""
    if sizeof(text) <= limit:
        return text
    kept = text[: limit - 1]
    while sizeof(kept) > limit - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def fitting(lines: Iterable[str], room: int) -> list[str]:
    """The first lines that fit into `room` UTF-16 units, each with its line break."""
    kept: list[str] = []
    for line in lines:
        room -= sizeof(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def fitting_texts(lines: Iterable[Text], room: int = MESSAGE_LIMIT) -> list[Text]:
    """As `fitting`, for formatted lines."""
    kept: list[Text] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def table(rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns for a `<pre>` block: first to the left, others to the right.

    When a row would be wider than a phone shows, trailing cells move to a line of their own.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        " ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    if max(map(len, lines)) <= TABLE_COLUMNS:
        return "\n".join(lines)
    return "\n".join(line for row in rows for line in _stacked(row))


def _stacked(cells: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for cell in filter(None, cells):
        if lines and len(lines[-1]) + 1 + len(cell) <= TABLE_COLUMNS:
            lines[-1] += " " + cell
        else:
            lines.extend(cell[i : i + TABLE_COLUMNS] for i in range(0, len(cell), TABLE_COLUMNS))
    return lines
