"""Remembers which instrument an analysis card shows, because a button must not carry a symbol."""

from collections import OrderedDict
from dataclasses import dataclass

from core.clock import Clock, to_millis


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisCard:
    """What a card is about; `practice` cards carry the button that asks for a practice signal."""

    id: int
    symbol: str
    practice: bool


class AnalysisCards:
    """A bounded table in memory; the oldest card is forgotten first."""

    def __init__(self, wall: Clock, limit: int = 500) -> None:
        self._wall = wall
        self._limit = limit
        self._cards: OrderedDict[int, AnalysisCard] = OrderedDict()
        self._last_id = 0

    def remember(self, symbol: str, *, practice: bool = False) -> AnalysisCard:
        """A new card. Ids follow the clock, so an id from before a restart never comes again."""
        self._last_id = max(self._last_id + 1, to_millis(self._wall.utc_now()))
        card = AnalysisCard(id=self._last_id, symbol=symbol, practice=practice)
        self._cards[card.id] = card
        if len(self._cards) > self._limit:
            self._cards.popitem(last=False)
        return card

    def find(self, card_id: int) -> AnalysisCard | None:
        """The card, or None when it is forgotten."""
        return self._cards.get(card_id)
