"""Where the desk keeps its files."""

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InvalidValueError, StartupRefusedError
from infra.desk_home import DeskHome

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes and limits")


@pytest.mark.parametrize("environment", ["sandbox", "paper", "live-12345678"])
def test_each_environment_has_a_folder_of_its_own(tmp_path: Path, environment: str) -> None:
    home = DeskHome.prepare(tmp_path / "new" / "desk-home", environment)
    folder = tmp_path / "new" / "desk-home" / environment
    assert home.journal == folder / "journal.sqlite3"
    assert home.paper_record == folder / "paper.sqlite3"
    assert home.logs.is_dir()
    assert home.sandbox.is_dir()
    assert home.lock.parent == folder
    assert sorted(path.name for path in folder.iterdir()) == ["logs", "sandbox"]


def test_preparing_again_keeps_what_is_there(tmp_path: Path) -> None:
    home = DeskHome.prepare(tmp_path, "paper")
    home.journal.write_bytes(b"rows")
    assert DeskHome.prepare(tmp_path, "paper").journal.read_bytes() == b"rows"


@pytest.mark.parametrize("environment", ["", "demo", "live-", "live-../x", "sandbox\n", "LIVE-1"])
def test_unknown_environments_are_refused(tmp_path: Path, environment: str) -> None:
    with pytest.raises(InvalidValueError):
        DeskHome.prepare(tmp_path, environment)
    assert list(tmp_path.iterdir()) == []


@posix_only
def test_new_folders_are_private(tmp_path: Path) -> None:
    home = DeskHome.prepare(tmp_path / "desk-home", "sandbox")
    for folder in (tmp_path / "desk-home", home.folder, home.logs, home.sandbox):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_relative_root_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = DeskHome.prepare(Path("desk-home"), "sandbox")
    monkeypatch.chdir(tmp_path.parent)
    assert home.journal == tmp_path / "desk-home" / "sandbox" / "journal.sqlite3"


@pytest.mark.parametrize("obstacle", ["desk-home", "desk-home/sandbox", "desk-home/sandbox/logs"])
def test_a_file_where_a_folder_should_be_is_explained(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / obstacle
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    with pytest.raises(StartupRefusedError, match="a file stands where a folder is needed"):
        DeskHome.prepare(tmp_path / "desk-home", "sandbox")


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A readable folder, and no superuser powers that would ignore its mode."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)
        folder.chmod(0o755)


@posix_only
def test_a_read_only_folder_is_explained(ordinary_user: Path) -> None:
    with pytest.raises(StartupRefusedError, match=r"permission denied\. Make the folder writable"):
        DeskHome.prepare(ordinary_user, "sandbox")


def test_a_full_disk_is_found_by_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StartupRefusedError, match=r"the disk is full\. Free some space"):
        DeskHome.prepare(tmp_path, "sandbox")
