"""Keeps a pairing code on offer while the desk has no owner, and judges who shows one."""

import logging
from datetime import timedelta
from typing import NoReturn, Protocol

from core.clock import Clock
from core.ids import TokenSource
from core.model.pairing import (
    CODE_BYTES,
    CODE_LIFETIME,
    PairingOffer,
    PairingResult,
    PairingTry,
    hash_of,
)
from core.ports.journal import PairingStore

log = logging.getLogger(__name__)


class PairingTerminal(Protocol):
    """The person at the terminal; the only place where a code is ever seen."""

    def show(self, code: str, lifetime_minutes: int) -> None:
        """Show a fresh code; an earlier one no longer pairs."""
        ...

    def paired(self, name: str) -> None:
        """Tell who is the owner now (`name` is one plain line)."""
        ...


class PairingDesk:
    """Offers codes and takes tries; nobody can pair before `open`."""

    def __init__(
        self, *, store: PairingStore, tokens: TokenSource, wall: Clock, terminal: PairingTerminal
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._wall = wall
        self._terminal = terminal
        self._offer: PairingOffer | None = None

    async def open(self) -> bool:
        """Offer a fresh code and show it; False when there is an owner already."""
        code = self._tokens.token(CODE_BYTES)
        now = self._wall.utc_now()
        offer = PairingOffer(
            code_hash=hash_of(code), created_at=now, expires_at=now + CODE_LIFETIME
        )
        offered = await self._store.offer(offer)
        self._offer = offer if offered else None
        if offered:
            self._terminal.show(code, CODE_LIFETIME // timedelta(minutes=1))
        return offered

    async def run(self) -> NoReturn:
        """Replace each code that runs out, until somebody has paired."""
        while True:
            await self._wall.sleep(self._seconds_left())
            if self._offer is not None and self._wall.utc_now() >= self._offer.expires_at:
                await self.open()

    async def claim(self, code: str, user_id: int, name: str) -> bool:
        """Whether this person is the owner now. A spent code is replaced at once."""
        if self._offer is None:
            return False
        now = self._wall.utc_now()
        tried = PairingTry(code_hash=hash_of(code), user_id=user_id, name=name, at=now)
        result = await self._store.claim(tried)
        log.info("pairing tried", extra={"result": result.value, "user_id": user_id})
        if result in (PairingResult.PAIRED, PairingResult.OWNED):
            self._offer = None
        elif result is PairingResult.EXHAUSTED:
            await self.open()
        if result is PairingResult.PAIRED:
            self._terminal.paired(name)
        return result is PairingResult.PAIRED

    def _seconds_left(self) -> float:
        if self._offer is None:
            return CODE_LIFETIME.total_seconds()
        left = (self._offer.expires_at - self._wall.utc_now()).total_seconds()
        return min(max(left, 1.0), CODE_LIFETIME.total_seconds())
