"""How the desk and the chart worker talk: a length in four bytes, then MessagePack."""

import struct

import msgspec

from core.model.chart import ChartRequest

HEAD = struct.Struct(">I")


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """The picture. An empty one says that the worker is ready."""

    png: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why there is no picture."""

    reason: str


Answer = Drawn | Refused

_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(ChartRequest)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def frame(message: ChartRequest | Answer) -> bytes:
    """`message` with its length in front."""
    body = _encoder.encode(message)
    return HEAD.pack(len(body)) + body


def body_length(head: bytes) -> int:
    """Length of the body that follows these four bytes."""
    length: int = HEAD.unpack(head)[0]
    return length


def decode_request(body: bytes) -> ChartRequest:
    """The request in a body; raises msgspec.MsgspecError."""
    return _request_decoder.decode(body)


def decode_answer(body: bytes) -> Answer:
    """The answer in a body; raises msgspec.MsgspecError."""
    return _answer_decoder.decode(body)
