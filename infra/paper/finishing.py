"""Finishing what was begun, even for a caller that no longer waits."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end; a cancellation meanwhile is raised afterwards.

    Between a commit and the memory that follows it nothing may be torn apart.
    """
    running = asyncio.shield(work)
    cancelled = False
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            cancelled = True
    result = running.result()
    if cancelled:
        raise asyncio.CancelledError
    return result
