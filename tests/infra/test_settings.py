"""Settings: defaults, bounds, and every fault told at once in plain words."""

import os
import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from infra.settings import Settings, load_settings
from infra.settings_keys import known_keys

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
TOKEN = "123456789:" + "Ab-_5" * 7
KEYS = known_keys(Settings)


def problems_of(env: dict[str, str], env_file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(env, env_file)
    return caught.value.problems


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def test_nothing_set_is_the_sandbox_with_the_defaults_of_the_design() -> None:
    settings = load_settings({}, None)
    assert settings.telegram_bot_token is None
    assert settings.desk_home == Path("desk-home")
    assert settings.risk.max_open_positions == 5
    assert settings.risk.max_risk_percent == Decimal(2)
    assert settings.risk.drift_r == Decimal("0.25")
    assert settings.signals.validity_minutes == 15
    assert settings.paper.starting_balance == Decimal(10_000)
    assert settings.sandbox.seed == 7
    assert settings.secrets == ()


def test_the_environment_wins_over_the_file_and_empty_means_not_set(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "export DESK_PORT=9000 # mine\nSANDBOX__SEED='9'\nLOG_LEVEL=\nPAPER__LEVERAGE=30\n",
    )
    settings = load_settings({"DESK_PORT": "0", "SANDBOX__SEED": " "}, path)
    assert settings.desk_port == 0
    assert settings.sandbox.seed == 9
    assert settings.log_level == "WARNING"
    assert settings.paper.leverage == 30


def test_the_process_environment_is_not_read_behind_the_callers_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESK_PORT", "1")
    assert load_settings({}, None).desk_port == 8765


def test_a_good_token_is_kept_secret() -> None:
    settings = load_settings({"TELEGRAM_BOT_TOKEN": f" {TOKEN}\n"}, None)
    assert settings.secrets == (TOKEN,)
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("token", ["x", "123456789", TOKEN[:30], TOKEN + " x", TOKEN + "é"])
def test_a_malformed_token_is_a_problem_and_is_not_repeated(token: str) -> None:
    (problem,) = problems_of({"TELEGRAM_BOT_TOKEN": token})
    assert problem.startswith("TELEGRAM_BOT_TOKEN (environment): the value cannot be used;")
    assert "@BotFather" in problem
    assert token == "x" or token not in problem


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("DESK_PORT", "65536", "'65536' is too large; it must be a whole number from 0 to 65535"),
        ("DESK_PORT", "80.5", "'80.5' is not a whole number; it must be a whole number from 0"),
        ("RISK__MAX_RISK_PERCENT", "0", "'0' is too small; it must be a number above 0"),
        ("RISK__MAX_RISK_PERCENT", "2.1", "'2.1' is too large"),
        ("RISK__DRIFT_R", "NaN", "'NaN' is not a number"),
        ("SANDBOX__SPEED", "inf", "'inf' is not a number"),
        ("LOG_LEVEL", "loud", "it must be one of DEBUG, INFO, WARNING, ERROR"),
        ("TELEGRAM__API_BASE", "api.telegram.org", "it must be an address like https://"),
        ("BINANCE__SPOT_WS_URL", "https://a.b", "it must be an address like wss://"),
        ("INSTRUMENTS_FILE", "no/such/file.toml", "it must be a file that exists"),
        ("INSTRUMENTS_FILE", "x" * 5000, "it must be a file that exists"),
        ("OWNER_ID", "-4", "it must be a numeric Telegram user id"),
    ],
)
def test_a_bad_value_names_key_fault_and_what_is_allowed(key: str, value: str, said: str) -> None:
    (problem,) = problems_of({key: value})
    assert problem.startswith(f"{key} (environment): ")
    assert said in problem


def test_all_problems_come_together_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "DESK_PORT=abc\n\nnonsense here\nRISK__MAX_OPEN_POSITION=4\n=5\n")
    problems = problems_of({"PAPER__LEVERAGE": "0"}, path)
    assert problems == (
        ".env line 3: cannot be understood; it must be KEY=value or # a comment",
        "RISK__MAX_OPEN_POSITION: there is no such setting; "
        "did you mean RISK__MAX_OPEN_POSITIONS? (.env line 4)",
        ".env line 5: cannot be understood; it must be KEY=value or # a comment",
        "DESK_PORT (.env line 1): 'abc' is not a whole number; "
        "it must be a whole number from 0 to 65535",
        "PAPER__LEVERAGE (environment): '0' is too small; it must be a whole number from 1 to 1000",
    )


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"),
        ("RISK_DRIFT_R", "RISK__DRIFT_R"),
        ("RISK__DRIFT", "RISK__DRIFT_R"),
        ("DESK_PROT", "DESK_PORT"),
    ],
)
def test_a_misspelt_environment_key_is_a_problem(key: str, meant: str) -> None:
    (problem,) = problems_of({key: "1"})
    assert problem == f"{key}: there is no such setting; did you mean {meant}? (environment)"


def test_foreign_environment_keys_are_left_alone() -> None:
    foreign = (
        "PATH",
        "HOME",
        "LOGNAME",
        "DESKTOP_SESSION",
        "TELEGRAM",
        "PAPERSIZE",
        "PORT",
        "OWNER",
    )
    assert load_settings(dict.fromkeys(foreign, "1"), None) == load_settings({}, None)


def test_the_desk_may_not_risk_more_on_one_trade_than_on_all() -> None:
    (problem,) = problems_of({"RISK__MAX_OPEN_RISK_PERCENT": "1"})
    assert problem.startswith("RISK__MAX_RISK_PERCENT: one trade may not risk more than all")


def test_a_token_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    path = write(tmp_path, f"OWNER_ID={TOKEN}\n{TOKEN}\nBOT={TOKEN}\n")
    said = "\n".join(problems_of({}, path))
    assert TOKEN not in said
    assert TOKEN[-20:] not in said
    assert "OWNER_ID (.env line 1)" in said


@pytest.mark.parametrize("content", ["DESK_PORT=1\n".encode("utf-16"), b"A=1\n\xff\xfe\n"])
def test_a_file_that_is_not_text_is_a_problem(tmp_path: Path, content: bytes) -> None:
    (problem,) = problems_of({}, write(tmp_path, content))
    assert "is not text; save the file as UTF-8" in problem


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "DESK_PORT=9001\r\nSANDBOX__SEED=2\r\n".encode("utf-8-sig"))
    assert load_settings({}, path).desk_port == 9001


def test_a_folder_in_the_place_of_the_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    (problem,) = problems_of({}, tmp_path / ".env")
    assert problem.startswith(".env: cannot be read")


def test_a_missing_file_is_no_problem(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path / ".env") == load_settings({}, None)


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing on Windows")
def test_a_token_that_others_can_read_is_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path, f"TELEGRAM_BOT_TOKEN={TOKEN}\n")
    assert load_settings({}, path).secrets == (TOKEN,)
    path.chmod(0o644)
    (problem,) = problems_of({}, path)
    assert f"chmod 600 {path}" in problem
    write(tmp_path, "DESK_PORT=1\n").chmod(0o644)
    assert load_settings({}, path).desk_port == 1


def test_the_example_file_documents_every_setting_and_nothing_else() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    documented = re.findall(r"(?m)^# (.+)\n#?([A-Z_]+)=(.*)$", text)
    assert documented == [
        (f"{key.meaning} ({key.allowed}).", key.name, key.default) for key in KEYS.values()
    ]
    assert len(re.findall(r"(?m)^#?[A-Z_]+=", text)) == len(KEYS)


def test_the_example_file_with_all_keys_on_gives_the_defaults(tmp_path: Path) -> None:
    switched_on = re.sub(r"(?m)^#([A-Z_]+=)", r"\1", EXAMPLE.read_text(encoding="utf-8"))
    assert load_settings({}, write(tmp_path, switched_on)) == load_settings({}, None)


def problems_or_none(env: dict[str, str], env_file: Path | None) -> tuple[str, ...]:
    try:
        load_settings(env, env_file)
    except SettingsError as error:
        return error.problems
    return ()


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), st.text(max_size=300), min_size=1))
def test_any_values_load_or_are_explained_one_line_each(env: dict[str, str]) -> None:
    for problem in problems_or_none(env, None):
        assert problem.startswith(tuple(env))
        assert problem.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_in_the_file_load_or_are_explained(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"garbage-{os.getpid()}.env"
    path.write_bytes(content)
    for problem in problems_or_none({}, path):
        assert problem
        assert "\n" not in problem
