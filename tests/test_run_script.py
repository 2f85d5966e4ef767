"""`run.py` for real, in a small copy of the tree: an empty lock and a stand-in for the desk."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra import virtual_env

ROOT = Path(__file__).resolve().parents[1]
SETUP_FILES = ("run.py", "infra/__init__.py", "infra/virtual_env.py", "infra/command_line.py")
DESK = """
import os, signal, sys, time
interrupts = []
signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(44))
print("desk", sys.argv[1:], sys.flags.utf8_mode, "café", os.path.basename(sys.prefix))
if "wait" in sys.argv:
    end = time.monotonic() + 20
    while not interrupts and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    print("interrupts", len(interrupts))
sys.exit(7)
"""
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX matter")


class Tree:
    """A copy of the project's start-up files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in SETUP_FILES:
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        (root / "tests").mkdir()
        (root / "bot_main.py").write_text(DESK, encoding="utf-8")
        for lock in ("requirements.txt", "tests/requirements.txt"):
            (root / lock).write_text("", encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        """How a person starts it."""
        return [sys.executable, str(self.root / "run.py"), *words]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Start it and wait for the end."""
        return subprocess.run(
            self.command(*words),
            env={**os.environ, **environment},
            cwd=self.root.parent,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it in a session of its own and wait until the desk speaks."""
        process = subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith("desk")
        return process


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A tree whose first start was cut off and whose second one, here, mended that."""
    tree = Tree(tmp_path_factory.mktemp("tapedesk"))
    half_made = tree.root / ".venv" / "lib"
    half_made.mkdir(parents=True)
    (half_made.parent / "tapedesk-stamp.json").write_text("{half", encoding="utf-8")
    first = tree.run("--seed", "3")
    assert first.returncode == 7, first.stderr
    assert "Setting up" in first.stdout
    assert "Making it with Python" in first.stdout
    assert "desk ['--seed', '3'] 1 café .venv" in first.stdout
    return tree


@pytest.mark.parametrize("name", ["run.py", "infra/virtual_env.py", "infra/__init__.py"])
def test_an_old_python_can_read_the_start_up_files(name: str) -> None:
    ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 6))


def test_a_second_start_installs_nothing_and_hands_on_words_and_exit_code(ready: Tree) -> None:
    again = ready.run("desk", "--home", "a b")
    assert again.returncode == 7
    assert again.stdout.splitlines() == ["desk ['desk', '--home', 'a b'] 1 café .venv"]


def test_a_changed_lock_file_is_installed(ready: Tree) -> None:
    (ready.root / "requirements.txt").write_text("# changed\n", encoding="utf-8")
    assert "Setting up" in ready.run().stdout
    assert "Setting up" not in ready.run().stdout


def test_the_test_set_serves_the_desk_too(ready: Tree) -> None:
    failed = ready.run("test")
    assert "=== ruff format --check ." in failed.stdout
    assert "FAILED at: ruff format --check ." in failed.stdout
    assert "mypy" not in failed.stdout
    assert failed.returncode != 0
    assert "Setting up" not in ready.run().stdout
    assert "Setting up" not in ready.run("test").stdout


def test_help_needs_no_environment(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    shown = tree.run("desk", "--help")
    assert shown.returncode == 0
    assert "python run.py test" in shown.stdout
    assert "--market KIND" in shown.stdout
    assert not (tmp_path / ".venv").exists()


def test_no_network_is_explained(ready: Tree) -> None:
    lock = ready.root / "requirements.txt"
    before = lock.read_text(encoding="utf-8")
    lock.write_text(f"absent==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    offline = ready.run(PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0", PIP_NO_CACHE_DIR="1")
    lock.write_text(before, encoding="utf-8")
    assert ready.run().returncode == 7
    assert offline.returncode == 1
    assert "Is this computer connected to the internet?" in offline.stderr
    assert "Traceback" not in offline.stderr


def test_a_file_in_the_place_of_the_environment_is_explained(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tmp_path / ".venv").write_text("", encoding="utf-8")
    refused = tree.run()
    assert refused.returncode == 1
    assert str(tmp_path / ".venv") in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unsupported_python_hands_over_to_a_supported_one(ready: Tree) -> None:
    if shutil.which("python{}.{}".format(*sys.version_info)) is None:
        pytest.skip("this Python is not on PATH under its own name")
    (ready.root / ".venv" / "tapedesk-stamp.json").unlink()
    pretend = (
        "import runpy, sys; sys.version_info = (3, 8, 1, 'final', 0); script = sys.argv[1];"
        "sys.path.insert(0, sys.argv[2]); sys.argv = [script, 'x'];"
        "runpy.run_path(script, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend, str(ready.root / "run.py"), str(ready.root)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("Using Python 3.1")
    assert "desk ['x']" in done.stdout
    assert done.returncode == 7


def test_without_any_supported_python_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(virtual_env.SetupError, match=r"3\.11 to 3\.14; this is cpython 3\.9"):
        virtual_env.find_python()


def test_a_missing_venv_module_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(virtual_env.SetupError, match=r"sudo apt install python3\.\d+-venv"):
        virtual_env.find_python()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError ... No matching distribution found", "internet"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the package that was pinned"),
        ("ERROR: No matching distribution found for x", "has no build"),
        ("something new", "something new"),
    ],
)
def test_install_failures_are_explained(output: str, said: str) -> None:
    assert said in virtual_env.explain_install(output)


@posix_only
def test_a_stop_signal_reaches_the_desk(ready: Tree) -> None:
    process = ready.start("wait")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 44


@posix_only
def test_an_interrupt_of_the_wrapper_alone_reaches_the_desk_once(ready: Tree) -> None:
    process = ready.start("wait")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=10)
    assert said == "interrupts 1\n"
    assert process.returncode == 7


@posix_only
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_in_a_terminal_reaches_the_desk_and_the_wrapper_waits(
    ready: Tree, presses: int
) -> None:
    master, slave = os.openpty()
    own_terminal = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", own_terminal, *ready.command("wait")],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    said = os.read(master, 1000)
    while b"caf" not in said:
        said += os.read(master, 1000)
    for _ in range(presses):
        os.write(master, b"\x03")
        time.sleep(0.1)
    assert process.wait(10) == 7
    assert f"interrupts {presses}".encode() in os.read(master, 1000)
    os.close(master)
