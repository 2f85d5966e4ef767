"""Aggregate limits count what is open and what is on its way."""

from decimal import Decimal

from core.model.instrument import Instrument
from core.model.values import Money
from core.risk.exposure_guard import Exposure, check_exposure
from core.risk.limits import RiskLimits
from tests.support.desk_builders import BTC, EURUSD, account_of

LIMITS = RiskLimits(max_open_positions=3, max_fx_positions=1)


def exposure(instrument: Instrument, risk: str = "10", notional: str = "2000") -> Exposure:
    return Exposure(instrument=instrument, risk=Money.of(risk), notional=Money.of(notional))


def code(held: list[Exposure], new: Exposure, limits: RiskLimits = LIMITS) -> str | None:
    refusal = check_exposure(limits, account_of(), held, new)
    return None if refusal is None else refusal.code


def test_first_small_position_passes() -> None:
    assert code([], exposure(BTC)) is None


def test_position_limit_counts_everything_held() -> None:
    held = [exposure(EURUSD)] * 3
    assert code(held, exposure(BTC)) == "position_limit"


def test_one_position_per_instrument() -> None:
    assert code([exposure(BTC)], exposure(BTC)) == "instrument_limit"


def test_currency_positions_have_their_own_limit() -> None:
    limits = RiskLimits(max_fx_positions=1, max_per_instrument=5)
    assert code([exposure(EURUSD)], exposure(EURUSD), limits) == "fx_limit"
    assert code([exposure(EURUSD)], exposure(BTC), limits) is None


def test_single_trade_risk_is_capped() -> None:
    assert code([], exposure(BTC, risk="200.01")) == "risk_per_trade"
    assert code([], exposure(BTC, risk="200.00")) is None


def test_open_risk_adds_up() -> None:
    held = [exposure(EURUSD, risk="400")]
    assert code(held, exposure(BTC, risk="101")) == "open_risk"
    assert code(held, exposure(BTC, risk="100")) is None


def test_leverage_counts_all_notional() -> None:
    held = [exposure(EURUSD, notional="95000")]
    assert code(held, exposure(BTC, notional="6000")) == "leverage"


def test_margin_must_stay_half_free() -> None:
    limits = RiskLimits(max_leverage_used=Decimal(1000))
    assert code([], exposure(BTC, notional="500100"), limits) == "margin"
    assert code([], exposure(BTC, notional="499900"), limits) is None


def test_empty_account_is_refused() -> None:
    refusal = check_exposure(LIMITS, account_of("0"), [], exposure(BTC))
    assert refusal is not None
    assert refusal.code == "no_equity"
