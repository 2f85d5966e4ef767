"""Exact values: a float can become neither an order price nor a size nor money."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Self

from core.errors import InvalidValueError


def exact(raw: str | int | Decimal) -> Decimal:
    """Build a finite Decimal from an exact source; a float is a bug, not an input."""
    if isinstance(raw, float):
        raise InvalidValueError(f"needs str, int or Decimal, was float {raw!r}")
    try:
        number = Decimal(raw)
    except InvalidOperation as e:
        raise InvalidValueError(f"must be a number, was {raw!r}") from e
    if not number.is_finite():
        raise InvalidValueError(f"must be finite, was {raw!r}")
    return number


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """A price in the quote currency; positive. Only `Instrument.price` rounds."""

    value: Decimal

    @classmethod
    def of(cls, raw: str | int | Decimal) -> Self:
        """Build from an exact source."""
        number = exact(raw)
        if number <= 0:
            raise InvalidValueError(f"a price must be positive, was {raw!r}")
        return cls(number)

    def __str__(self) -> str:
        return format(self.value, "f")


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """A size in lots; zero or more. Only `Instrument.quantity` rounds, and only down."""

    value: Decimal

    @classmethod
    def of(cls, raw: str | int | Decimal) -> Self:
        """Build from an exact source."""
        number = exact(raw)
        if number < 0:
            raise InvalidValueError(f"a quantity must not be negative, was {raw!r}")
        return cls(number)

    def __str__(self) -> str:
        return format(self.value, "f")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of the account's currency, kept to the cent; may be negative."""

    amount: Decimal

    @classmethod
    def of(cls, raw: str | int | Decimal) -> Self:
        """Build from an exact source, rounded half-even to two places."""
        return cls(exact(raw).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN))

    @classmethod
    def of_cents(cls, cents: int) -> Self:
        """Build from whole cents, as records keep it."""
        return cls.of(Decimal(cents).scaleb(-2))

    @property
    def cents(self) -> int:
        """Whole cents; refuses an amount finer than a cent."""
        scaled = self.amount.scaleb(2)
        if scaled != scaled.to_integral_value():
            raise InvalidValueError(f"money is kept to the cent, was {self.amount}")
        return int(scaled)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + other.amount)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - other.amount)

    def __neg__(self) -> "Money":
        return Money(-self.amount)

    def __str__(self) -> str:
        return format(self.amount, "f")
