"""Faults of what a stream says: frames left out, repeated, shuffled, falsified or cut."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from core.errors import InvalidValueError
from infra.sandbox.exchange.falsify import BadNumbers, Garbage, closed_early, crossed, spiked
from infra.sandbox.exchange.streams import Stream, StreamKind
from infra.sandbox.fault_switch import FaultOrder

BURST_COPIES = 100
LATE_BY_FRAMES = 20
SPIKE_EVERY = 10
GAP_OF, GAP_EVERY = 3, 10
OVERSIZED_FRAME = b'{"stream":"' + b"x" * 2 * 2**20 + b'","data":{}}'

Alteration = Callable[[Stream, bytes], Sequence[bytes]]
"""What is sent instead of one frame."""


class FrameFaults:
    """The alterations in force: of payloads, and of whole frames on their way out."""

    def __init__(self, is_stream: Callable[[str], bool]) -> None:
        self._is_stream = is_stream
        self._of_payloads: dict[str, Alteration] = {}
        self._of_frames: dict[str, Alteration] = {}
        self.fired: Counter[str] = Counter()

    @property
    def known(self) -> Mapping[str, Sequence[str]]:
        """Names and their parameters: each can be limited to one stream."""
        return dict.fromkeys((*_OF_PAYLOADS, *_OF_FRAMES), ("stream",))

    def start(self, order: FaultOrder) -> None:
        """Alter from now on; raises InvalidValueError for a stream that does not exist."""
        make = _OF_PAYLOADS.get(order.name) or _OF_FRAMES[order.name]
        stream = order.parameters.get("stream")
        if stream is None and order.name == "mute_stream":
            raise InvalidValueError('mute_stream needs a "stream", e.g. "btcusdt@aggTrade"')
        if stream is not None and not (isinstance(stream, str) and self._is_stream(stream)):
            raise InvalidValueError(f"there is no stream {stream!r}, try e.g. 'btcusdt@aggTrade'")
        chosen = self._of_payloads if order.name in _OF_PAYLOADS else self._of_frames
        chosen[order.name] = make() if stream is None else _only(str(stream), make())

    def stop(self, name: str) -> None:
        """Leave frames alone again."""
        self._of_payloads.pop(name, None)
        self._of_frames.pop(name, None)

    def payloads(self, stream: Stream, payload: bytes) -> Sequence[bytes]:
        """What the stream says instead of `payload`."""
        return self._apply(self._of_payloads, stream, payload)

    def frames(self, stream: Stream, frame: bytes) -> Sequence[bytes]:
        """What leaves the socket instead of `frame`."""
        return self._apply(self._of_frames, stream, frame)

    def _apply(
        self, alterations: Mapping[str, Alteration], stream: Stream, frame: bytes
    ) -> Sequence[bytes]:
        said: Sequence[bytes] = (frame,)
        for name, alter in alterations.items():
            before, said = said, [altered for each in said for altered in alter(stream, each)]
            self.fired[name] += [*before] != said
        return said


def _only(name: str, alter: Alteration) -> Alteration:
    return lambda stream, frame: alter(stream, frame) if stream.name == name else (frame,)


def _mute(stream: Stream, frame: bytes) -> Sequence[bytes]:
    return ()


class _RepeatLast:
    """The next message of each stream, for ever."""

    def __init__(self) -> None:
        self._last: dict[Stream, bytes] = {}

    def __call__(self, stream: Stream, frame: bytes) -> Sequence[bytes]:
        return (self._last.setdefault(stream, frame),)


class _Disorder:
    """Neighbours change places."""

    def __init__(self) -> None:
        self._held: dict[Stream, bytes] = {}

    def __call__(self, stream: Stream, frame: bytes) -> Sequence[bytes]:
        held = self._held.pop(stream, None)
        if held is None:
            self._held[stream] = frame
            return ()
        return (frame, held)


class _LateSnapshots:
    """After each book comes one that is two seconds old."""

    def __init__(self) -> None:
        self._past: dict[Stream, list[bytes]] = {}

    def __call__(self, stream: Stream, frame: bytes) -> Sequence[bytes]:
        if stream.kind is not StreamKind.DEPTH:
            return (frame,)
        past = self._past.setdefault(stream, [])
        past.append(frame)
        return (frame,) if len(past) <= LATE_BY_FRAMES else (frame, past.pop(0))


class _Counted:
    """Each stream's frames are numbered from 0; `alter` decides by the number."""

    def __init__(self, alter: Callable[[Stream, bytes, int], Sequence[bytes]]) -> None:
        self._alter = alter
        self._numbers: dict[Stream, int] = {}

    def __call__(self, stream: Stream, frame: bytes) -> Sequence[bytes]:
        number = self._numbers.get(stream, 0)
        self._numbers[stream] = number + 1
        return self._alter(stream, frame, number)


def _drop_some_trades(stream: Stream, frame: bytes, number: int) -> Sequence[bytes]:
    lost = stream.kind is StreamKind.TRADES and 0 < number % GAP_EVERY <= GAP_OF
    return () if lost else (frame,)


def _spike_some(stream: Stream, frame: bytes, number: int) -> Sequence[bytes]:
    """Every tenth frame; of bars every one, because they are few."""
    hit = stream.kind is StreamKind.BARS or number % SPIKE_EVERY == 0
    return (spiked(stream, frame) if hit else frame,)


def _one_for_one(change: Callable[[Stream, bytes], bytes]) -> Callable[[], Alteration]:
    return lambda: lambda stream, frame: (change(stream, frame),)


_OF_PAYLOADS: Mapping[str, Callable[[], Alteration]] = {
    "silence": lambda: _mute,
    "mute_stream": lambda: _mute,
    "repeat_last": _RepeatLast,
    "duplicates": lambda: lambda stream, frame: (frame, frame),
    "disorder": _Disorder,
    "gaps": lambda: _Counted(_drop_some_trades),
    "late_snapshot": _LateSnapshots,
    "crossed_book": _one_for_one(crossed),
    "bad_numbers": BadNumbers,
    "spike": lambda: _Counted(_spike_some),
    "burst": lambda: lambda stream, frame: (frame,) * BURST_COPIES,
    "open_bar_as_closed": _one_for_one(closed_early),
}
_OF_FRAMES: Mapping[str, Callable[[], Alteration]] = {
    "truncated": lambda: lambda stream, frame: (frame[: len(frame) // 2],),
    "oversized": lambda: lambda stream, frame: (OVERSIZED_FRAME,),
    "garbage": Garbage,
}
