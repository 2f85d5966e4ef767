"""From raw frames to the sink, and to the watches what was news: the hot path."""

import logging
from collections.abc import Callable, Sequence

from core.clock import Clock
from core.model.market import Bar, Book, Quote, TradeTick
from core.ports.market import MarketSink
from infra.binance.binance_parse import (
    Control,
    ControlKind,
    Frame,
    Rejected,
    RejectReason,
    Route,
    StreamKind,
    parse_other,
    parse_routed,
    quote_of,
    route_of,
)
from infra.binance.frame_order import FrameOrder, Unfit
from infra.binance.stream_watch import StreamWatch
from infra.binance.trade_sequence import Leap, Missing, TradeSequence

log = logging.getLogger(__name__)

CountReject = Callable[[str | None, str], None]
"""Told (instrument or None, reason) of every frame that was not believed."""


def ignore_rejects(instrument: str | None, reason: str) -> None:
    """For callers that do not count."""


_CARRIED = {
    StreamKind.TRADES: TradeTick,
    StreamKind.DEPTH: Book,
    StreamKind.BARS: Bar,
    StreamKind.TICKER: Quote,
}


class StreamReader:
    """Reads one connection, and the ones that replace it."""

    def __init__(
        self,
        market: Clock,
        sink: MarketSink,
        watches: Sequence[StreamWatch],
        sequences: dict[str, TradeSequence],
        count_reject: CountReject,
    ) -> None:
        self.watches = watches
        self._by_number = {watch.route.number: watch for watch in watches}
        self._now = market.monotonic
        self._sink = sink
        self._sequences = sequences
        self._count_reject = count_reject
        self._routes = {watch.route.stream.encode(): watch.route for watch in watches}
        self._order = FrameOrder()

    def connection_opened(self, wall_now: float) -> None:
        """What comes next comes over a new connection."""
        self._order.connection_opened()
        for watch in self.watches:
            watch.opened(wall_now)

    def take(self, raw: bytes) -> bool:
        """Deliver one frame; False when the venue asks us to connect anew."""
        received = self._now()
        route = route_of(raw, self._routes)
        if route is None:
            return self._take_other(raw, received)
        self._use(parse_routed(raw, route, received), self._by_number[route.number], raw, received)
        return True

    def _take_other(self, raw: bytes, received: float) -> bool:
        frame = parse_other(raw, routes=self._routes, received=received)
        if isinstance(frame, Control):
            fields = {"kind": frame.kind.value, "detail": frame.detail}
            log.info("stream control frame", extra=fields)
            return frame.kind is not ControlKind.SHUTDOWN
        if frame.instrument is None:
            # Nobody's frame may have been anybody's.
            for watch in self.watches:
                watch.refused(RejectReason.MALFORMED)
            self._count_reject(None, RejectReason.MALFORMED)
            return True
        for watch in self.watches:
            if watch.route.instrument == frame.instrument and isinstance(
                frame, _CARRIED[watch.route.kind]
            ):
                self._use(frame, watch, raw, received)
        return True

    def _use(self, frame: Frame, watch: StreamWatch, raw: bytes, received: float) -> None:
        unfit = self._unfit(frame, watch.route, raw)
        if unfit is not None:
            watch.refused(unfit)
            self._count_reject(watch.route.instrument, unfit)
            return
        watch.heard(received)
        self._deliver(frame)

    def _unfit(self, frame: Frame, route: Route, raw: bytes) -> str | None:
        """Why the frame is no news; None when it is."""
        match frame:
            case Rejected():
                return frame.reason.value
            case TradeTick():
                return self._check_trade(frame)
        if self._order.is_repeated(route.number, raw):
            return Unfit.REPEATED.value
        if isinstance(frame, Book) and self._order.is_late(route.number, frame):
            return Unfit.LATE_BOOK.value
        return None

    def _check_trade(self, tick: TradeTick) -> str | None:
        sequence = self._sequences.get(tick.instrument)
        if sequence is None:
            sequence = self._sequences[tick.instrument] = TradeSequence()
        verdict = sequence.accept(tick)
        if verdict is False:
            return Unfit.DUPLICATE_TRADE.value
        if isinstance(verdict, Leap):
            return Unfit.LEAP.value
        if isinstance(verdict, Missing):
            self._sink.on_gap(tick.instrument, verdict.first, verdict.last)
        return None

    def _deliver(self, frame: Frame) -> None:
        match frame:
            case TradeTick():
                self._sink.on_trade(frame)
            case Book():
                self._sink.on_book(frame)
                self._sink.on_quote(quote_of(frame))
            case Quote():
                self._sink.on_quote(frame)
            case Bar():
                self._sink.on_bar(frame)
