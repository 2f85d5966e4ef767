"""The chart worker: a child process that answers chart requests on its standard streams.

It says that it is ready with one empty picture, lives on after a request it cannot draw, and ends
when its input ends. The desk that started it handles Ctrl-C.
"""

import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import msgspec

from core.errors import ChartError
from core.model.chart import ChartRequest
from core.model.market import Bar, Timeframe
from infra.charts.drawing import ChartDrawing
from infra.charts.wire import HEAD, Answer, Drawn, Refused, body_length, decode_request, frame

NOT_DRAWABLE = (
    ChartError,
    msgspec.MsgspecError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a strange request can cause; anything else is a fault and ends the worker."""


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer every request of `incoming` until it ends."""
    drawing = ChartDrawing()
    drawing.png(_warm_up())
    _send(outgoing, Drawn(png=b""))
    while (body := _next_body(incoming)) is not None:
        _send(outgoing, _answer(drawing, body))


def _answer(drawing: ChartDrawing, body: bytes) -> Answer:
    try:
        return Drawn(png=drawing.png(decode_request(body)))
    except NOT_DRAWABLE as e:
        return Refused(reason=str(e) or type(e).__name__)


def _next_body(incoming: BinaryIO) -> bytes | None:
    head = incoming.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length = body_length(head)
    body = incoming.read(length)
    return body if len(body) == length else None


def _send(outgoing: BinaryIO, answer: Answer) -> None:
    outgoing.write(frame(answer))
    outgoing.flush()


def _warm_up() -> ChartRequest:
    """A small chart with every digit in it, so that the first real one finds all glyphs loaded."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    bars = tuple(
        Bar(
            instrument="",
            timeframe=Timeframe.M15,
            open_time=start + timedelta(minutes=15 * place),
            open=12_345.0 + place,
            high=67_890.0,
            low=12_000.0,
            close=12_345.0,
            volume=1.0,
            buy_volume=0.5,
            trades=1,
            closed=True,
        )
        for place in range(50)
    )
    return ChartRequest(
        title="ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        stamp="0123456789-: UTC",
        watermark="SIMULATED",
        price_digits=2,
        bars=bars,
    )


def main() -> None:
    """Serve the standard streams; stray prints go to the error stream."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    try:
        serve(incoming, outgoing)
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main()
