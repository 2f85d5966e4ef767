"""What can be checked on this computer alone. Blocking; nothing is changed."""

import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from core.errors import JournalError
from infra.doctor.finding import Finding, failure, good, warning
from infra.virtual_env import LOCKS, SUPPORTED

InspectJournal = Callable[[Path, str], str]
"""(file, environment) -> what is good about it; raises JournalError."""

MEGABYTE = 1_000_000
LEAST_FREE = 100 * MEGABYTE
LITTLE_FREE = 1_000 * MEGABYTE
# Lines with a condition are left out: the environment's installer has judged those.
PINNED = re.compile(r"(?m)^([A-Za-z0-9._-]+)==(\S+)(?: \\)?$")


def check_python() -> Finding:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in SUPPORTED:
        return good("python", version)
    return failure("python", f"{version} is not supported; install Python 3.13 and run run.py")


def check_packages() -> Finding:
    """Whether the installed packages are the pinned ones."""
    try:
        pinned = PINNED.findall(Path(LOCKS["desk"]).read_text(encoding="utf-8"))
    except OSError as e:
        return failure("packages", f"requirements.txt cannot be read ({e.strerror})")
    wrong = [name for name, version in pinned if _installed(name) != version]
    if not wrong:
        return good("packages", f"{len(pinned)} installed as pinned")
    names = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if wrong[5:] else "")
    advice = "delete the folder .venv and start run.py again"
    return failure("packages", f"missing or another version: {names}; {advice}")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_folder(folder: Path) -> Iterator[Finding]:
    """Whether the desk can keep its files there, and how much room there is."""
    standing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        if not standing.is_dir():
            raise NotADirectoryError(0, f"{standing} is a file")
        with tempfile.TemporaryFile(dir=standing):
            pass
    except OSError as e:
        advice = "make it writable or choose another with --home DIR"
        yield failure("folder", f"{folder} cannot be written ({e.strerror}); {advice}")
        return
    made = "writable" if standing == folder else "will be made"
    yield good("folder", f"{folder} ({made})")
    yield _check_room(shutil.disk_usage(standing).free)


def _check_room(free: int) -> Finding:
    text = f"{free / MEGABYTE:,.0f} MB free"
    if free < LEAST_FREE:
        return failure("disk", f"{text}; the journal must be able to grow: free some space")
    if free < LITTLE_FREE:
        return warning("disk", f"{text}; free some space soon")
    return good("disk", text)


def check_journal_file(path: Path, environment: str, inspect: InspectJournal) -> Finding:
    """Schema, environment and integrity."""
    try:
        return good("journal", inspect(path, environment))
    except JournalError as e:
        return failure("journal", str(e))
    except OSError as e:
        return failure("journal", f"{path} cannot be read ({e.strerror}); check its permissions")


def check_port(port: int) -> Finding:
    """Whether the chat page's port is free; 0 takes any."""
    if port == 0:
        return good("port", "any free one")
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere this option would allow a taken port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as e:
            reason = (e.strerror or "in use").lower()
            advice = "a desk that runs already, or another program: choose another with --port N"
            return warning("port", f"{port} is taken ({reason}) by {advice}")
    return good("port", f"{port} is free")
