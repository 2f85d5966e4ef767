"""Ctrl-C and friends, on every system: the first asks the desk to stop, more change nothing."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")


def on_stop_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Call `stop` in the loop at each signal; signals a system does not have are left out."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    for name in NAMES:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, handle)
