"""Updates as they should not be: twice, or with parts missing."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from infra.sandbox.telegram.updates import Update

HUGE_TEXT = 100_000

Json = dict[str, Any]


def twice(updates: Sequence[Update]) -> Sequence[Update]:
    """Each update two times in one answer."""
    return [update for update in updates for _ in range(2)]


def without(what: str, update: Update) -> Json:
    """An update that lacks its `sender`, its tapped `message`, or all `content`; or a huge `text`.

    A tap without its sender is no valid tap at all: no library can read it.
    """
    altered: Json = msgspec.json.decode(msgspec.json.encode(update))
    _CHANGES[what](altered)
    return altered


def _no_sender(update: Json) -> None:
    for kind in ("message", "callback_query"):
        update.get(kind, {}).pop("from", None)


def _no_message(update: Json) -> None:
    query = update.get("callback_query")
    if query is not None:
        message = query["message"]
        query["message"] = {**_only(message, "chat", "message_id"), "date": 0}


def _huge_text(update: Json) -> None:
    if "message" in update:
        update["message"]["text"] = "x" * HUGE_TEXT


def _no_content(update: Json) -> None:
    for kind in ("message", "callback_query"):
        update.pop(kind, None)


def _only(values: Json, *names: str) -> Json:
    return {name: values[name] for name in names}


_CHANGES: dict[str, Callable[[Json], None]] = {
    "sender": _no_sender,
    "message": _no_message,
    "text": _huge_text,
    "content": _no_content,
}
