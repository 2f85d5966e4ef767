"""Whether the live price has left the card."""

from decimal import Decimal

from core.execution.live_market import decimal_price
from core.model.market import Quote
from core.model.signal import Side, Signal


def entry_side_price(side: Side, quote: Quote) -> float:
    """What a market entry on `side` would pay: ask to buy, bid to sell."""
    return quote.ask if side is Side.BUY else quote.bid


def has_drifted(signal: Signal, quote: Quote, min_reward_risk: Decimal) -> bool:
    """More than the drift limit from the card's entry, beyond a level, or reward/risk spoilt."""
    live = decimal_price(entry_side_price(signal.side, quote))
    if abs(live - signal.entry.price.value) > signal.drift_limit:
        return True
    to_stop = (live - signal.stop.price.value) * signal.side.sign
    if to_stop <= 0:
        return True
    if not signal.targets:
        return False
    to_target = (signal.targets[0].price.value - live) * signal.side.sign
    return to_target / to_stop < min_reward_risk
