"""Aggregate limits, counting what is open and what is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.model.instrument import AssetClass, Instrument
from core.model.order import Refusal
from core.model.position import AccountState
from core.model.values import Money
from core.risk.limits import RiskLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One open position or one entry in flight."""

    instrument: Instrument
    risk: Money
    notional: Money


def check_exposure(
    limits: RiskLimits,
    account: AccountState,
    held: Sequence[Exposure],
    new: Exposure,
) -> Refusal | None:
    """The first limit the new entry would break, or None."""
    return (
        _check_counts(limits, held, new)
        or _check_risk(limits, account, held, new)
        or _check_margin(limits, account, held, new)
    )


def _check_counts(limits: RiskLimits, held: Sequence[Exposure], new: Exposure) -> Refusal | None:
    if len(held) >= limits.max_open_positions:
        return Refusal(
            code="position_limit",
            text=f"{len(held)} positions are open or on their way;"
            f" the limit is {limits.max_open_positions}.",
            advice="Close one first.",
        )
    same = sum(h.instrument.symbol == new.instrument.symbol for h in held)
    if same >= limits.max_per_instrument:
        return Refusal(
            code="instrument_limit",
            text=f"{new.instrument.symbol} already has {same} position(s); the limit is"
            f" {limits.max_per_instrument}.",
            advice="Close it first: /positions",
        )
    fx = sum(h.instrument.asset_class is AssetClass.FX for h in held)
    if new.instrument.asset_class is AssetClass.FX and fx >= limits.max_fx_positions:
        return Refusal(
            code="fx_limit",
            text=f"{fx} currency positions are open; the limit is {limits.max_fx_positions}.",
        )
    return None


def _check_risk(
    limits: RiskLimits, account: AccountState, held: Sequence[Exposure], new: Exposure
) -> Refusal | None:
    equity = account.equity.amount
    if equity <= 0:
        return Refusal(code="no_equity", text="The account has no equity left.")
    single = new.risk.amount / equity * 100
    if single > limits.max_risk_percent:
        return Refusal(
            code="risk_per_trade",
            text=f"This trade would risk {single:.2f}% of equity; the maximum is"
            f" {limits.max_risk_percent}%.",
        )
    total = (sum((h.risk.amount for h in held), Decimal(0)) + new.risk.amount) / equity * 100
    if total > limits.max_open_risk_percent:
        return Refusal(
            code="open_risk",
            text=f"Open risk would be {total:.2f}% of equity; the maximum is"
            f" {limits.max_open_risk_percent}%.",
        )
    return None


def _check_margin(
    limits: RiskLimits, account: AccountState, held: Sequence[Exposure], new: Exposure
) -> Refusal | None:
    equity = account.equity.amount
    notional = sum((h.notional.amount for h in held), Decimal(0)) + new.notional.amount
    used = notional / equity
    if used > limits.max_leverage_used:
        return Refusal(
            code="leverage",
            text=f"Positions would be {used:.1f} times the equity; the maximum is"
            f" {limits.max_leverage_used}.",
        )
    free = account.margin_free.amount - new.notional.amount / account.leverage
    if free / equity * 100 < limits.min_free_margin_percent:
        return Refusal(
            code="margin",
            text=f"Free margin would fall to {free / equity * 100:.0f}% of equity; at least"
            f" {limits.min_free_margin_percent}% must stay free.",
        )
    return None
