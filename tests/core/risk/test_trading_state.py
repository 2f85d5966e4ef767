"""Entries are halted until released, by name; instruments are locked by reason."""

from core.model.order import Refusal
from core.risk.trading_state import RECONCILIATION, TradingState

WHY = Refusal(code="why", text="because")
OTHER = Refusal(code="other", text="another reason")


def test_entries_start_disabled() -> None:
    refusal = TradingState().check("BTCUSD")
    assert refusal is not None
    assert refusal.code == "starting"


def test_each_halt_must_be_released() -> None:
    state = TradingState()
    state.halt("kill", WHY)
    state.release(RECONCILIATION)
    assert state.check("BTCUSD") == WHY
    state.release("kill")
    assert state.check("BTCUSD") is None


def test_a_lock_stops_one_instrument_until_every_reason_is_gone() -> None:
    state = TradingState()
    state.release(RECONCILIATION)
    state.lock("BTCUSD", WHY)
    state.lock("BTCUSD", OTHER)
    assert state.check("EURUSD") is None
    state.unlock("BTCUSD", WHY)
    assert state.check("BTCUSD") == OTHER
    state.unlock("BTCUSD", OTHER)
    assert state.check("BTCUSD") is None
    assert state.locked() == frozenset()
