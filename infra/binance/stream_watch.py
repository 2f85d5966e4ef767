"""Is every stream alive? Judged by news, never by pings or repetitions; pure state, no sockets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.model.events import FeedStatus
from core.model.instrument import FlowSupport, Instrument
from infra.binance.binance_parse import RejectReason, Route, StreamKind
from infra.binance.frame_order import Unfit

FIRST_MESSAGE_SECONDS = 10.0
"""Wall seconds without a first message, or without a connection, until a stream is down."""
ALL_MUTE_SECONDS = 30.0
"""Wall seconds after which a connection that says nothing at all is opened anew."""
ONE_MUTE_SECONDS = 1_800.0
"""The same for one mute stream among living ones: its market may simply be closed."""
LEAST_WALL_SILENCE_SECONDS = 1.0
"""However fast the market time runs, a stream gets this much real time."""
BARS_SILENCE_SECONDS = 15.0
"""A busy market's bar is pushed every 2 s."""
THIN_BARS_SILENCE_SECONDS = 150.0

_GAPS_ALLOWED = 12.0
"""Of the usual gap: with random trades one gap in 160,000 is longer."""
_GAP_SMOOTHING = 0.02
_NAMES = {
    StreamKind.TRADES: "trades",
    StreamKind.DEPTH: "order book",
    StreamKind.BARS: "bars",
    StreamKind.TICKER: "quotes",
}
_UNFIT_WORDS: Mapping[str, str] = {
    RejectReason.MALFORMED: "unreadable",
    RejectReason.WRONG_SHAPE: "impossible numbers",
    RejectReason.UNKNOWN_STREAM: "unreadable",
    RejectReason.WRONG_SYMBOL: "another symbol's",
    RejectReason.CROSSED: "bid above ask",
    RejectReason.EMPTY_BOOK: "empty",
    RejectReason.DISORDERED_BOOK: "levels out of order",
    RejectReason.BAD_BAR: "impossible numbers",
    RejectReason.EARLY_CLOSE: "closed too early",
    Unfit.REPEATED: "the same again and again",
    Unfit.DUPLICATE_TRADE: "the same again and again",
    Unfit.LATE_BOOK: "older than the last",
    Unfit.LEAP: "far from the last",
}
_SEVERITY = (FeedStatus.LIVE, FeedStatus.STARTING, FeedStatus.STALE, FeedStatus.DOWN)


@dataclass(frozen=True, slots=True)
class Health:
    """A status with its plain reason."""

    status: FeedStatus
    detail: str = ""


class StreamWatch:
    """One stream: when it last spoke, how often it does, and what that means."""

    __slots__ = (
        "_fed_before",
        "_fed_wall",
        "_frames_seen",
        "_last_ever",
        "_mean_gap",
        "_opened_wall",
        "_unfit",
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
        self._fed_before = False
        self._fed_wall = wall_now
        """When the last good frame was seen by `judge`, on any connection."""
        self._last_ever: float | None = None
        self._opened_wall: float | None = None
        self._unfit: str | None = None
        """Why the frames since the last good one were not."""

    def opened(self, wall_now: float) -> None:
        """A new connection carries this stream."""
        self._opened_wall = wall_now
        self.last = None
        self._frames_seen = self.frames

    def closed(self, failure: str) -> None:
        """The connection ended or could not be made."""
        self._opened_wall = None
        self.failure = failure

    def heard(self, received: float) -> None:
        """A good frame with news arrived (market-clock monotonic seconds)."""
        self.frames += 1
        if self.last is not None:
            self._mean_gap += _GAP_SMOOTHING * (received - self.last - self._mean_gap)
        self.last = self._last_ever = received
        self._unfit = None

    def refused(self, reason: str) -> None:
        """A frame arrived that is no sign of life, for this (reject) reason."""
        self._unfit = reason

    def judge(self, wall_now: float, market_now: float) -> Health:
        """The state of this stream now; call it a few times a second."""
        if self.frames != self._frames_seen:
            self._frames_seen = self.frames
            self._fed_wall = wall_now
            self._fed_before = True
        if self._opened_wall is None:
            return self._judge_lost(wall_now)
        if self.last is None:
            return self._judge_mute(wall_now, wall_now - self._opened_wall, market_now)
        silence = market_now - self.last
        if self._too_long(silence) and wall_now - self._fed_wall > LEAST_WALL_SILENCE_SECONDS:
            return Health(FeedStatus.STALE, f"{self._lack(silence)}, reconnecting")
        return Health(FeedStatus.LIVE)

    def mute_for(self, wall_now: float) -> float:
        """Wall seconds this connection has waited for the stream's first message."""
        if self._opened_wall is None or self.last is not None or self.patience is None:
            return 0.0
        return wall_now - self._opened_wall

    def _too_long(self, silence: float) -> bool:
        return self.limit is not None and silence > max(self.limit, _GAPS_ALLOWED * self._mean_gap)

    def _judge_lost(self, wall_now: float) -> Health:
        if wall_now - self._fed_wall > FIRST_MESSAGE_SECONDS:
            return Health(FeedStatus.DOWN, self.failure)
        waiting = FeedStatus.STALE if self._fed_before else FeedStatus.STARTING
        return Health(waiting, self.failure)

    def _judge_mute(self, wall_now: float, waited: float, market_now: float) -> Health:
        if self.patience is None:
            return Health(FeedStatus.LIVE)
        silence = waited if self._last_ever is None else market_now - self._last_ever
        starved = self._fed_before and wall_now - self._fed_wall > self.patience
        if waited > self.patience or starved:
            return Health(FeedStatus.DOWN, f"connected, but {self._lack(silence)}")
        if self.patience > FIRST_MESSAGE_SECONDS:
            return Health(FeedStatus.LIVE)
        if self._fed_before:
            return Health(FeedStatus.STALE, f"connected anew, still {self._lack(silence)}")
        return Health(FeedStatus.STARTING, f"connected, waiting for {_NAMES[self.route.kind]}")

    def _lack(self, silence: float) -> str:
        why = f" ({_UNFIT_WORDS.get(self._unfit, self._unfit)})" if self._unfit else ""
        return f"no {_NAMES[self.route.kind]} for {silence:.0f} s{why}"


def worst(states: Iterable[Health]) -> Health:
    """An instrument is as well as its worst stream."""
    return max(states, key=lambda state: _SEVERITY.index(state.status))


def reason_to_reopen(
    watches: Sequence[StreamWatch], states: Sequence[Health], now: float
) -> str | None:
    """Why a connection needs a fresh start (a stream fell silent, nothing ever came), or None."""
    for watch, state in zip(watches, states, strict=True):
        if state.status is FeedStatus.STALE and watch.last is not None:
            route = watch.route
            return f"the {route.instrument} {_NAMES[route.kind]} fell silent, reconnecting"
    waits = [watch.mute_for(now) for watch in watches]
    if min(waits) > ALL_MUTE_SECONDS:
        return "the venue sent nothing, reconnecting"
    if max(waits) > ONE_MUTE_SECONDS:
        return "a stream stayed mute, reconnecting"
    return None


def _silence_limit(route: Route, instrument: Instrument) -> float | None:
    if route.kind is StreamKind.BARS:
        busy = instrument.flow is FlowSupport.FULL
        least = BARS_SILENCE_SECONDS if busy else THIN_BARS_SILENCE_SECONDS
        return max(least, instrument.silence_limit_seconds)
    if route.kind is StreamKind.TRADES and instrument.flow is not FlowSupport.FULL:
        return None
    return instrument.silence_limit_seconds


def _patience(route: Route, instrument: Instrument) -> float | None:
    """A thin market may go minutes without a trade, and without trades no bar is pushed."""
    if instrument.flow is FlowSupport.FULL or route.kind in (StreamKind.DEPTH, StreamKind.TICKER):
        return FIRST_MESSAGE_SECONDS
    return THIN_BARS_SILENCE_SECONDS if route.kind is StreamKind.BARS else None
