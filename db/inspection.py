"""A look at a journal that changes nothing, also while a desk is using it. Blocking."""

import sqlite3
from contextlib import closing
from pathlib import Path

from db.database import plain_errors
from db.preparation import check_journal, migrations


def inspect_journal(path: Path, environment: str) -> str:
    """What is good about the journal at `path`, in one line; raises JournalError if it is not."""
    if not path.exists():
        return "none yet; the first start makes it"
    newest = migrations()[-1].version
    with plain_errors(), closing(_connect(path)) as connection:
        version = check_journal(connection, path, environment, newest)
    if version < newest:
        return f"sound, schema {version}; the next start brings it to {newest}, with a backup"
    return f"sound, schema {version}, environment '{environment}'"


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
