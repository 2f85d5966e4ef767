"""The paper account's conditions, from the settings."""

from core.model.values import Money
from infra.paper.model import PaperTerms
from infra.settings import PaperSettings

MAX_QUOTE_AGE_SECONDS = 15.0
"""No market order is filled from an older quote."""


def paper_terms(settings: PaperSettings) -> PaperTerms:
    """Exact money out of the settings' decimals."""
    return PaperTerms(
        starting_balance=Money.of(settings.starting_balance),
        slippage_ticks=settings.slippage_ticks,
        commission_per_lot=Money.of(settings.commission_per_lot),
        leverage=settings.leverage,
        max_quote_age_seconds=MAX_QUOTE_AGE_SECONDS,
    )
