"""One desk per environment: a file lock that the operating system drops when its holder dies."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from core.errors import StartupRefusedError

if sys.platform == "win32":
    import msvcrt

    # Windows refuses reads of a locked byte, so the lock sits far behind the process number.
    LOCKED_BYTE = 1 << 20

    def _lock(file: FileIO) -> None:
        file.seek(LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: FileIO) -> None:
        file.seek(LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    # A record lock, not flock: forked worker processes that outlive the desk must not keep it.
    def _lock(file: FileIO) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: FileIO) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN)


HELD_ELSEWHERE = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


@contextmanager
def instance_lock(path: Path) -> Iterator[None]:
    """Hold `path` locked for the length of the block.

    Raises StartupRefusedError when another process holds it; the message names that process.
    """
    with _open(path) as file:
        try:
            _lock(file)
        except OSError as error:
            raise StartupRefusedError(_explain(file, path, error)) from error
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        try:
            yield
        finally:
            _unlock(file)


def _open(path: Path) -> FileIO:
    try:
        return path.open("a+b", buffering=0)
    except OSError as error:
        raise StartupRefusedError(f"The lock file {path} cannot be opened: {error}.") from error


def _explain(file: FileIO, path: Path, error: OSError) -> str:
    if error.errno not in HELD_ELSEWHERE:
        return f"The lock file {path} cannot be locked ({error}). Choose another --home DIR."
    file.seek(0)
    number = file.read(20).decode("ascii", "replace").strip() or "unknown"
    return (
        f"Another desk (process {number}) already runs with {path.parent}. "
        "Stop that one first, or start this one with another --home DIR."
    )
