"""One desk per environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StartupRefusedError
from infra.instance_lock import instance_lock

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import multiprocessing, sys, time
from pathlib import Path
from infra.instance_lock import instance_lock
with instance_lock(Path(sys.argv[1])):
    if "fork" in sys.argv:
        multiprocessing.get_context("fork").Process(target=time.sleep, args=(5,)).start()
    print("held", flush=True)
    sys.stdin.read()
"""


def start_holder(path: Path, *words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_desk_is_refused_and_told_who_holds_the_place(tmp_path: Path) -> None:
    path = tmp_path / "desk.lock"
    holder = start_holder(path)
    with pytest.raises(StartupRefusedError) as refused, instance_lock(path):
        pass
    assert f"process {holder.pid}" in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    holder.communicate("")
    with instance_lock(path):
        assert path.exists()


def test_a_killed_desk_leaves_the_place_free(tmp_path: Path) -> None:
    path = tmp_path / "desk.lock"
    holder = start_holder(path)
    holder.kill()
    holder.communicate()
    with instance_lock(path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_worker_that_outlives_a_killed_desk_does_not_keep_the_place(tmp_path: Path) -> None:
    path = tmp_path / "desk.lock"
    holder = start_holder(path, "fork")
    holder.kill()
    holder.wait()
    with instance_lock(path):
        pass


def test_the_place_is_free_again_after_an_error_inside(tmp_path: Path) -> None:
    path = tmp_path / "desk.lock"
    with pytest.raises(ZeroDivisionError), instance_lock(path):
        raise ZeroDivisionError
    start_holder(path).communicate("")


def test_a_lock_that_cannot_be_opened_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StartupRefusedError, match="cannot be opened"), instance_lock(tmp_path):
        pass
