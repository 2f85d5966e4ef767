"""Turns what a bot or a person wrote into the text and entities a chat shows, within limits."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.html_parser import parse_html, utf16_length
from infra.sandbox.telegram.wire import MessageEntity

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
"""Counted in UTF-16 units: the stricter of the two ways Telegram's clients count."""

FORMATTING = frozenset(
    {
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    }
)
DETECTED = {
    "bot_command": re.compile(r"(?<![\w/<>@])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])"),
    "url": re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]"),
    "mention": re.compile(r"(?<![\w@])@[A-Za-z]\w{4,31}(?!\w)", re.ASCII),
    "hashtag": re.compile(r"(?<![\w#])#\d*[^\W\d]\w*"),
    "cashtag": re.compile(r"(?<![\w$])\$[A-Z]{1,8}(?!\w)"),
}
OPAQUE = frozenset({"code", "pre", "text_link", "date_time", "url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormattedText:
    """A text as a chat shows it; entity offsets count UTF-16 units."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


def format_text(
    source: str, parse_mode: str | None, entities: Sequence[MessageEntity] | None
) -> FormattedText:
    """Parse `source` as Telegram would; raises BotApiError in Telegram's words."""
    mode = (parse_mode or "").lower()
    if mode not in ("", "html"):
        raise bad_request(f"unsupported parse_mode: the sandbox reads HTML only, not {parse_mode}")
    if mode == "html":
        text, found = parse_html(source)
    else:
        text, found = source, _checked(source, entities or ())
    return _tidy(text, found)


def check_length(formatted: FormattedText, limit: int, refusal: str) -> None:
    """Refuse a text longer than `limit` UTF-16 units with `refusal`."""
    if utf16_length(formatted.text) > limit:
        raise bad_request(refusal)


def _checked(text: str, entities: Iterable[MessageEntity]) -> list[MessageEntity]:
    end = utf16_length(text)
    kept = []
    for entity in entities:
        if entity.offset < 0 or entity.length < 0 or entity.offset + entity.length > end:
            raise bad_request(
                f"entity beginning at UTF-16 offset {entity.offset} ends after the end of the "
                f"text at UTF-16 offset {entity.offset + entity.length}"
            )
        if entity.type in FORMATTING and entity.length:
            kept.append(entity)
    return kept


def _tidy(text: str, entities: Iterable[MessageEntity]) -> FormattedText:
    stripped = text.strip(" \t\r\n")
    cut = utf16_length(text[: len(text) - len(text.lstrip(" \t\r\n"))])
    end = utf16_length(stripped)
    kept = []
    for entity in entities:
        start = max(0, entity.offset - cut)
        length = min(end, entity.offset + entity.length - cut) - start
        if length > 0:
            kept.append(replace(entity, offset=start, length=length))
    kept.extend(_detected(stripped, kept))
    kept.sort(key=lambda entity: (entity.offset, -entity.length))
    return FormattedText(text=stripped, entities=tuple(kept))


def _detected(text: str, known: Sequence[MessageEntity]) -> list[MessageEntity]:
    taken = [(e.offset, e.offset + e.length) for e in known if e.type in OPAQUE]
    found = []
    for kind, pattern in DETECTED.items():
        for match in pattern.finditer(text):
            start = utf16_length(text[: match.start()])
            length = utf16_length(match[0])
            if all(start >= end or start + length <= begin for begin, end in taken):
                found.append(MessageEntity(type=kind, offset=start, length=length))
                taken.append((start, start + length))
    return found
