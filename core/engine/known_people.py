"""Lists the people who are known before the first word: the sandbox's, or the configured owner."""

from collections.abc import Iterable
from datetime import datetime

from core.model.people import KnownPerson, Role
from core.ports.journal import UserStore


async def list_people(users: UserStore, people: Iterable[KnownPerson], at: datetime) -> None:
    """Add who is missing and promote the configured owner; what people changed since stays."""
    for person in people:
        known = await users.get(person.user_id)
        if known is None:
            await users.save(person.user_id, person.role, person.name, at)
            await users.subscribe(person.user_id, person.subscribed)
        elif person.role is Role.OWNER and known.role is not Role.OWNER:
            await users.save(person.user_id, Role.OWNER, known.name, at)
