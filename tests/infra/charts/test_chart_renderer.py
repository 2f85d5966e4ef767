"""The worker process: quick to ask, survives nonsense, is replaced when it dies, leaves nothing."""

import asyncio
import gc
import os
import signal
import sys
import time
import warnings

import pytest

from core.errors import ChartError
from infra.charts.renderer import DRAW_DEADLINE_SECONDS, ProcessChartRenderer
from infra.charts.wire import frame
from infra.live_clock import WallClock
from tests.support.chart_requests import chart_bars, chart_request
from tests.support.clock import ManualClock

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
REQUEST = chart_request(chart_bars(120))
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="stops a process with SIGSTOP")


def is_gone(pid: int) -> bool:
    """Whether no such process is left; on Windows a signal of 0 would not be a question."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def living(renderer: ProcessChartRenderer) -> int:
    pid = renderer.worker_pid
    assert pid is not None
    return pid


async def test_worker_draws_refuses_survives_its_death_and_leaves_nothing_behind() -> None:
    renderer = ProcessChartRenderer(WallClock())
    await renderer.start()
    pictures = await asyncio.gather(renderer.candles(REQUEST), renderer.candles(REQUEST))
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(PNG_SIGNATURE)

    first = living(renderer)
    with pytest.raises(ChartError, match="no bars"):
        await renderer.candles(chart_request(()))
    assert living(renderer) == first

    os.kill(first, signal.SIGTERM)
    assert await renderer.candles(REQUEST) == pictures[0]
    second = living(renderer)
    assert second != first

    started = time.perf_counter()
    await renderer.close()
    assert time.perf_counter() - started < 0.5
    assert renderer.worker_pid is None
    assert is_gone(first)
    assert is_gone(second)
    with pytest.raises(ChartError, match="closed"):
        await renderer.candles(REQUEST)


@posix_only
async def test_silent_worker_is_killed_at_the_deadline_and_replaced() -> None:
    clock = ManualClock()
    renderer = ProcessChartRenderer(clock)
    await renderer.start()
    stuck = living(renderer)
    os.kill(stuck, signal.SIGSTOP)
    asking = asyncio.create_task(renderer.candles(REQUEST))
    await asyncio.sleep(0.05)
    await clock.advance(DRAW_DEADLINE_SECONDS - 0.1)
    assert not asking.done()
    await clock.advance(0.2)
    with pytest.raises(ChartError, match="10 s"):
        await asking
    assert (await renderer.candles(REQUEST)).startswith(PNG_SIGNATURE)
    assert living(renderer) != stuck
    assert is_gone(stuck)
    await renderer.close()


@posix_only
async def test_given_up_request_never_answers_the_next_one_and_close_cuts_short() -> None:
    renderer = ProcessChartRenderer(WallClock())
    await renderer.start()
    os.kill(living(renderer), signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(renderer.candles(chart_request(chart_bars(7))), 0.05)
    assert await renderer.candles(REQUEST) == await renderer.candles(REQUEST)

    os.kill(living(renderer), signal.SIGSTOP)
    asking = asyncio.create_task(renderer.candles(REQUEST))
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    await renderer.close()
    assert time.perf_counter() - started < 0.5
    with pytest.raises(ChartError):
        await asking


async def test_closing_what_never_started_is_harmless() -> None:
    renderer = ProcessChartRenderer(WallClock())
    await renderer.close()
    await renderer.close()


def test_loop_can_end_without_noise_after_close(capfd: pytest.CaptureFixture[str]) -> None:
    async def draw_once() -> None:
        renderer = ProcessChartRenderer(WallClock())
        await renderer.candles(REQUEST)
        await renderer.close()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(draw_once(), debug=True)
        gc.collect()
    assert capfd.readouterr().err == ""


async def test_loop_is_free_while_the_worker_starts_and_draws() -> None:
    renderer = ProcessChartRenderer(WallClock())
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            gaps.append(time.perf_counter() - before)

    watcher = asyncio.create_task(watch())
    await renderer.start()
    await renderer.candles(REQUEST)
    watcher.cancel()
    await renderer.close()
    assert sorted(gaps)[len(gaps) * 9 // 10] < 0.02


def test_encoding_a_request_is_a_matter_of_microseconds() -> None:
    spent = []
    for _ in range(20):
        started = time.perf_counter()
        frame(REQUEST)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.001
