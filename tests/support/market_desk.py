"""A price cache with its clocks and everything it published."""

from core.event_bus import EventBus
from core.market.price_cache import PriceCache
from core.model.events import BarClosed, Event, FeedChanged
from infra.registry_file import load_registry
from tests.support.clock import ManualClock


class MarketDesk:
    """Both clocks stand still until told; `events` holds BarClosed and FeedChanged in order."""

    def __init__(self) -> None:
        self.market, self.wall, self.bus = ManualClock(), ManualClock(), EventBus()
        self.cache = PriceCache(load_registry(), self.market, self.wall, self.bus)
        self.events: list[Event] = []
        self.bus.subscribe(BarClosed, self.events.append)
        self.bus.subscribe(FeedChanged, self.events.append)
