"""Reads the journal and the venue's own record and says which invariant is broken."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from tests.simulation.broker_model import BrokerRecord


def check_always(journal: Path, record: BrokerRecord) -> list[str]:
    """What must hold at every moment: I1 (at most once), I3 (stop in the request), I7, I11."""
    broken = []
    entries = Counter(approved.intent.signal_id for approved in record.entries)
    broken += [f"I1: signal {s} has {n} entries" for s, n in entries.items() if n > 1]
    broken += [f"I3: {p.id} has no stop" for p in record.positions.values() if p.stop is None]
    known = {row[0] for row in _rows(journal, "SELECT id FROM order_intents")}
    broken += [
        f"I7: {a.intent.id} reached the venue without a committed intent"
        for a in record.entries
        if a.intent.id not in known
    ]
    wins = _rows(journal, "SELECT signal_id, count(*) FROM taps WHERE won GROUP BY signal_id, rev")
    broken += [f"I11: signal {s}: {n} taps won one revision" for s, n in wins if n > 1]
    return broken


def check_settled(journal: Path, record: BrokerRecord) -> list[str]:
    """What must hold once faults have stopped: nothing undecided, journal = venue, told = true."""
    broken = []
    open_intents = _rows(
        journal, "SELECT id, state FROM order_intents WHERE state IN ('committed', 'unknown')"
    )
    broken += [f"I12: intent {i} is still {state}" for i, state in open_intents]
    stuck = _rows(journal, "SELECT id, state FROM signals WHERE state IN ('executing', 'unknown')")
    broken += [f"I12: signal {i} is still {state}" for i, state in stuck]
    ours = {
        row[0]: row[1]
        for row in _rows(
            journal, "SELECT venue_position_id, quantity FROM positions WHERE state <> 'closed'"
        )
    }
    theirs = {p.id: str(p.quantity) for p in record.positions.values()}
    if ours != theirs:
        broken.append(f"I2: journal {ours}, venue {theirs}")
    entries = {a.intent.signal_id for a in record.entries}
    executed = {r[0] for r in _rows(journal, "SELECT id FROM signals WHERE state = 'executed'")}
    broken += [f"I1: signal {s} says executed, the venue has no entry" for s in executed - entries]
    broken += [f"I2: signal {s} has an entry but is not executed" for s in entries - executed]
    profits = _rows(
        journal, "SELECT id FROM positions WHERE state = 'closed' AND profit_cents IS NULL"
    )
    broken += [f"I2: position {row[0]} closed without a deal" for row in profits]
    return broken


def _rows(journal: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{journal.as_posix()}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
