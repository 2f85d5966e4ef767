"""The loop-lag monitor."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infra.live_clock import WallClock
from infra.loop_lag import LoopLagMonitor
from tests.support.clock import ManualClock


class LateClock(ManualClock):
    """Wakes sleepers later than asked by the amounts in `late_ms`."""

    def __init__(self, late_ms: list[float]) -> None:
        super().__init__()
        self.late_ms = late_ms

    async def sleep(self, seconds: float) -> None:
        if not self.late_ms:
            await asyncio.Event().wait()
        self.tick(seconds + self.late_ms.pop(0) / 1000)


@asynccontextmanager
async def measuring(monitor: LoopLagMonitor) -> AsyncIterator[None]:
    task = asyncio.create_task(monitor.run())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.wait([task])


def test_before_anything_is_measured_there_is_no_lag() -> None:
    assert LoopLagMonitor(ManualClock()).max_ms_last_minute() == 0.0


async def test_the_largest_lateness_is_told_until_it_is_a_minute_old() -> None:
    clock = LateClock([3, 40, 7, 12])
    monitor = LoopLagMonitor(clock)
    async with measuring(monitor):
        assert monitor.max_ms_last_minute() == pytest.approx(40, abs=0.01)
        clock.tick(59.95)
        assert monitor.max_ms_last_minute() == pytest.approx(12, abs=0.01)
        clock.tick(0.1)
        assert monitor.max_ms_last_minute() == 0.0


async def test_reset_forgets_the_start() -> None:
    monitor = LoopLagMonitor(LateClock([500]))
    async with measuring(monitor):
        assert monitor.max_ms_last_minute() == pytest.approx(500, abs=0.01)
        monitor.reset()
        assert monitor.max_ms_last_minute() == 0.0


async def test_a_real_stall_is_seen() -> None:
    monitor = LoopLagMonitor(WallClock())
    async with measuring(monitor):
        time.sleep(0.15)  # noqa: ASYNC251 (the stall itself)
        await asyncio.sleep(0.03)
    assert 120 <= monitor.max_ms_last_minute() < 1000
