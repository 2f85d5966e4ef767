"""The market pauses while the desk is off and never goes back."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import Clocks
from infra.sandbox.market.anchor import MarketAnchor
from infra.sandbox.market.listing import EPOCH
from tests.support.clock import ManualClock


def test_a_first_start_is_at_the_epoch(tmp_path: Path) -> None:
    start = MarketAnchor(tmp_path / "market.json").resume(EPOCH, 1)
    assert (start.at, start.continued) == (EPOCH, False)


def test_a_second_start_continues(tmp_path: Path) -> None:
    anchor = MarketAnchor(tmp_path / "market.json")
    reached = EPOCH + timedelta(hours=3, milliseconds=1)
    anchor.save(1, reached)
    start = anchor.resume(EPOCH, 1)
    assert (start.at, start.continued) == (reached, True)
    assert [p.name for p in tmp_path.iterdir()] == ["market.json"]


def test_another_seed_begins_anew_and_says_so(tmp_path: Path) -> None:
    anchor = MarketAnchor(tmp_path / "market.json")
    anchor.save(1, EPOCH + timedelta(hours=3))
    start = anchor.resume(EPOCH, 2)
    assert (start.at, start.continued) == (EPOCH, False)
    assert "seed 2 instead of 1" in start.detail


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"seed":1}',
        b'{"seed":1,"resume_at":"soon"}',
        b'{"seed":1,"resume_at":"2026-03-09T00:00:00"}',
        b'{"seed":1,"resume_at":"1999-01-01T00:00:00+00:00"}',
        b'{"seed":null,"resume_at":null}',
    ],
)
def test_a_spoilt_file_begins_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "market.json"
    path.write_bytes(content)
    start = MarketAnchor(path).resume(EPOCH, 1)
    assert (start.at, start.continued) == (EPOCH, False)


async def test_saved_time_runs_ahead_while_on_and_is_exact_at_the_end(tmp_path: Path) -> None:
    market, wall = ManualClock(EPOCH), ManualClock()
    anchor = MarketAnchor(tmp_path / "market.json")
    running = asyncio.create_task(anchor.run(Clocks(market=market, wall=wall), 1))
    for _ in range(3):
        market.tick(60.0)
        await wall.advance(1.0)
        await asyncio.sleep(0.02)
    assert anchor.resume(EPOCH, 1).at >= EPOCH + timedelta(seconds=180)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert anchor.resume(EPOCH, 1).at == EPOCH + timedelta(seconds=180)
