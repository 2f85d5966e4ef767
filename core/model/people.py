"""People the desk knows, by numeric id only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may do. Nobody has a role by default."""

    OWNER = "owner"
    TRADER = "trader"
    VIEWER = "viewer"

    @property
    def may_trade(self) -> bool:
        """Whether this person's taps may move money."""
        return self is not Role.VIEWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A listed user. Private chats have the same id as the user."""

    user_id: int
    role: Role
    name: str
    subscribed: bool
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Somebody listed before the first word."""

    user_id: int
    role: Role
    name: str
    subscribed: bool
