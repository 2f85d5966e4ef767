"""A tap on the chat page until the order stands in the venue's own record."""

import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.report import Report
from tests.e2e.desk_process import DeskProcess, data_of, has_button

TAPS = 40
GENEROUS = {
    "RISK__ENTRIES_PER_INSTRUMENT_HOUR": "60",
    "RISK__ENTRIES_PER_DAY": "500",
    "RISK__ORDERS_PER_MINUTE": "60",
}


def run() -> Report:
    """Practice cards, executed and closed one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        desk = DeskProcess(home, env=GENEROUS)
        try:
            desk.start()
            desk.say("/start")
            whole = [_one_trade(desk) for _ in range(TAPS)]
        finally:
            desk.close()
        inside = _claim_to_fill(home / "sandbox" / "journal.sqlite3")
    figures = {
        "p50_ms": _ms(whole, 50),
        "p99_ms": _ms(whole, 99),
        "claim_to_fill_p50_ms": _ms(inside, 50),
        "claim_to_fill_p99_ms": _ms(inside, 99),
    }
    return Report(
        title=f"tap: {TAPS} taps on practice cards, one after the other",
        rows=(
            ("tap sent to order on the venue's record", _line(figures, "p50_ms", "p99_ms")),
            (
                "claim committed to fill committed",
                _line(figures, "claim_to_fill_p50_ms", "claim_to_fill_p99_ms"),
            ),
        ),
        figures=figures,
    )


def _one_trade(desk: DeskProcess) -> float:
    card = desk.see(lambda m: has_button(m, "✅ Execute"), "a card")
    began = time.perf_counter()
    desk.tap(card, "✅ Execute")
    while not desk.venue()["positions"]:
        pass
    seconds = time.perf_counter() - began
    _close_and_ask_again(desk, card)
    return seconds


def _close_and_ask_again(desk: DeskProcess, card: dict[str, Any]) -> None:
    done = desk.see(lambda m: m["id"] == card["id"] and has_button(m, "💼"), "the filled card")
    desk.tap(done, "💼")
    live = desk.see(lambda m: has_button(m, "✖ Close"), "the position card")
    desk.tap(live, "✖ Close")
    desk.wait_for(lambda: not desk.venue()["positions"], 10, "the venue flat")
    first = desk.see(lambda m: has_button(m, "▶ Practise"), "the first analysis")
    body = {"message_id": first["id"], "data": data_of(first, "▶ Practise"), "times": 1}
    desk.post("/api/chats/owner/taps", body)


def _claim_to_fill(journal: Path) -> list[float]:
    sql = """
        SELECT (o.answered_at - t.at) / 1e6 FROM orders o
        JOIN order_intents i ON i.id = o.intent_id AND i.leg = 'entry'
        JOIN taps t ON t.signal_id = i.signal_id AND t.won
    """
    with closing(sqlite3.connect(journal)) as connection:
        return [row[0] for row in connection.execute(sql)]


def _ms(seconds: list[float], percent: int) -> float:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return round(cuts[percent - 1] * 1000, 1)


def _line(figures: dict[str, float], middle: str, high: str) -> str:
    return f"p50 {figures[middle]:.1f} ms, p99 {figures[high]:.1f} ms"
