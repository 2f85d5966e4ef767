"""The Bot API's own shapes, as far as the sandbox speaks them; absent fields stay off the wire."""

from typing import Any

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every shape: frozen, and None is never written."""


class User(Shape, frozen=True, kw_only=True):
    """A person or a bot. `is_bot` is always written."""

    id: int
    is_bot: bool
    first_name: str
    username: str | None = None
    language_code: str | None = None


class Chat(Shape, frozen=True, kw_only=True):
    """A private chat; its id is the person's id."""

    id: int
    type: str
    first_name: str | None = None
    username: str | None = None


class MessageEntity(Shape, frozen=True, kw_only=True):
    """One formatted range; `offset` and `length` count UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    custom_emoji_id: str | None = None
    unix_time: int | None = None
    date_time_format: str | None = None


class CopyText(Shape, frozen=True, kw_only=True):
    """The text a copy button puts on the clipboard."""

    text: str


class InlineButton(Shape, frozen=True, kw_only=True):
    """One button under a message."""

    text: str
    style: str | None = None
    callback_data: str | None = None
    url: str | None = None
    copy_text: CopyText | None = None


class InlineKeyboard(Shape, frozen=True, kw_only=True):
    """Rows of buttons under a message."""

    inline_keyboard: tuple[tuple[InlineButton, ...], ...]


class PhotoSize(Shape, frozen=True, kw_only=True):
    """One size of a photo; width and height in pixels, size in bytes."""

    file_id: str
    file_unique_id: str
    width: int
    height: int
    file_size: int


class Document(Shape, frozen=True, kw_only=True):
    """A file; size in bytes."""

    file_id: str
    file_unique_id: str
    file_name: str
    mime_type: str
    file_size: int


class Message(Shape, frozen=True, kw_only=True):
    """A message of a private chat; dates are Unix seconds."""

    message_id: int
    date: int
    chat: Chat
    from_: User = msgspec.field(name="from")
    edit_date: int | None = None
    text: str | None = None
    entities: tuple[MessageEntity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[MessageEntity, ...] = ()
    photo: tuple[PhotoSize, ...] = ()
    document: Document | None = None
    reply_to_message: "Message | None" = None
    reply_markup: InlineKeyboard | None = None

    @property
    def file_id(self) -> str | None:
        """The file this message shows, if any."""
        if self.document is not None:
            return self.document.file_id
        return self.photo[-1].file_id if self.photo else None


class InaccessibleMessage(Shape, frozen=True, kw_only=True):
    """A message that is gone; its date is always 0."""

    chat: Chat
    message_id: int
    date: int


class CallbackQuery(Shape, frozen=True, kw_only=True):
    """A tap on a button with data; `message` is a Message or an InaccessibleMessage, as JSON."""

    id: str
    from_: User = msgspec.field(name="from")
    message: msgspec.Raw
    chat_instance: str
    data: str


class BotCommand(Shape, frozen=True, kw_only=True):
    """A command of the menu."""

    command: str
    description: str


class CommandScope(Shape, frozen=True, kw_only=True):
    """Whom a command list is for."""

    type: str = "default"
    chat_id: int | None = None


class ReplyParameters(Shape, frozen=True, kw_only=True):
    """Which message is answered."""

    message_id: int
    allow_sending_without_reply: bool = False


class InputMedia(Shape, frozen=True, kw_only=True):
    """New media of an edited message; `media` is attach://name or a known file id."""

    type: str
    media: str
    caption: str | None = None
    parse_mode: str | None = None
    caption_entities: tuple[MessageEntity, ...] | None = None


def to_raw(value: Shape) -> msgspec.Raw:
    """A shape as JSON that is passed on as it is."""
    return msgspec.Raw(msgspec.json.encode(value))


def to_json(value: object) -> str:
    """The JSON text of a shape or of plain values."""
    return msgspec.json.encode(value).decode()


def to_plain(value: object) -> Any:
    """Plain dictionaries and lists of a shape."""
    return msgspec.to_builtins(value)
