"""How a chat looks to the control interface and to the chat page, ready to be written as JSON."""

from infra.sandbox.telegram.markup import plain_rows
from infra.sandbox.telegram.rooms import Room
from infra.sandbox.telegram.wire import InlineButton, Message
from infra.sandbox.telegram.world import World

Json = dict[str, object]


def chat_view(world: World, room: Room, messages: tuple[Message, ...] | None = None) -> Json:
    """The documented shape of `GET /api/chats/{user}`, of all messages or the given ones."""
    shown = tuple(room.messages.values()) if messages is None else messages
    return {
        "messages": [message_view(message) for message in shown],
        "toasts": [answer.text for answer in room.answers if answer.text],
        "keyboard": [list(row) for row in room.keyboard],
        "commands": world.commands.for_user(room.person.user),
    }


def message_view(message: Message) -> Json:
    """One message; dates are Unix seconds, absent things are null or empty."""
    replied = message.reply_to_message
    document = message.document
    return {
        "id": message.message_id,
        "from": "bot" if message.from_.is_bot else "user",
        "date": message.date,
        "text": message.text,
        "caption": message.caption,
        "entities": message.entities or message.caption_entities,
        "photo": f"/api/photos/{message.photo[-1].file_id}" if message.photo else None,
        "document": f"/api/documents/{document.file_id}" if document is not None else None,
        "reply_to": replied.message_id if replied is not None else None,
        "edited": message.edit_date,
        "buttons": [
            [_button_view(button) for button in row] for row in plain_rows(message.reply_markup)
        ],
    }


def page_view(world: World, room: Room, since: int, speed: float) -> Json:
    """What the page needs beside the chat; only messages changed after revision `since`."""
    changed = tuple(
        message
        for message_id, message in room.messages.items()
        if room.revisions.get(message_id, room.first_revision) > since
    )
    return {
        "revision": room.revision,
        "chat": chat_view(world, room, changed),
        "message_ids": list(room.messages),
        "media": {m.message_id: _media_view(m) for m in changed if m.file_id is not None},
        "pinned": room.pinned[-1] if room.pinned else None,
        "action": _action_view(world, room),
        "placeholder": room.placeholder,
        "answers": list(room.answers),
        "last_messages": {r.person.name: _last_line(r) for r in world.rooms.all()},
        "people": {r.person.name: r.person.first_name for r in world.rooms.all()},
        "bot": {"title": world.bot.first_name, "username": world.bot.username},
        "bot_is_up": world.updates.polled,
        "speed": speed,
    }


def _button_view(button: InlineButton) -> Json:
    view: Json = {"text": button.text, "data": button.callback_data, "style": button.style}
    if button.url is not None:
        view["url"] = button.url
    if button.copy_text is not None:
        view["copy"] = button.copy_text.text
    return view


def _media_view(message: Message) -> Json:
    if message.document is not None:
        return {"name": message.document.file_name, "size": message.document.file_size}
    photo = message.photo[-1]
    return {"width": photo.width, "height": photo.height}


def _action_view(world: World, room: Room) -> Json | None:
    if room.action is None:
        return None
    left = room.action.until - world.wall.monotonic()
    return {"name": room.action.name, "seconds": round(left, 2)} if left > 0 else None


def _last_line(room: Room) -> Json | None:
    if not room.messages:
        return None
    last = next(reversed(room.messages.values()))
    text = last.text or last.caption or ("Photo" if last.photo else "File")
    return {"id": last.message_id, "date": last.date, "text": text[:120]}
