"""Misbehaviour on command: which areas of the sandbox can misbehave, and how orders are read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.errors import InvalidValueError

LONGEST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """One fault, as ordered."""

    name: str
    seconds: float | None
    """Wall seconds until it ends by itself; None: until it is cleared."""
    parameters: Mapping[str, object]

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """A parameter that is a number within bounds; raises InvalidValueError."""
        return _number(self.parameters.get(name, default), name, least, most)


class FaultSwitch(Protocol):
    """One area's faults."""

    def set(self, order: object) -> None:
        """Switch a fault on: its name, or {"name": …, "seconds": …, more parameters}.

        Raises ValueError with a plain line for what it does not know.
        """
        ...

    def clear(self) -> None:
        """Behave again."""
        ...

    def active(self) -> tuple[str, ...]:
        """Names of the faults that are on."""
        ...

    def known(self) -> tuple[str, ...]:
        """Names of all faults there are."""
        ...


class FaultSwitches:
    """The switches of all areas, by the area's name ('exchange', 'telegram', …)."""

    def __init__(self, areas: Mapping[str, FaultSwitch]) -> None:
        self._areas = dict(areas)

    def set(self, orders: Mapping[str, object]) -> None:
        """One order, or a list of them, for each area named; raises ValueError.

        Orders before a wrong one stay in force; an unknown area changes nothing.
        """
        unknown = [area for area in orders if area not in self._areas]
        if unknown or not orders:
            areas = "; ".join(f"{a}: {', '.join(s.known())}" for a, s in self._areas.items())
            wrong = f"nothing called {unknown[0]!r} misbehaves here" if unknown else "name an area"
            raise InvalidValueError(f"{wrong}; there is {areas}")
        for area, asked in orders.items():
            for order in asked if isinstance(asked, list) else [asked]:
                self._areas[area].set(order)

    def clear(self) -> None:
        """Everything behaves again."""
        for switch in self._areas.values():
            switch.clear()

    def active(self) -> dict[str, tuple[str, ...]]:
        """The faults that are on, by area."""
        return {area: switch.active() for area, switch in self._areas.items()}


def read_order(raw: object, known: Mapping[str, Collection[str]]) -> FaultOrder:
    """An order checked against `known` (names and their parameters); raises InvalidValueError."""
    fields = {"name": raw} if isinstance(raw, str) else raw
    if not isinstance(fields, Mapping):
        raise InvalidValueError('a fault is a name or an object with a "name"')
    name = fields.get("name")
    if not isinstance(name, str) or name not in known:
        raise InvalidValueError(f"there is no fault {name!r}; there are {', '.join(known)}")
    parameters = {key: value for key, value in fields.items() if key not in ("name", "seconds")}
    for key in parameters:
        if key not in known[name]:
            has = ", ".join(["seconds", *known[name]])
            raise InvalidValueError(f"{name} has no parameter {key!r}; it has {has}")
    seconds = fields.get("seconds")
    if seconds is not None:
        seconds = _number(seconds, "seconds", 0.0, LONGEST_SECONDS)
    return FaultOrder(name=name, seconds=seconds, parameters=parameters)


def _number(value: object, name: str, least: float, most: float) -> float:
    number = float(value) if isinstance(value, int | float) else None
    if isinstance(value, bool) or number is None or not least <= number <= most:
        raise InvalidValueError(f"{name} must be a number from {least:g} to {most:g}")
    return number
