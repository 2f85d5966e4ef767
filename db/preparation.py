"""Before a journal is used: make it, check it, migrate it. Blocking; runs before anything else.

A new journal is built under another name and moved into place, so that a journal is either whole
or not there; an empty file under its name is therefore damage, never a first start.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import EnvironmentMismatchError, JournalError, SchemaTooNewError
from db.columns import micros
from db.database import plain_errors

MIGRATIONS = Path(__file__).with_name("migrations")
APPLICATION_ID = int.from_bytes(b"TAPE", "big")
"""Written into the file's header by the first migration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered step of the schema."""

    version: int
    name: str
    script: str


def migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """All steps in order, from files named NNN_name.sql."""
    return tuple(
        Migration(
            version=int(file.name[:3]), name=file.stem, script=file.read_text(encoding="utf-8")
        )
        for file in sorted(folder.glob("[0-9][0-9][0-9]_*.sql"))
    )


def prepare(
    path: Path, environment: str, now: datetime, steps: tuple[Migration, ...] | None = None
) -> None:
    """Leave a sound journal of the newest schema and of `environment` at `path`.

    Raises SchemaTooNewError, EnvironmentMismatchError or JournalError; then nothing was changed.
    """
    steps = migrations() if steps is None else steps
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with plain_errors():
            if _is_new(path):
                _create(path, environment, now, steps)
            else:
                _check_and_migrate(path, environment, now, steps)
    except OSError as e:
        raise JournalError(
            f"The journal {path} cannot be used: {e.strerror or e}. "
            "Check the folder's permissions and free space."
        ) from e


def _is_new(path: Path) -> bool:
    log = _with_suffix(path, "-wal")
    if path.exists():
        if path.stat().st_size == 0:
            raise JournalError(
                f"The journal {path} is empty, so its contents were lost. Restore the latest "
                "backup, or delete the file to start a new journal."
            )
        return False
    if log.exists() and log.stat().st_size > 0:
        raise JournalError(
            f"The journal {path} is missing but its log {log.name} is there. Put the journal back, "
            "or delete the log to start a new journal."
        )
    return True


def _create(path: Path, environment: str, now: datetime, steps: tuple[Migration, ...]) -> None:
    draft = _with_suffix(path, ".new")
    for leftover in (draft, _with_suffix(draft, "-wal"), _with_suffix(draft, "-shm")):
        leftover.unlink(missing_ok=True)
    with closing(_connect(draft)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        _migrate(connection, steps, now)
        connection.execute("INSERT INTO environment VALUES (1, ?, ?)", (environment, micros(now)))
    draft.replace(path)


def _check_and_migrate(
    path: Path, environment: str, now: datetime, steps: tuple[Migration, ...]
) -> None:
    with closing(_connect(path)) as connection:
        version = check_journal(connection, path, environment, steps[-1].version)
        waiting = tuple(step for step in steps if step.version > version)
        if waiting:
            _back_up(connection, path, version, now)
            _migrate(connection, waiting, now)
        connection.execute("PRAGMA journal_mode = WAL")


def check_journal(connection: sqlite3.Connection, path: Path, environment: str, newest: int) -> int:
    """The schema version of a sound journal of `environment`; reads only, raises JournalError."""
    _check_identity(connection, path)
    version = _pragma(connection, "user_version")
    if version > newest:
        raise SchemaTooNewError(
            f"The journal {path} has schema {version}, written by a newer Tapedesk; this one "
            f"knows up to {newest}. Update Tapedesk; the journal was not touched."
        )
    _check_environment(connection, path, environment)
    _check_integrity(connection, path)
    return version


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _check_identity(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise JournalError(
            f"{path} is a database but not a journal of Tapedesk. Choose another home folder; "
            "the file was not touched."
        )


def _check_environment(connection: sqlite3.Connection, path: Path, environment: str) -> None:
    (name,) = connection.execute("SELECT name FROM environment").fetchone()
    if name != environment:
        raise EnvironmentMismatchError(
            f"The journal {path} belongs to the environment '{name}', this desk runs as "
            f"'{environment}'. Environments never mix: use the home of '{environment}'."
        )


def _check_integrity(connection: sqlite3.Connection, path: Path) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise JournalError(
            f"The journal {path} is damaged ({verdict}). Keep the file aside and restore the "
            "latest backup."
        )


def _back_up(connection: sqlite3.Connection, path: Path, version: int, now: datetime) -> None:
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    copy = path.with_name(f"{path.name}.schema-{version:03d}.{stamp}.backup")
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)


def _migrate(connection: sqlite3.Connection, steps: tuple[Migration, ...], now: datetime) -> None:
    """Each step is one transaction; the script carries its own BEGIN and COMMIT."""
    for step in steps:
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{step.script}\n"
                f"INSERT INTO schema_migrations "
                f"VALUES ({step.version}, '{step.name}', {micros(now)});\n"
                f"PRAGMA user_version = {step.version};\nCOMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
