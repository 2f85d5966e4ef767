"""Wakes everybody who waits, once."""

import asyncio


class Bell:
    """Check your condition, then `wait`, and check again: nothing is missed in between."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Until the next ring."""
        await self._event.wait()
