"""Bot API methods that put something new into a chat."""

from msgspec.structs import replace

from infra.sandbox.telegram.call import Call, Upload
from infra.sandbox.telegram.entities import TEXT_LIMIT, check_length
from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.files import document, photo_size
from infra.sandbox.telegram.lookup import caption_of, room_of, text_of
from infra.sandbox.telegram.markup import read_markup
from infra.sandbox.telegram.rooms import Action, Room
from infra.sandbox.telegram.wire import Document, Message, PhotoSize, ReplyParameters
from infra.sandbox.telegram.world import World

ACTION_SECONDS = 5.0
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
TEXT_EMPTY = "message text is empty"
TEXT_TOO_LONG = "message is too long"


async def send_message(world: World, call: Call) -> Message:
    """sendMessage: a text with entities."""
    room = room_of(world, call)
    formatted = text_of(call)
    if not formatted.text:
        raise bad_request(TEXT_EMPTY)
    check_length(formatted, TEXT_LIMIT, TEXT_TOO_LONG)
    return _say(world, room, call, text=formatted.text, entities=formatted.entities)


async def send_photo(world: World, call: Call) -> Message:
    """sendPhoto: a PNG or JPEG, uploaded or known by its file id."""
    room = room_of(world, call)
    caption = caption_of(call)
    photo = find_photo(world, call.text("photo"), call.upload("photo"))
    return _say(
        world,
        room,
        call,
        photo=(photo,),
        caption=caption.text or None,
        caption_entities=caption.entities,
    )


async def send_document(world: World, call: Call) -> Message:
    """sendDocument: any file."""
    room = room_of(world, call)
    caption = caption_of(call)
    sent = find_document(world, call.text("document"), call.upload("document"))
    return _say(
        world,
        room,
        call,
        document=sent,
        caption=caption.text or None,
        caption_entities=caption.entities,
    )


async def send_chat_action(world: World, call: Call) -> bool:
    """sendChatAction: shown for five seconds or until the next message."""
    room = room_of(world, call)
    name = call.text("action") or ""
    if name not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    room.action = Action(name, world.wall.monotonic() + ACTION_SECONDS)
    world.rooms.show(room)
    return True


def find_photo(world: World, reference: str | None, upload: Upload | None) -> PhotoSize:
    """The picture a call sends; raises BotApiError."""
    if upload is not None:
        return world.files.add_photo(upload.name, upload.content)
    kept = world.files.find(reference or "")
    if kept is None or not kept.width:
        raise _no_such_file(reference, "photo")
    return photo_size(kept)


def find_document(world: World, reference: str | None, upload: Upload | None) -> Document:
    """The file a call sends; raises BotApiError."""
    if upload is not None:
        return world.files.add_document(upload.name, upload.content)
    kept = world.files.find(reference or "")
    if kept is None:
        raise _no_such_file(reference, "document")
    return document(kept)


def _no_such_file(reference: str | None, what: str) -> Exception:
    if not reference:
        return bad_request(f"there is no {what} in the request")
    if reference.startswith(("http://", "https://")):
        return bad_request("failed to get HTTP URL content: the sandbox opens no addresses")
    return bad_request(
        "wrong remote file identifier specified: can't unserialize it. Wrong last symbol"
    )


def _say(world: World, room: Room, call: Call, **content: object) -> Message:
    markup = read_markup(call)
    message = Message(
        message_id=0,
        date=world.now(),
        chat=room.person.chat,
        from_=world.bot,
        reply_to_message=_replied_to(room, call),
        reply_markup=markup.inline,
    )
    if markup.keyboard is not None:
        room.keyboard, room.placeholder = markup.keyboard, markup.placeholder
    return world.rooms.add(room, replace(message, **content))


def _replied_to(room: Room, call: Call) -> Message | None:
    reply = call.shape("reply_parameters", ReplyParameters, "reply parameters JSON object")
    if reply is None and call.text("reply_to_message_id"):
        reply = ReplyParameters(
            message_id=call.integer("reply_to_message_id"),
            allow_sending_without_reply=call.flag("allow_sending_without_reply"),
        )
    if reply is None:
        return None
    quoted = room.messages.get(reply.message_id)
    if quoted is not None:
        return replace(quoted, reply_to_message=None)
    if reply.allow_sending_without_reply:
        return None
    raise bad_request("message to be replied not found")
