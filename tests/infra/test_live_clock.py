"""Market time that runs at a speed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidValueError
from infra.live_clock import ScaledClock, WallClock
from tests.support.clock import ManualClock

START = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_market_time_begins_at_its_start_and_runs_at_its_speed() -> None:
    wall = ManualClock()
    clock = ScaledClock(wall, START, 60)
    assert clock.utc_now() == START
    wall.tick(2.5)
    assert clock.utc_now() == START + timedelta(seconds=150)
    assert clock.monotonic() == 150


def test_a_change_of_speed_never_makes_time_jump() -> None:
    wall = ManualClock()
    clock = ScaledClock(wall, START, 10)
    wall.tick(3)
    clock.set_speed(0.5)
    assert clock.utc_now() == START + timedelta(seconds=30)
    wall.tick(4)
    assert clock.utc_now() == START + timedelta(seconds=32)
    assert clock.speed == 0.5


@given(st.lists(st.tuples(st.floats(0.001, 1000), st.floats(0, 100)), max_size=20))
def test_market_time_is_the_sum_of_its_pieces(pieces: list[tuple[float, float]]) -> None:
    wall = ManualClock()
    clock = ScaledClock(wall, START, 1)
    expected = 0.0
    for speed, seconds in pieces:
        clock.set_speed(speed)
        before = clock.monotonic()
        wall.tick(seconds)
        expected += speed * seconds
        assert clock.monotonic() >= before
    assert clock.monotonic() == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("speed", [0, -1, 1000.1, float("nan"), float("inf")])
def test_an_impossible_speed_is_refused_and_changes_nothing(speed: float) -> None:
    clock = ScaledClock(ManualClock(), START, 2)
    with pytest.raises(InvalidValueError, match="above 0 and at most 1000"):
        clock.set_speed(speed)
    assert clock.speed == 2
    with pytest.raises(InvalidValueError):
        ScaledClock(ManualClock(), START, speed)


async def test_a_sleep_ends_at_its_market_moment() -> None:
    wall = ManualClock()
    clock = ScaledClock(wall, START, 10)
    sleep = asyncio.create_task(clock.sleep(60))
    await settle()
    await wall.advance(5.9)
    assert not sleep.done()
    await wall.advance(0.1)
    await settle()
    assert sleep.done()


@pytest.mark.parametrize(("speed", "wall_seconds_left"), [(100, 0.3), (1, 30)])
async def test_a_sleeper_feels_a_change_of_speed_at_once(
    speed: float, wall_seconds_left: float
) -> None:
    wall = ManualClock()
    clock = ScaledClock(wall, START, 10)
    sleepers = [asyncio.create_task(clock.sleep(60)) for _ in range(3)]
    await settle()
    await wall.advance(3)
    clock.set_speed(speed)
    await settle()
    await wall.advance(wall_seconds_left * 0.99)
    await settle()
    assert not any(sleeper.done() for sleeper in sleepers)
    await wall.advance(wall_seconds_left * 0.0101)
    await settle()
    assert all(sleeper.done() for sleeper in sleepers)


async def test_a_cancelled_sleeper_leaves_nothing_behind() -> None:
    clock = ScaledClock(ManualClock(), START, 1)
    sleep = asyncio.create_task(clock.sleep(60))
    await settle()
    sleep.cancel()
    await asyncio.wait([sleep])
    assert sleep.cancelled()
    assert len(asyncio.all_tasks()) == 1


async def test_a_sleep_of_nothing_still_lets_others_run() -> None:
    clock = ScaledClock(ManualClock(), START, 1)
    ran: list[bool] = []
    asyncio.get_running_loop().call_soon(ran.append, True)
    await clock.sleep(0)
    assert ran == [True]
    await clock.sleep(-1)


async def test_real_time_passes_on_the_wall_clock() -> None:
    wall = WallClock()
    before, moment = wall.monotonic(), wall.utc_now()
    await wall.sleep(0.02)
    await wall.sleep(-1)
    assert 0.015 <= wall.monotonic() - before < 2
    assert moment.tzinfo is UTC
    assert timedelta() < wall.utc_now() - moment < timedelta(seconds=2)
