"""Where one environment of the desk keeps its files; environments never share a folder."""

import errno
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from core.errors import InvalidValueError, StartupRefusedError

ENVIRONMENT = re.compile(r"sandbox|paper|live-[A-Za-z0-9_-]{1,64}")
PROBE = b"Tapedesk may write here.\n"
PRIVATE = 0o700
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
OCCUPIED = {errno.EEXIST, errno.ENOTDIR}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskHome:
    """The files of one environment: `sandbox`, `paper` or `live-<account>`."""

    environment: str
    folder: Path
    """`<root>/<environment>`."""

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / "journal.sqlite3"

    @property
    def paper_record(self) -> Path:
        """The paper venue's own record."""
        return self.folder / "paper.sqlite3"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.folder / "logs"

    @property
    def sandbox(self) -> Path:
        """Folder of the sandbox's own state."""
        return self.folder / "sandbox"

    @property
    def lock(self) -> Path:
        """The file a running desk holds locked."""
        return self.folder / "desk.lock"

    @classmethod
    def prepare(cls, root: Path, environment: str) -> Self:
        """Make the folders (private on POSIX) and prove them writable.

        Raises InvalidValueError for an unknown environment, StartupRefusedError when the folders
        cannot be used.
        """
        if not ENVIRONMENT.fullmatch(environment):
            raise InvalidValueError(f"not an environment: {environment!r}")
        base = root.absolute()
        home = cls(environment=environment, folder=base / environment)
        for folder in (base, home.folder, home.logs, home.sandbox):
            _make(folder)
        _prove_writable(home.folder)
        return home


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except OSError as error:
        raise StartupRefusedError(_explain(folder, error)) from error


def _prove_writable(folder: Path) -> None:
    probe = folder / "write-probe.tmp"
    try:
        probe.write_bytes(PROBE)
        probe.unlink()
    except OSError as error:
        raise StartupRefusedError(_explain(folder, error)) from error


def _explain(folder: Path, error: OSError) -> str:
    where = f"The desk cannot keep its files in {folder}"
    if error.errno in FULL:
        return f"{where}: the disk is full. Free some space and start again."
    if error.errno in OCCUPIED:
        return f"{where}: a file stands where a folder is needed. Move it, or choose --home DIR."
    reason = (error.strerror or "it cannot be written").lower()
    return f"{where}: {reason}. Make the folder writable, or choose another with --home DIR."
