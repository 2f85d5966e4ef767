"""The words after `python run.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.command_line import BrokerChoice, Command, DeskOptions, MarketChoice, parse_command_line

ROOT = Path(__file__).resolve().parents[2]


def test_no_words_ask_for_nothing() -> None:
    assert parse_command_line([]) == DeskOptions() == parse_command_line(["desk"])


def test_every_option_is_understood() -> None:
    words = (
        "desk --home h --port 0 --market recorded --file f.zst --speed 2.5 --seed 11 "
        "--broker mt5-sim --no-browser"
    )
    assert parse_command_line(words.split()) == DeskOptions(
        home=Path("h"),
        port=0,
        market=MarketChoice.RECORDED,
        file=Path("f.zst"),
        speed=2.5,
        seed=11,
        broker=BrokerChoice.MT5_SIMULATED,
        open_browser=False,
    )


def test_the_doctor_takes_the_options_of_the_desk() -> None:
    asked = parse_command_line(["doctor", "--home", "h"])
    assert asked == DeskOptions(command=Command.DOCTOR, home=Path("h"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prot", "5"], "'--prot' is not an option; did you mean --port?"),
        (["--prot=5"], "did you mean --port?"),
        (["tset"], "There is no command 'tset'; did you mean test?"),
        (["docter"], "There is no command 'docter'; did you mean doctor?"),
        (["desk", "now"], "'now' is not an option."),
        (["--port"], "--port: expected one argument."),
        (["--port", "65536"], "--port: '65536' is not a whole number from 0 to 65535."),
        (["--port", "-1"], "'-1' is not a whole number"),
        (["--port", "9" * 5000], "is not a whole number"),
        (["--port", "٣"], "is not a whole number"),
        (["--seed", "1.5"], "--seed: '1.5' is not a whole number"),
        (["--speed", "0"], "--speed: '0' is not a number above 0 and at most 1000."),
        (["--speed", "1001"], "is not a number above 0"),
        (["--speed", "nan"], "is not a number above 0"),
        (["--speed", "fast"], "is not a number above 0"),
        (["--market", "lve"], "--market: there is no 'lve'; did you mean live?"),
        (["--broker", "?"], "there is no '?'; choose paper, mt5-sim or mt5."),
        (["--home", ""], "--home: needs the name of a folder."),
        (["--ho", "x"], "'--ho' is not an option; did you mean --home?"),
    ],
)
def test_nonsense_gets_one_plain_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_command_line(words)
    assert stop.value.code == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1
    assert line.endswith("`python run.py --help` lists all options.\n")


def test_help_lists_all_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_command_line(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for option in ("--home DIR", "--port N", "--file F", "--speed X", "--seed N", "--no-browser"):
        assert option in text
    assert max(map(len, text.splitlines())) <= 100


def test_it_needs_no_installed_package() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import infra.command_line"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, str(ROOT)], check=True, timeout=30)
