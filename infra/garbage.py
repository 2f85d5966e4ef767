"""Keeps the garbage collector from stalling the loop over the history that stays for good."""

import gc
from collections.abc import Callable

from core.clock import Clock

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 60.0


async def collect_after_loading(loaded: Callable[[], bool], wall: Clock) -> None:
    """No collection while the history loads; what is there then is exempt from later ones.

    A full collection over 70,000 bars takes a third of a second, and there would be several.
    """
    gc.disable()
    try:
        deadline = wall.monotonic() + PATIENCE_SECONDS
        while not loaded() and wall.monotonic() < deadline:
            await wall.sleep(LOOK_SECONDS)
    finally:
        gc.freeze()
        gc.enable()
