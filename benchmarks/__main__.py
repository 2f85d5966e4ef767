"""`python -m benchmarks NAME [--json]`: a short table, then one line of JSON."""

import argparse
import json
import sys
from collections.abc import Callable

from benchmarks import chart, startup, tap
from benchmarks.report import Report

BENCHMARKS: dict[str, Callable[[], Report]] = {
    "chart": chart.run,
    "startup": startup.run,
    "tap": tap.run,
}


def main(arguments: list[str]) -> None:
    """Run the named benchmark and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args(arguments)
    report = BENCHMARKS[options.name]()
    if not options.json:
        sys.stdout.write(_table(report))
    sys.stdout.write(json.dumps({"benchmark": options.name, **report.figures}) + "\n")


def _table(report: Report) -> str:
    width = max(len(what) for what, _ in report.rows)
    lines = [report.title, *(f"  {what:<{width}}  {amount}" for what, amount in report.rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
