"""Falsified payloads: wrong in one thing each, otherwise as the venue sends them."""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import cycle, product
from typing import Any

from infra.sandbox.exchange.streams import Stream, StreamKind

SPIKE_FACTOR = 10
_MISSING = object()
_BAD_NUMBERS: tuple[object, ...] = (
    "NaN", float("nan"), "Infinity", None, "-1", "0", "1e308", -5, "", "abc", [], {}, True,
    _MISSING,
)  # fmt: skip
_LATEST_MS = 9_999_999_999_998
"""Read as a time it lies in the year 2286."""
_PRICES = {
    StreamKind.TRADES: ("p",),
    StreamKind.TICKER: ("b", "a"),
    StreamKind.BARS: ("o", "h", "l", "c"),
}
_SIDES = ("bids", "asks", "b", "a")


def crossed(stream: Stream, payload: bytes) -> bytes:
    """The bid above the ask; other streams as they are."""
    body = json.loads(payload)
    if stream.kind is StreamKind.TICKER:
        body["b"], body["a"] = body["a"], body["b"]
    elif stream.kind is StreamKind.DEPTH:
        bids, asks = ("bids", "asks") if "bids" in body else ("b", "a")
        body[bids], body[asks] = body[asks], body[bids]
    else:
        return payload
    return _text(body)


def spiked(stream: Stream, payload: bytes) -> bytes:
    """Ten times the price; of a bar only the high."""
    body = json.loads(payload)
    if stream.kind is StreamKind.DEPTH:
        for side in filter(body.__contains__, _SIDES):
            body[side] = [[_tenfold(price), size] for price, size in body[side]]
    elif stream.kind is StreamKind.BARS:
        body["k"]["h"] = _tenfold(body["k"]["h"])
    else:
        for name in _PRICES[stream.kind]:
            body[name] = _tenfold(body[name])
    return _text(body)


def closed_early(stream: Stream, payload: bytes) -> bytes:
    """A bar that claims to be closed; other streams as they are."""
    if stream.kind is not StreamKind.BARS:
        return payload
    body = json.loads(payload)
    body["k"]["x"] = True
    return _text(body)


class BadNumbers:
    """Every frame has one field that is no honest number, each time another one."""

    def __init__(self) -> None:
        self._choices: dict[StreamKind, Iterator[tuple[str, object]]] = {
            kind: cycle([*_LEAPS.get(kind, ()), *product(fields, _BAD_NUMBERS)])
            for kind, fields in (*_PRICES.items(), (StreamKind.DEPTH, ("price", "size")))
        }

    def __call__(self, stream: Stream, payload: bytes) -> Sequence[bytes]:
        body = json.loads(payload)
        field, value = next(self._choices[stream.kind])
        if stream.kind is StreamKind.DEPTH:
            best = body["bids" if "bids" in body else "b"][0]
            _put(best, 0 if field == "price" else 1, value)
        else:
            _put(body["k"] if stream.kind is StreamKind.BARS else body, field, value)
        return (_text(body),)


class Garbage:
    """Bytes and texts that mean nothing, the same ones in every run."""

    def __init__(self) -> None:
        self._source = random.Random(8)
        self._next = cycle((self._noise, self._text, self._nested, self._other_words))

    def __call__(self, stream: Stream, frame: bytes) -> Sequence[bytes]:
        return (next(self._next)(),)

    def _noise(self) -> bytes:
        return self._source.randbytes(self._source.randrange(1, 400))

    def _text(self) -> bytes:
        return "".join(self._source.choices('{}[]",:0e-\\u\u00e9\u2603 ab', k=80)).encode()

    def _nested(self) -> bytes:
        return b'{"data":' + b"[" * 5_000

    def _other_words(self) -> bytes:
        return self._source.choice((b"", b"null", b"[]", b"0", b'{"e":5}', b'{"stream":{}}'))


_LEAPS: dict[StreamKind, tuple[tuple[str, object], ...]] = {
    StreamKind.TRADES: (("T", _LATEST_MS), ("a", 2**62))
}
"""Wrong by far, and yet within what the field may hold."""


def _put(body: Any, key: str | int, value: object) -> None:
    if value is _MISSING:
        del body[key]
    else:
        body[key] = value


def _tenfold(price: str) -> str:
    return str(float(price) * SPIKE_FACTOR)


def _text(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
