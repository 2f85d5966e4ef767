"""Arms one kill point of the sandbox from the environment, for tests that kill the real process."""

import os
import signal
from collections.abc import Mapping

from core.ports.outside import Reached, not_armed

VARIABLE = "DESK_KILL_AT"
"""`name` or `name:3` (the third time it is reached)."""
KILLED_EXIT = 137


def armed_kill_point(env: Mapping[str, str]) -> Reached:
    """The hook to pass around: a no-op unless the variable is set."""
    wish = env.get(VARIABLE, "")
    if not wish:
        return not_armed
    wanted, _, count = wish.partition(":")
    left = int(count or 1)

    def reached(name: str) -> None:
        nonlocal left
        if name != wanted:
            return
        left -= 1
        if left == 0:
            _die()

    return reached


def _die() -> None:
    """End at once, as a crash would: no clean-up of any kind."""
    kill = getattr(signal, "SIGKILL", None)
    if kill is not None:
        os.kill(os.getpid(), kill)
    os._exit(KILLED_EXIT)
