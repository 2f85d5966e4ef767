"""Telegram's HTML: nested tags become entities; every fault is answered in Telegram's words."""

import re
from dataclasses import dataclass, field

from msgspec.structs import replace

from infra.sandbox.telegram.faults import BotApiError, bad_request
from infra.sandbox.telegram.wire import MessageEntity

TAG_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-time": "date_time",
}
NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
TOKEN = re.compile(
    r"<(/?)([^\s<>]*)([^<>]*)>|<|&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-z]+);?|[^<&]+|&"
)
ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
DATE_TIME_FORMAT = re.compile(r"r|w?[dD]?[tT]?")
LANGUAGE_PREFIX = "language-"
LINK_STARTS = ("http://", "https://", "tg://")
UNIX_TIME = re.compile(r"[0-9]{1,12}")
LARGEST_CODE_POINT = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)


def utf16_length(text: str) -> int:
    """Length of `text` in UTF-16 units, the unit of entity offsets."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(slots=True)
class _OpenTag:
    name: str
    start: int
    attributes: dict[str, str]


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    pieces: list[str] = field(default_factory=list)
    position: int = 0
    open_tags: list[_OpenTag] = field(default_factory=list)
    entities: list[MessageEntity] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        self.pieces.append(text)
        self.position += utf16_length(text)


def parse_html(source: str) -> tuple[str, list[MessageEntity]]:
    """The plain text of `source` and its entities; raises BotApiError."""
    reading = _Reading()
    for token in TOKEN.finditer(source):
        if token[0].startswith("<"):
            byte_offset = len(source[: token.start()].encode())
            _read_tag(reading, token, byte_offset)
        else:
            reading.add_text(_character(token[4], token[0]) if token[4] else token[0])
    if reading.open_tags:
        name = reading.open_tags[-1].name
        raise _fault(f'Can\'t find end tag corresponding to start tag "{name}"')
    return "".join(reading.pieces), reading.entities


def _fault(reason: str) -> BotApiError:
    return bad_request(f"can't parse entities: {reason}")


def _character(reference: str, as_written: str) -> str:
    if not reference.startswith("#"):
        return NAMED_CHARACTERS.get(reference, as_written)
    digits = reference[1:]
    code = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    known = 0 < code <= LARGEST_CODE_POINT and code not in SURROGATES
    return chr(code) if known else as_written


def _read_tag(reading: _Reading, token: re.Match[str], byte_offset: int) -> None:
    name = (token[2] or "").lower()
    if token[1]:
        _close_tag(reading, name, byte_offset)
        return
    if name not in TAG_TYPES:
        raise _fault(f'Unsupported start tag "{name}" at byte offset {byte_offset}')
    attributes = {
        found[1].lower(): found[2] or found[3] or found[4] or ""
        for found in ATTRIBUTE.finditer(token[3] or "")
    }
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _fault(f'Tag "span" must have class "tg-spoiler" at byte offset {byte_offset}')
    reading.open_tags.append(_OpenTag(name, reading.position, attributes))


def _close_tag(reading: _Reading, name: str, byte_offset: int) -> None:
    if not reading.open_tags:
        raise _fault(f"Unexpected end tag at byte offset {byte_offset}")
    tag = reading.open_tags.pop()
    if name not in ("", tag.name):
        raise _fault(
            f"Unmatched end tag at byte offset {byte_offset}, "
            f'expected "</{tag.name}>", found "</{name}>"'
        )
    length = reading.position - tag.start
    if length and (entity := _entity(reading, tag, length)) is not None:
        reading.entities.append(entity)


def _entity(reading: _Reading, tag: _OpenTag, length: int) -> MessageEntity | None:
    plain = MessageEntity(type=TAG_TYPES[tag.name], offset=tag.start, length=length)
    match tag.name:
        case "a":
            return _link(plain, tag.attributes.get("href") or "".join(reading.pieces)[-length:])
        case "pre":
            return _pre(reading, plain)
        case "tg-time":
            return _date_time(plain, tag.attributes)
        case "code" | "blockquote" | "tg-emoji":
            return _with_attribute(plain, tag.attributes)
    return plain


def _link(plain: MessageEntity, url: str) -> MessageEntity | None:
    return replace(plain, url=url) if url.startswith(LINK_STARTS) else None


def _with_attribute(plain: MessageEntity, attributes: dict[str, str]) -> MessageEntity:
    if plain.type == "custom_emoji":
        return replace(plain, custom_emoji_id=attributes.get("emoji-id", ""))
    if plain.type == "blockquote":
        return replace(plain, type="expandable_blockquote") if "expandable" in attributes else plain
    style = attributes.get("class", "")
    marked = style.startswith(LANGUAGE_PREFIX)
    return replace(plain, language=style.removeprefix(LANGUAGE_PREFIX)) if marked else plain


def _pre(reading: _Reading, plain: MessageEntity) -> MessageEntity:
    inner = reading.entities[-1] if reading.entities else None
    if inner is None or (inner.type, inner.offset, inner.length) != (
        "code",
        plain.offset,
        plain.length,
    ):
        return plain
    reading.entities.pop()
    return replace(plain, language=inner.language)


def _date_time(plain: MessageEntity, attributes: dict[str, str]) -> MessageEntity:
    unix, shape = attributes.get("unix", ""), attributes.get("format")
    if not UNIX_TIME.fullmatch(unix):
        raise _fault('Tag "tg-time" must have a valid attribute "unix"')
    if shape is not None and not DATE_TIME_FORMAT.fullmatch(shape):
        raise _fault(f'Tag "tg-time" has an invalid attribute "format": "{shape}"')
    return replace(plain, unix_time=int(unix), date_time_format=shape)
