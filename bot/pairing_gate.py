"""The one opening in the gate: a private `/start pair_<code>` while the desk has no owner."""

import re
from collections.abc import Awaitable, Callable

from aiogram.types import Message

from bot.formats import plain
from bot.throttle import Throttle
from core.clock import Clock

Claim = Callable[[str, int, str], Awaitable[bool]]
"""(code, user id, name) -> whether this person is the owner now."""

LONGEST_NAME = 40
TRIES_HEARD = 10
HEARD_SECONDS = 60.0

_LINK = re.compile(r"/start pair_(?P<code>[A-Za-z0-9_-]{16,59})")


async def nobody_pairs(code: str, user_id: int, name: str) -> bool:
    """For desks whose people are all known beforehand."""
    return False


class PairingGate:
    """Tells a stranger who brings the right code from all others."""

    def __init__(self, claim: Claim, wall: Clock) -> None:
        self._claim = claim
        self._throttle = Throttle(wall, limit=TRIES_HEARD, window=HEARD_SECONDS)

    async def admits(self, message: Message) -> bool:
        """Whether the sender of this private message has just become the owner."""
        sender = message.from_user
        found = _LINK.fullmatch(message.text or "")
        if found is None or sender is None or self._throttle.excess(sender.id):
            return False
        name = plain(sender.full_name, LONGEST_NAME) or str(sender.id)
        return await self._claim(found["code"], sender.id, name)
