"""Two small counters with bounded memory: too many updates, and once a day."""

from collections import OrderedDict, deque

from core.clock import Clock

_DAY_SECONDS = 86_400.0


class Throttle:
    """At most `limit` updates per `window` seconds and person."""

    def __init__(self, wall: Clock, *, limit: int = 40, window: float = 10.0, people: int = 1000):
        self._wall = wall
        self._limit = limit
        self._window = window
        self._people = people
        self._times: OrderedDict[int, deque[float]] = OrderedDict()

    def excess(self, user_id: int) -> int:
        """0 while within the limit, else how many updates over it this is (1 for the first)."""
        now = self._wall.monotonic()
        times = self._times.setdefault(user_id, deque(maxlen=self._limit * 4))
        if len(self._times) > self._people:
            self._times.popitem(last=False)
        while times and now - times[0] > self._window:
            times.popleft()
        times.append(now)
        return max(0, len(times) - self._limit)


class OncePerDay:
    """Whether something was not yet said to somebody within a day."""

    def __init__(self, wall: Clock, people: int = 1000) -> None:
        self._wall = wall
        self._people = people
        self._said: OrderedDict[int, float] = OrderedDict()

    def first(self, key: int) -> bool:
        """True once a day and key. When the table is full of today's keys, silence wins."""
        now = self._wall.monotonic()
        while self._said and now - next(iter(self._said.values())) >= _DAY_SECONDS:
            self._said.popitem(last=False)
        if key in self._said or len(self._said) >= self._people:
            return False
        self._said[key] = now
        return True
