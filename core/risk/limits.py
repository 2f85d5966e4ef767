"""The desk's limits, as small frozen values (defaults: design page 10)."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Limits every entry must keep; percentages are of equity."""

    max_open_positions: int = 5
    max_fx_positions: int = 5
    max_per_instrument: int = 1
    max_risk_percent: Decimal = Decimal(2)
    max_open_risk_percent: Decimal = Decimal(5)
    max_leverage_used: Decimal = Decimal(10)
    min_free_margin_percent: Decimal = Decimal(50)
    orders_per_minute: int = 10
    entries_per_instrument_hour: int = 3
    entries_per_day: int = 20
    min_reward_risk: Decimal = Decimal("1.5")
    drift_r: Decimal = Decimal("0.25")
    """Largest allowed move from the card's entry, in R."""
