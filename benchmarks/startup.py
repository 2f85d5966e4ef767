"""`python run.py` on a ready environment: until the bot answers, until the first card."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.report import Report
from tests.e2e.desk_process import DeskProcess, has_button

ROUNDS = 3


def run() -> Report:
    """Warm starts of a new desk and of one that has run before; medians of wall time."""
    first, restarts, ready = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            home = Path(folder) / f"home{number}"
            home.mkdir()
            desk = DeskProcess(home, through_run_script=True)
            try:
                ready.append(desk.start())
                first.append(ready[-1] + _first_card(desk))
                desk.kill()
                restarts.append(desk.start())
            finally:
                desk.close()
    figures = {
        "warm_s": round(statistics.median(first), 2),
        "ready_s": round(statistics.median(ready), 2),
        "after_kill_s": round(statistics.median(restarts), 2),
    }
    return Report(
        title=f"startup: python run.py on a ready environment, median of {ROUNDS}",
        rows=(
            ("bot answers", f"{figures['ready_s']:.2f} s"),
            ("first practice card", f"{figures['warm_s']:.2f} s"),
            ("bot answers after SIGKILL", f"{figures['after_kill_s']:.2f} s"),
        ),
        figures=figures,
    )


def _first_card(desk: DeskProcess) -> float:
    began = time.monotonic()
    desk.say("/start")
    desk.see(lambda m: has_button(m, "✅ Execute"), "the practice card")
    return time.monotonic() - began
