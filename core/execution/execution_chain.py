"""The checks between a tap and an order, in order; the first refusal ends the chain."""

from collections.abc import Callable

from core.execution.context import ExecutionContext, live_quantity
from core.execution.live_market import LiveMarket
from core.model.order import Refusal
from core.risk.exposure_guard import check_exposure
from core.risk.limits import RiskLimits
from core.risk.trading_state import TradingState

Link = Callable[[ExecutionContext], Refusal | None]


def build_chain(limits: RiskLimits, state: TradingState, market: LiveMarket) -> tuple[Link, ...]:
    """Trading state, opposite position, same side, feed, size and exposure."""
    return (
        lambda context: state.check(context.instrument.symbol),
        check_opposite,
        check_same_side,
        lambda context: market.check_entry(context.instrument),
        lambda context: check_risk(limits, context),
    )


def run_chain(chain: tuple[Link, ...], context: ExecutionContext) -> Refusal | None:
    """The first refusal, or None when every link passes."""
    for link in chain:
        refusal = link(context)
        if refusal is not None:
            return refusal
    return None


def check_opposite(context: ExecutionContext) -> Refusal | None:
    """An opposite position would be half-hedged by accident: the owner closes it first."""
    symbol, side = context.instrument.symbol, context.signal.side
    if any(p.instrument == symbol and p.side is not side for p in context.venue_positions):
        return Refusal(
            code="opposite_position",
            text=f"{symbol} is open in the other direction.",
            advice="Close it first: /positions",
        )
    return None


def check_same_side(context: ExecutionContext) -> Refusal | None:
    """No second helping of a trade that is already on."""
    symbol, side = context.instrument.symbol, context.signal.side
    if any(p.instrument == symbol and p.side is side for p in context.venue_positions):
        return Refusal(
            code="already_in", text=f"{symbol} is already open in this direction: /positions"
        )
    return None


def check_risk(limits: RiskLimits, context: ExecutionContext) -> Refusal | None:
    """Size at the live price, then every aggregate limit."""
    quantity = live_quantity(context)
    if isinstance(quantity, Refusal):
        return quantity
    return check_exposure(limits, context.account, context.held, context.exposure(quantity))
