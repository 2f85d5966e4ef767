"""Addresses of the same data in order of preference; a region block moves on to the next; pure."""

from collections.abc import Sequence


class Addresses:
    """The address in use, among all that serve the same data."""

    def __init__(self, choices: Sequence[str]) -> None:
        self._choices = tuple(dict.fromkeys(choices))
        self._used = 0

    @property
    def current(self) -> str:
        """Where to ask next."""
        return self._choices[self._used]

    def blocked(self, address: str) -> bool:
        """`address` does not serve us: whether another may be asked at once.

        After the last one it starts over with the first, which is worth asking after a long pause.
        Several callers may have met the same block; only the first of them moves on.
        """
        if address != self.current:
            return True
        self._used = (self._used + 1) % len(self._choices)
        return self._used > 0


def in_order(first: str, fallback: str | None) -> tuple[str, ...]:
    """The choices of a place with or without a fallback."""
    return (first,) if fallback is None else (first, fallback)
