"""The house rules that a tool does not already enforce."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "core", "db", "handlers", "infra")
LONGEST_FILE = 300
LONGEST_FUNCTION = 45
SYSTEM_CLOCK = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now",
    "datetime.datetime.utcnow", "datetime.date.today", "time.time", "time.time_ns",
}  # fmt: skip
CLOCK_READER = "infra/live_clock.py"
EXACT_TYPES_ONLY = ("core/model/values.py", "core/model/order.py")

Functions = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources() -> dict[str, ast.Module]:
    """The syntax tree of every file of the application, by its path from the root."""
    files = [
        *ROOT.glob("*.py"),
        *(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")),
    ]
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in files
    }


def functions(tree: ast.Module) -> Iterator[Functions]:
    return (node for node in ast.walk(tree) if isinstance(node, Functions))


def calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_there_is_something_to_check() -> None:
    assert {"run.py", "core/clock.py", CLOCK_READER, *EXACT_TYPES_ONLY} <= set(sources())


def test_files_are_short() -> None:
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in sources()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{name}:{function.lineno} {function.name}": (function.end_lineno or 0)
        - function.lineno
        + 1
        for name, tree in sources().items()
        for function in functions(tree)
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_every_module_says_what_it_is_and_packages_are_empty() -> None:
    silent = [
        name
        for name, tree in sources().items()
        if (bool(tree.body) if name.endswith("__init__.py") else not ast.get_docstring(tree))
    ]
    assert silent == []


def test_only_the_live_clock_reads_the_system_clock() -> None:
    found = [
        f"{name}:{line} {call}"
        for name, tree in sources().items()
        if name != CLOCK_READER
        for line, call in calls(tree)
        if call in SYSTEM_CLOCK
    ]
    assert found == []


def test_the_core_does_not_import_the_system_clock() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in sources().items()
        if name.startswith("core/")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(alias.name == "time" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "time")
    ]
    assert found == []


@pytest.mark.parametrize("name", EXACT_TYPES_ONLY)
def test_order_values_are_never_floats(name: str) -> None:
    annotations = [
        node.annotation
        for node in ast.walk(sources()[name])
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None
    ]
    annotations += [f.returns for f in functions(sources()[name]) if f.returns is not None]
    assert [ast.unparse(a) for a in annotations if "float" in ast.unparse(a)] == []
