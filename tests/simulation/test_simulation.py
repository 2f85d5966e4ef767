"""A short slice of the simulation: no violation, same seed same trace, every mutant caught."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.mutants import Mutant
from tests.simulation.scenario import KILL_POINTS, run_seed

WANTED_CRASHES = 3


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of deliberate failures are not news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_invariant_breaks_and_every_fault_happens(tmp_path: Path) -> None:
    fired: Counter[str] = Counter()
    for seed in range(80):
        result = run_seed(seed, tmp_path)
        assert result.violations == (), f"seed {seed}"
        fired.update(result.fired)
        fired["entries"] += result.entries
    for fault in ("reply_lost", "request_lost", "rejected", "query_fails", "crash", "entries"):
        assert fired[fault] > 0, f"{fault} never happened: the run proves nothing about it"


@pytest.mark.parametrize("kill_point", KILL_POINTS)
def test_a_kill_at_each_point_leaves_one_truth(kill_point: str, tmp_path: Path) -> None:
    crashes = 0
    for seed in range(500, 560):
        result = run_seed(seed, tmp_path, kill_point=kill_point)
        assert result.violations == (), f"seed {seed}"
        crashes += result.crashes
        if crashes >= WANTED_CRASHES:
            return
    pytest.fail(f"{kill_point} was reached only {crashes} times")


def test_same_seed_plays_the_same_story(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    traces = {}
    for seed in range(6):
        one, two = run_seed(seed, first), run_seed(seed, second)
        assert one == two
        traces[seed] = one.trace
    assert len(set(traces.values())) == len(traces)


@pytest.mark.parametrize("mutant", list(Mutant))
def test_the_checker_catches_planted_mistakes(mutant: Mutant, tmp_path: Path) -> None:
    assert any(run_seed(seed, tmp_path, mutant).violations for seed in range(150))
