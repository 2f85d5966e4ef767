"""Finds what a call speaks of: its chat, its message, its text."""

from infra.sandbox.telegram.call import Call
from infra.sandbox.telegram.entities import CAPTION_LIMIT, FormattedText, check_length, format_text
from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.rooms import Room
from infra.sandbox.telegram.wire import InputMedia, Message, MessageEntity
from infra.sandbox.telegram.world import World

CAPTION_TOO_LONG = "message caption is too long"


def room_of(world: World, call: Call, name: str = "chat_id") -> Room:
    """The chat a call is for; raises BotApiError."""
    given = (call.text(name) or "").strip()
    if not given:
        raise bad_request("chat_id is empty")
    room = world.rooms.by_id(call.integer(name))
    if room is None:
        raise bad_request("chat not found")
    return room


def own_message(world: World, room: Room, call: Call) -> Message:
    """The bot's own message that a call edits; raises BotApiError."""
    if not call.text("message_id"):
        raise bad_request("message identifier is not specified")
    message = room.messages.get(call.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if message.from_.id != world.bot.id:
        raise bad_request("message can't be edited")
    return message


def text_of(call: Call) -> FormattedText:
    """The `text` of a call with its entities."""
    return format_text(
        call.text("text") or "", call.text("parse_mode"), _entities(call, "entities")
    )


def caption_of(call: Call) -> FormattedText:
    """The `caption` of a call with its entities; raises BotApiError when it is too long."""
    caption = format_text(
        call.text("caption") or "", call.text("parse_mode"), _entities(call, "caption_entities")
    )
    check_length(caption, CAPTION_LIMIT, CAPTION_TOO_LONG)
    return caption


def media_caption(media: InputMedia) -> FormattedText:
    """The caption that comes with new media."""
    caption = format_text(media.caption or "", media.parse_mode, media.caption_entities)
    check_length(caption, CAPTION_LIMIT, CAPTION_TOO_LONG)
    return caption


def _entities(call: Call, name: str) -> tuple[MessageEntity, ...] | None:
    return call.shape(name, tuple[MessageEntity, ...], "entities JSON object")
