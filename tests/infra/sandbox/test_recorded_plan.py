"""`--market recorded`: what is refused, what is said, and where the market resumes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import from_millis
from core.errors import StartupRefusedError
from core.event_bus import EventBus
from core.model.instrument import Venue
from core.supervisor import Supervisor
from infra.banner import opened_in_sandbox
from infra.command_line import parse_command_line
from infra.desk_home import DeskHome
from infra.desk_plan import DeskPlan, plan_desk
from infra.registry_file import load_registry
from infra.sandbox.recorded.tape import RecordedTape, load_tape
from infra.sandbox.sandbox import Sandbox
from infra.settings import load_settings
from tests.support.clock import ManualClock
from tests.support.recordings import make_recording

TOKEN = "1234567890:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"


def plan(*words: str, **env: str) -> DeskPlan:
    return plan_desk(parse_command_line(words), load_settings(env, None))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_recording(20).write(tmp_path_factory.mktemp("recording") / "tape.gz")


@pytest.fixture(scope="module")
def tape(file: Path) -> RecordedTape:
    return load_tape(file)


def sandbox(folder: Path, tape: RecordedTape | None, wall: ManualClock, seed: int = 7) -> Sandbox:
    return Sandbox(folder=folder, seed=seed, speed=10.0, wall=wall, tape=tape)


def test_a_recorded_desk_is_a_sandbox_with_its_own_files_and_watermark(file: Path) -> None:
    made = plan("--home=desk", "--market=recorded", "--speed=10", f"--file={file}")
    assert (made.recording, made.speed, made.simulated) == (file, 10.0, True)
    assert made.root == Path("desk/recorded")
    assert made.watermark == "RECORDED + SIM"
    usual = plan("--home=desk")
    assert (usual.root, usual.watermark, usual.recording) == (Path("desk"), "SIMULATED", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--market recorded", "needs --file"),
        ("--file f.gz", "--file is for --market recorded"),
        ("--market simulated --file f.gz", "--file is for --market recorded"),
        ("--market recorded --file nowhere.gz", "nowhere.gz cannot be read: no such file"),
    ],
)
def test_impossible_wishes_are_refused(words: str, said: str) -> None:
    with pytest.raises(StartupRefusedError, match=said):
        plan(*words.split())


def test_a_recording_is_refused_where_the_world_is_real(file: Path) -> None:
    with pytest.raises(StartupRefusedError, match="--market recorded belongs to the sandbox"):
        plan("--market=recorded", f"--file={file}", TELEGRAM_BOT_TOKEN=TOKEN)


def test_the_banner_names_the_file_and_what_is_simulated(
    tmp_path: Path, file: Path, tape: RecordedTape
) -> None:
    made = plan(f"--home={tmp_path}", "--market=recorded", f"--file={file}")
    home = DeskHome.prepare(made.root, made.environment)
    start = sandbox(home.sandbox, tape, ManualClock()).start
    text = opened_in_sandbox(made, home, "http://127.0.0.1:1", start.detail)
    assert "recorded in tape.gz, seed 7, speed x1 (a new market; BTCUSDT recorded from" in text
    assert "2024-08-08 23:54:15 to 2024-08-08 23:54:35 UTC" in text
    assert "prices before and after are simulated" in text


async def test_the_market_starts_with_the_tape_and_resumes_inside_it(
    tmp_path: Path, tape: RecordedTape
) -> None:
    wall = ManualClock()
    first = sandbox(tmp_path, tape, wall)
    assert first.start.at == from_millis(tape.start_ms)
    assert not first.start.continued
    await play(first, wall, 1.0)
    second = sandbox(tmp_path, tape, wall)
    assert second.start.at == from_millis(tape.start_ms) + timedelta(seconds=10)
    assert second.start.detail.startswith("continued where it stopped; BTCUSDT recorded from")


async def test_the_market_resumes_after_the_end_of_the_tape_and_says_so(
    tmp_path: Path, tape: RecordedTape, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = ManualClock()
    first = sandbox(tmp_path, tape, wall)
    await play(first, wall, 3.0)
    assert "The recording ended at 2024-08-08 23:54:35 UTC; the market is simulated from here" in (
        capsys.readouterr().out
    )
    note = "the recording ended at 2024-08-08 23:54:35 UTC; prices are simulated from there on"
    assert first.market_note() == note
    second = sandbox(tmp_path, tape, wall)
    assert second.start.detail == f"continued where it stopped; {note}"
    await play(second, wall, 1.0)
    assert capsys.readouterr().out == ""


async def test_another_file_seed_or_market_begins_anew_and_says_so(
    tmp_path: Path, tape: RecordedTape
) -> None:
    wall = ManualClock()
    await play(sandbox(tmp_path, tape, wall), wall, 1.0)
    other = load_tape(make_recording(20, seed=9).write(tmp_path / "other.gz"))
    for found, said in (
        (sandbox(tmp_path, other, wall), "not the market played before, so anew"),
        (sandbox(tmp_path, None, wall), "not the market played before, so anew"),
        (sandbox(tmp_path, tape, wall, seed=8), "seed 8 instead of 7, so anew"),
    ):
        assert not found.start.continued
        assert said in found.start.detail


def test_only_the_recorded_instrument_keeps_its_place_in_the_sandbox(
    tmp_path: Path, tape: RecordedTape
) -> None:
    listed = sandbox(tmp_path, tape, ManualClock()).listed(load_registry())
    assert len(listed) == len(load_registry())
    at_sandbox = [i.symbol for i in listed if i.symbol_at(Venue.SANDBOX) is not None]
    assert at_sandbox == ["BTCUSD"]
    assert listed.get("XAUUSD").symbol_at(Venue.BINANCE) is not None
    everything = sandbox(tmp_path, None, ManualClock()).listed(load_registry())
    assert all(i.symbol_at(Venue.SANDBOX) for i in everything)


async def play(made: Sandbox, wall: ManualClock, seconds: float) -> None:
    """Let the sandbox run for that much wall time, then stop it."""
    supervisor = Supervisor(wall, EventBus())
    await made.start_exchange(supervisor)
    for _ in range(round(seconds * 10)):
        await asyncio.sleep(0.002)
        await wall.advance(0.1)
    await asyncio.sleep(0.02)
    await supervisor.stop()
    await made.exchange.stop()
