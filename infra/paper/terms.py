"""The paper account's conditions, from the settings."""

from core.model.values import Money
from infra.paper.model import PaperTerms
from infra.settings import Settings

MAX_QUOTE_AGE_SECONDS = 15.0
"""No market order is filled from an older quote."""


def paper_terms(settings: Settings) -> PaperTerms:
    """Exact money out of the settings' decimals."""
    paper = settings.paper
    return PaperTerms(
        starting_balance=Money.of(paper.starting_balance),
        slippage_ticks=paper.slippage_ticks,
        commission_per_lot=Money.of(paper.commission_per_lot),
        leverage=paper.leverage,
        max_quote_age_seconds=MAX_QUOTE_AGE_SECONDS,
    )
