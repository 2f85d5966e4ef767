"""What was acknowledged is there after SIGKILL, at whatever moment it struck."""

import subprocess
import sys
from pathlib import Path

import pytest

from db.connection import Journal
from tests.support.clock import ManualClock

CHILD = """
import asyncio, sys
from pathlib import Path
from db.connection import Journal
from tests.support.clock import START, ManualClock

async def main() -> None:
    async with Journal.open(Path(sys.argv[1]), "sandbox", ManualClock()) as journal:
        number = int(sys.argv[2])
        while True:
            await journal.settings.put(f"row-{number}", "x", START)
            print(number, flush=True)
            number += 1

asyncio.run(main())
"""


def acknowledged_until_killed(path: Path, first: int, rows: int) -> list[int]:
    """Run a child that commits and acknowledges rows; kill it after about `rows` of them."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as child:
        assert child.stdout is not None
        seen = [int(child.stdout.readline()) for _ in range(rows)]
        child.kill()
        seen += [int(line) for line in child.stdout.read().splitlines() if line]
    return seen


@pytest.mark.parametrize("kills", [5])
async def test_acknowledged_rows_survive_five_kills(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "journal.sqlite"
    acknowledged: list[int] = []
    for kill in range(kills):
        acknowledged += acknowledged_until_killed(path, 100_000 * kill, 3 + 7 * kill)
    async with Journal.open(path, "sandbox", ManualClock()) as journal:
        rows = await journal.database.fetch_all("SELECT name FROM settings")
        stored = {row["name"] for row in rows}
        trail = await journal.database.fetch_all("SELECT subject FROM audit")
    assert {f"row-{number}" for number in acknowledged} <= stored
    assert len(acknowledged) >= 3 + 10 + 17 + 24 + 31
    assert {row["subject"] for row in trail} == {f"setting:{name}" for name in stored}
