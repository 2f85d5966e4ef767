"""`python -m tests.e2e.crashes --kills N [--seed S]`: the real desk, killed again and again.

One home lives through all kills: at named kill points, at random moments and by SIGTERM, while an
owner takes cards, taps twice and closes. After each restart the journal, the venue's own record and
the chat must tell one story. Exit 1 on a violation.
"""

import argparse
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.desk_process import DeskProcess, data_of, has_button

KILL_POINTS = (
    "tap.received",
    "signal.claimed",
    "risk.approved",
    "intent.committed",
    "order.answered",
    "outcome.committed",
    "close.claimed",
    "close.intent.committed",
    "close.answered",
    "close.committed",
)
GENEROUS = {
    "RISK__ENTRIES_PER_INSTRUMENT_HOUR": "60",
    "RISK__ENTRIES_PER_DAY": "500",
    "RISK__ORDERS_PER_MINUTE": "60",
}
LIFE_SECONDS = 5.0
PROGRESS_EVERY = 10
STOP_SHARE = 0.2
SETTLE_SECONDS = 20.0


@dataclass(slots=True)
class Tally:
    """What the run showed."""

    kills: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    entries: int = 0

    def report(self) -> str:
        """For people."""
        kills = sum(self.kills.values())
        recovery = sorted(self.recovery) or [0.0]
        bound = f"{3 / kills:.1e}" if kills and not self.violations else "broken"
        return "\n".join(
            [
                *self.violations,
                f"kills: {dict(self.kills)}",
                f"{kills} kills, {len(self.violations)} violations, 95 % bound {bound},"
                f" {self.entries} entries at the venue",
                f"recovery after imports: p50 {statistics.median(recovery):.2f} s,"
                f" max {recovery[-1]:.2f} s",
            ]
        )


def run(kills: int, seed: int, folder: Path) -> Tally:
    """Kill a desk `kills` times and check after every restart."""
    dice, tally = random.Random(seed), Tally()
    home = folder / "home"
    home.mkdir()
    desk = DeskProcess(home, env=GENEROUS)
    try:
        desk.start()
        desk.say("/start")
        desk.see(lambda m: has_button(m, "▶ Practise"), "the first analysis")
        desk.kill()
        while sum(tally.kills.values()) < kills:
            _one_life(desk, dice, tally)
            if not sum(tally.kills.values()) % PROGRESS_EVERY:
                sys.stdout.write(tally.report() + "\n")
                sys.stdout.flush()
        desk.start()
        tally.violations += _check(desk)
    finally:
        desk.close()
    return tally


def _one_life(desk: DeskProcess, dice: random.Random, tally: Tally) -> None:
    """Start, check what the last crash left, trade, die."""
    point = dice.choice((None, None, *KILL_POINTS))
    try:
        desk.start(**({} if point is None else {"DESK_KILL_AT": point}))
        found = _check(desk)
        entries = len(_entries(desk))
    except (urllib.error.URLError, ConnectionError, AssertionError, json.JSONDecodeError):
        if point is None or desk.running:
            raise
        tally.kills[f"{point}, while recovering"] += 1  # an old tap came again at once
        return
    tally.violations += found
    tally.recovery.append(_recovery_seconds(desk.home))
    tally.entries = entries
    end = time.monotonic() + (LIFE_SECONDS if point else dice.uniform(0.0, LIFE_SECONDS / 2))
    while time.monotonic() < end and desk.running:
        try:
            _act(desk, dice)
        except (urllib.error.URLError, ConnectionError, AssertionError, json.JSONDecodeError):
            break
    tally.kills[_end(desk, dice, point)] += 1


def _end(desk: DeskProcess, dice: random.Random, point: str | None) -> str:
    """How the life ended."""
    if point is not None:
        with suppress(subprocess.TimeoutExpired):
            desk.wait_dead(0.2)
    if not desk.running:
        return point or "by itself"
    if dice.random() < STOP_SHARE:
        desk.stop()
        return "SIGTERM"
    desk.kill()
    return "random moment"


def _act(desk: DeskProcess, dice: random.Random) -> None:
    """One step of an impatient owner."""
    messages = desk.messages()
    cards = [m for m in messages if has_button(m, "✅ Execute")]
    closable = [m for m in messages if has_button(m, "✖ Close")]
    filled = [m for m in messages if has_button(m, "💼 Position")]
    if cards:
        desk.tap(cards[-1], "✅ Execute", times=dice.choice((1, 2, 3)))
    elif desk.venue()["positions"] and closable and dice.random() < 0.7:
        desk.tap(closable[-1], "✖ Close", times=2)
    elif desk.venue()["positions"] and filled:
        desk.tap(filled[-1], "💼 Position")
    else:
        _ask_for_a_card(desk, messages)
    time.sleep(dice.uniform(0.05, 0.4))


def _ask_for_a_card(desk: DeskProcess, messages: list[dict[str, Any]]) -> None:
    offers = [m for m in messages if has_button(m, "▶ Practise")]
    if offers:
        desk.tap(offers[-1], "▶ Practise")
    else:  # the chat keeps its last 500 messages only
        desk.say("/start")


def _check(desk: DeskProcess) -> list[str]:
    """One entry at most for each signal, protected, journal = venue, no stale Execute button."""
    broken: list[str] = []
    try:
        desk.wait_for(lambda: _settled(desk), SETTLE_SECONDS, "a settled desk")
    except AssertionError as e:
        if not desk.running:
            raise
        broken.append(f"not settled: {str(e)[:400]}")
    entries = Counter(_entries(desk))
    broken += [f"{client} was sent {count} times" for client, count in entries.items() if count > 1]
    broken += [f"{p['id']} has no stop" for p in desk.venue()["positions"] if not p["stop"]]
    broken += _stale_cards(desk)
    return broken


def _settled(desk: DeskProcess) -> bool:
    ours = _rows(desk, "SELECT venue_position_id, quantity FROM positions WHERE state <> 'closed'")
    theirs = [(p["id"], p["quantity"]) for p in desk.venue()["positions"]]
    undecided = _rows(
        desk,
        "SELECT id FROM signals WHERE state IN ('executing', 'unknown')"
        " UNION SELECT id FROM order_intents WHERE state IN ('committed', 'unknown')",
    )
    return sorted(map(tuple, ours)) == sorted(theirs) and not undecided


def _stale_cards(desk: DeskProcess) -> list[str]:
    """Cards that still offer Execute although their signal is over."""
    over = {row[0] for row in _rows(desk, "SELECT id FROM signals WHERE state <> 'open'")}

    def stale() -> list[str]:
        return [
            f"card of signal {number} still offers Execute"
            for message in desk.messages()
            if has_button(message, "✅ Execute")
            and (number := int(data_of(message, "✅ Execute").split(":")[2])) in over
        ]

    end = time.monotonic() + SETTLE_SECONDS
    while stale() and time.monotonic() < end:
        time.sleep(0.2)
    return stale()


def _entries(desk: DeskProcess) -> list[str]:
    orders: list[dict[str, Any]] = desk.venue()["orders"]
    return [
        order["client_id"]
        for order in orders
        if "-entry-" in (order["client_id"] or "") and order["state"] == "filled"
    ]


def _rows(desk: DeskProcess, sql: str) -> list[Any]:
    path = desk.home / "sandbox" / "journal.sqlite3"
    with closing(sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True)) as journal:
        return journal.execute(sql).fetchall()


def _recovery_seconds(home: Path) -> float:
    """From the end of the imports to the first poll, by the desk's own log."""
    log = home / "sandbox" / "logs" / "desk.jsonl"
    opened = [line for line in log.read_text("utf-8").splitlines() if '"desk opened"' in line]
    return float(json.loads(opened[-1])["seconds"])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = run(words.kills, words.seed, Path(folder))
    sys.stdout.write(tally.report() + "\n")
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
