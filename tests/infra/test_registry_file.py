"""The registry file: shipped facts, and faults named all at once."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.model.instrument import FlowSupport, MarketClass, Venue
from infra.registry_file import SHIPPED_FILE, load_registry


def test_shipped_file_holds_the_seven_instruments() -> None:
    symbols = [instrument.symbol for instrument in load_registry()]
    assert symbols == ["BTCUSD", "XAUUSD", "EURUSD", "GBPUSD", "USDJPY", "GBPJPY", "EURJPY"]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("btc", "BTCUSD"),
        ("Gold", "XAUUSD"),
        ("eur/usd", "EURUSD"),
        ("cable", "GBPUSD"),
        ("usd-jpy", "USDJPY"),
    ],
)
def test_people_find_instruments_by_everyday_names(text: str, symbol: str) -> None:
    assert load_registry().find(text).symbol == symbol


def test_numbers_of_the_file_stay_exact() -> None:
    euro = load_registry().get("EURUSD")
    assert euro.tick_size == Decimal("0.00001")
    assert euro.contract_size == Decimal(100_000)
    assert euro.risk_percent == Decimal("1.25")


def test_only_three_instruments_are_listed_at_binance() -> None:
    registry = load_registry()
    listed = {i.symbol: i.flow for i in registry if i.symbol_at(Venue.BINANCE)}
    assert listed == {
        "BTCUSD": FlowSupport.FULL,
        "XAUUSD": FlowSupport.FULL,
        "EURUSD": FlowSupport.PROXY,
    }
    assert {i.symbol for i in registry if i.symbol_at(Venue.SANDBOX)} == {
        i.symbol for i in registry
    }


def test_lookup_by_venue_symbol_respects_the_market() -> None:
    registry = load_registry()
    gold = registry.at_venue(Venue.BINANCE, MarketClass.FUTURES, "XAUUSDT")
    assert gold is not None
    assert gold.symbol == "XAUUSD"
    assert registry.at_venue(Venue.BINANCE, MarketClass.SPOT, "XAUUSDT") is None


def _changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = SHIPPED_FILE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    file = _changed(
        tmp_path,
        ("price_digits = 2", "price_digits = 2\ncolour = 1"),
        ('aliases = ["xau"', 'aliases = ["btc"'),
        ('flow = "proxy"', 'flow = "some"'),
        ("silence_limit_seconds = 10.0", "silence_limit_seconds = -1"),
    )
    with pytest.raises(SettingsError) as caught:
        load_registry(file)
    problems = caught.value.problems
    assert len(problems) == 3
    assert problems[0] == "mine.toml: BTCUSD: colour: is not a known setting"
    assert problems[1].startswith("mine.toml: EURUSD: flow: ")
    assert problems[2].startswith("mine.toml: EURUSD: silence_limit_seconds: ")


def test_an_alias_of_two_instruments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'BTC' is already taken by BTCUSD"):
        load_registry(_changed(tmp_path, ('aliases = ["xau"', 'aliases = ["btc"')))


def test_sizes_off_their_own_grid_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="lot_max: must be a multiple"):
        load_registry(_changed(tmp_path, ("lot_max = 0.02", "lot_max = 0.025")))


@pytest.mark.parametrize("text", ["", "instrument = 3", "[[instrument]", "instrument = []"])
def test_a_file_without_instruments_is_refused_in_plain_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^mine\.toml: "):
        load_registry(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"mine\.toml: cannot be read"):
        load_registry(tmp_path / "mine.toml")
