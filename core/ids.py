"""Identifiers. What names a thing is a pure function of it; what must be secret is injected."""

import hashlib
from typing import Protocol


class TokenSource(Protocol):
    """Where unguessable tokens come from."""

    def token(self, size_bytes: int) -> str:
        """A URL-safe random token of `size_bytes` of entropy."""
        ...


def intent_id(signal_id: int, leg: str = "entry", attempt: int = 1) -> str:
    """The client id of an order; the same order always has the same one (<= 27 ASCII)."""
    return f"td{signal_id}-{leg}-{attempt}"


def digest(*parts: object) -> str:
    """A short stable digest of `parts`, for unique event keys."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
