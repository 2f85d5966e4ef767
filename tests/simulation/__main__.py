"""`python -m tests.simulation --seed N [--runs K] [--mutant NAME]`: exit 1 on a violation.

With a mutant it is the other way round: exit 1 when the checker did not catch it.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.simulation.mutants import Mutant
from tests.simulation.scenario import Result, run_seed


def main() -> int:
    """Run the seeds and print runs, violations and the 95 % bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--runs", type=int, default=1, help="how many seeds")
    parser.add_argument("--mutant", type=Mutant, choices=list(Mutant), default=None)
    words = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.perf_counter()
    violating = 0
    fired: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(words.seed, words.seed + words.runs):
            result = run_seed(seed, Path(folder), words.mutant)
            fired.update(result.fired)
            violating += bool(result.violations)
            _tell(result)
            if words.mutant is not None and result.violations:
                break
    print(f"fired: {dict(fired)}")  # noqa: T201
    bound = f"95 % bound {3 / words.runs:.2e}" if not violating else "bound broken"
    print(  # noqa: T201
        f"{words.runs} runs, {violating} with violations, {bound},"
        f" {time.perf_counter() - started:.1f} s"
    )
    return int(bool(violating) == (words.mutant is None))


def _tell(result: Result) -> None:
    for line in result.violations:
        print(f"seed {result.seed}: {line}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
