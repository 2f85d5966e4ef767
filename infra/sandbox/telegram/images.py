"""Width and height of PNG and JPEG pictures, read from their first bytes."""

import struct

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8"
PNG_HEADER_BYTES = 24
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def picture_size(content: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels, or None when `content` is neither PNG nor JPEG."""
    if content.startswith(PNG_MAGIC) and len(content) >= PNG_HEADER_BYTES:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    return _jpeg_size(content) if content.startswith(JPEG_MAGIC) else None


def picture_type(content: bytes) -> str:
    """The media type of a picture that `picture_size` knows."""
    return "image/png" if content.startswith(PNG_MAGIC) else "image/jpeg"


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 (marker byte)
        marker = content[at + 1]
        if marker in FRAME_MARKERS:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", content[at + 2 : at + 4])[0])
    return None
