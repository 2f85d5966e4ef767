"""Bot API methods that change or remove what is in a chat."""

from msgspec.structs import replace

from infra.sandbox.telegram.call import Call
from infra.sandbox.telegram.entities import TEXT_LIMIT, check_length
from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.lookup import caption_of, media_caption, own_message, room_of, text_of
from infra.sandbox.telegram.markup import read_inline
from infra.sandbox.telegram.rooms import Room
from infra.sandbox.telegram.sending import TEXT_EMPTY, TEXT_TOO_LONG, find_document, find_photo
from infra.sandbox.telegram.wire import InputMedia, Message
from infra.sandbox.telegram.world import World

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


async def edit_message_text(world: World, call: Call) -> Message:
    """editMessageText: also removes the buttons when none are given."""
    room = room_of(world, call)
    message = own_message(world, room, call)
    formatted = text_of(call)
    if not formatted.text:
        raise bad_request(TEXT_EMPTY)
    check_length(formatted, TEXT_LIMIT, TEXT_TOO_LONG)
    if message.text is None:
        raise bad_request("there is no text in the message to edit")
    edited = replace(
        message,
        text=formatted.text,
        entities=formatted.entities,
        reply_markup=read_inline(call),
    )
    return _replace(world, room, message, edited)


async def edit_message_caption(world: World, call: Call) -> Message:
    """editMessageCaption: an empty caption removes it."""
    room = room_of(world, call)
    message = own_message(world, room, call)
    if message.file_id is None:
        raise bad_request("there is no caption in the message to edit")
    caption = caption_of(call)
    edited = replace(
        message,
        caption=caption.text or None,
        caption_entities=caption.entities,
        reply_markup=read_inline(call),
    )
    return _replace(world, room, message, edited)


async def edit_message_media(world: World, call: Call) -> Message:
    """editMessageMedia: another photo or document, with its own caption."""
    room = room_of(world, call)
    message = own_message(world, room, call)
    media = call.shape("media", InputMedia, "InputMedia JSON object")
    if media is None:
        raise bad_request("input media is empty")
    if media.type not in ("photo", "document"):
        raise bad_request(f"the sandbox shows photos and documents only, not {media.type}")
    caption = media_caption(media)
    upload = call.attachment(media.media)
    is_photo = media.type == "photo"
    edited = replace(
        message,
        text=None,
        entities=(),
        photo=(find_photo(world, media.media, upload),) if is_photo else (),
        document=None if is_photo else find_document(world, media.media, upload),
        caption=caption.text or None,
        caption_entities=caption.entities,
        reply_markup=read_inline(call),
    )
    return _replace(world, room, message, edited)


async def edit_message_reply_markup(world: World, call: Call) -> Message:
    """editMessageReplyMarkup: other buttons, or none."""
    room = room_of(world, call)
    message = own_message(world, room, call)
    edited = replace(message, reply_markup=read_inline(call))
    return _replace(world, room, message, edited)


async def delete_message(world: World, call: Call) -> bool:
    """deleteMessage: the bot's or the person's."""
    room = room_of(world, call)
    message_id = call.integer("message_id")
    if message_id not in room.messages:
        raise bad_request("message to delete not found")
    world.rooms.remove(room, message_id)
    return True


async def pin_chat_message(world: World, call: Call) -> bool:
    """pinChatMessage: the newest pin is the one the chat shows."""
    room = room_of(world, call)
    message_id = call.integer("message_id")
    if message_id not in room.messages:
        raise bad_request("message to pin not found")
    if message_id in room.pinned:
        room.pinned.remove(message_id)
    room.pinned.append(message_id)
    world.rooms.changed(room)
    return True


async def unpin_chat_message(world: World, call: Call) -> bool:
    """unpinChatMessage: the named message, else the newest pin."""
    room = room_of(world, call)
    named = call.text("message_id")
    message_id = call.integer("message_id") if named else (room.pinned or [0])[-1]
    if message_id not in room.pinned:
        raise bad_request("message to unpin not found")
    room.pinned.remove(message_id)
    world.rooms.changed(room)
    return True


async def unpin_all_chat_messages(world: World, call: Call) -> bool:
    """unpinAllChatMessages."""
    room = room_of(world, call)
    room.pinned.clear()
    world.rooms.changed(room)
    return True


def _replace(world: World, room: Room, message: Message, edited: Message) -> Message:
    if edited == message:
        raise bad_request(NOT_MODIFIED)
    dated = replace(edited, edit_date=world.now())
    world.rooms.put(room, dated)
    return dated
