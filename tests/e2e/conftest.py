"""A desk per test, ended in any case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk_process import DeskProcess, has_button


@pytest.fixture(scope="module")
def asked_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    """One running desk for the tests of a module that only ask; its owner has said /start."""
    home = tmp_path_factory.mktemp("asked") / "home"
    home.mkdir()
    process = DeskProcess(home)
    process.start()
    process.say("/start")
    process.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
    yield process
    process.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    """A fresh desk home; the test starts the process."""
    home = tmp_path / "home"
    home.mkdir()
    process = DeskProcess(home)
    yield process
    process.close()
