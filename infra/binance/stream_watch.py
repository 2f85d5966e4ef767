"""Is every stream alive? Judged by data, never by pings; pure state, no sockets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.model.events import FeedStatus
from core.model.instrument import FlowSupport, Instrument
from infra.binance.binance_parse import Route, StreamKind

FIRST_MESSAGE_SECONDS = 10.0
"""Wall seconds until a stream that never spoke counts as down."""
ALL_MUTE_SECONDS = 30.0
"""Wall seconds after which a connection that says nothing at all is opened anew."""
ONE_MUTE_SECONDS = 1_800.0
"""The same for one mute stream among living ones: its market may simply be closed."""
LEAST_WALL_SILENCE_SECONDS = 1.0
"""However fast the market time runs, a stream gets this much real time."""
BARS_SILENCE_SECONDS = 150.0

_GAPS_ALLOWED = 20.0
_GAP_SMOOTHING = 0.05
_SEVERITY = (FeedStatus.LIVE, FeedStatus.STARTING, FeedStatus.STALE, FeedStatus.DOWN)


@dataclass(frozen=True, slots=True)
class Health:
    """A status with its plain reason."""

    status: FeedStatus
    detail: str = ""


class StreamWatch:
    """One stream: when it last spoke, how often it does, and what that means."""

    __slots__ = (
        "_frames_seen",
        "_heard_before",
        "_mean_gap",
        "_moved_wall",
        "_opened_wall",
        "_since_wall",
        "failure",
        "frames",
        "last",
        "limit",
        "patience",
        "route",
    )

    def __init__(self, route: Route, instrument: Instrument, wall_now: float) -> None:
        self.route = route
        self.frames = 0
        self.last: float | None = None
        """Market-clock monotonic of the last good frame on this connection."""
        self.failure = "connecting"
        self.limit = _silence_limit(route, instrument)
        """Market seconds; None where silence proves nothing."""
        self.patience = _patience(route, instrument)
        """Wall seconds until the first message is overdue; None: never."""
        self._mean_gap = 0.0
        self._frames_seen = 0
        self._heard_before = False
        self._moved_wall = wall_now
        self._since_wall = wall_now
        self._opened_wall: float | None = None

    def opened(self, wall_now: float) -> None:
        """A new connection carries this stream."""
        self._opened_wall = self._moved_wall = wall_now
        self.last = None
        self._frames_seen = self.frames

    def closed(self, wall_now: float, failure: str) -> None:
        """The connection ended or could not be made."""
        if self._opened_wall is not None:
            self._since_wall = wall_now
        self._opened_wall = None
        self.failure = failure

    def heard(self, received: float) -> None:
        """A good frame arrived (market-clock monotonic seconds)."""
        self.frames += 1
        if self.last is not None:
            self._mean_gap += _GAP_SMOOTHING * (received - self.last - self._mean_gap)
        self.last = received

    def judge(self, wall_now: float, market_now: float) -> Health:
        """The state of this stream now; call it a few times a second."""
        if self.frames != self._frames_seen:
            self._frames_seen = self.frames
            self._moved_wall = wall_now
            self._heard_before = True
        if self._opened_wall is None:
            return self._judge_lost(wall_now)
        if self.last is None:
            return self._judge_mute(wall_now - self._opened_wall)
        silence = market_now - self.last
        if self._too_long(silence) and wall_now - self._moved_wall > LEAST_WALL_SILENCE_SECONDS:
            return Health(FeedStatus.STALE, f"{self.route.stream} silent for {silence:.0f} s")
        return Health(FeedStatus.LIVE)

    def mute_for(self, wall_now: float) -> float:
        """Wall seconds this connection has waited for the stream's first message."""
        if self._opened_wall is None or self.last is not None or self.patience is None:
            return 0.0
        return wall_now - self._opened_wall

    def _too_long(self, silence: float) -> bool:
        return self.limit is not None and silence > max(self.limit, _GAPS_ALLOWED * self._mean_gap)

    def _judge_lost(self, wall_now: float) -> Health:
        if wall_now - self._since_wall > FIRST_MESSAGE_SECONDS:
            return Health(FeedStatus.DOWN, self.failure)
        waiting = FeedStatus.STALE if self._heard_before else FeedStatus.STARTING
        return Health(waiting, self.failure)

    def _judge_mute(self, waited: float) -> Health:
        if self.patience is None:
            return Health(FeedStatus.LIVE)
        if waited > self.patience:
            text = f"no first message on {self.route.stream} within {self.patience:.0f} s"
            return Health(FeedStatus.DOWN, text)
        if self.patience > FIRST_MESSAGE_SECONDS:
            return Health(FeedStatus.LIVE)
        waiting = FeedStatus.STALE if self._heard_before else FeedStatus.STARTING
        return Health(waiting, "connected, waiting for data")


def worst(states: Iterable[Health]) -> Health:
    """An instrument is as well as its worst stream."""
    return max(states, key=lambda state: _SEVERITY.index(state.status))


def should_reopen(watches: Sequence[StreamWatch], states: Sequence[Health], now: float) -> bool:
    """Whether a connection needs a fresh start: a stream fell silent, or nothing ever came."""
    fell_silent = any(
        state.status is FeedStatus.STALE and watch.last is not None
        for watch, state in zip(watches, states, strict=True)
    )
    waits = [watch.mute_for(now) for watch in watches]
    return fell_silent or min(waits) > ALL_MUTE_SECONDS or max(waits) > ONE_MUTE_SECONDS


def _silence_limit(route: Route, instrument: Instrument) -> float | None:
    if route.kind is StreamKind.BARS:
        return max(BARS_SILENCE_SECONDS, instrument.silence_limit_seconds)
    if route.kind is StreamKind.TRADES and instrument.flow is not FlowSupport.FULL:
        return None
    return instrument.silence_limit_seconds


def _patience(route: Route, instrument: Instrument) -> float | None:
    """A thin market may go minutes without a trade, and without trades no bar is pushed."""
    if instrument.flow is FlowSupport.FULL or route.kind in (StreamKind.DEPTH, StreamKind.TICKER):
        return FIRST_MESSAGE_SECONDS
    return BARS_SILENCE_SECONDS if route.kind is StreamKind.BARS else None
