"""Cards on their way to Telegram: post, edit in place, answer a tap."""

import asyncio
import logging
from dataclasses import dataclass, replace

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)
from aiogram.utils.formatting import Text

from bot.formats import TOAST_LIMIT, clip

log = logging.getLogger(__name__)

TOAST_SECONDS = 2.0
"""No order waits longer for its toast."""

_NOT_MODIFIED = "message is not modified"
_UNTOUCHABLE = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A message to be: text (or caption), buttons, perhaps a PNG."""

    text: Text
    keyboard: InlineKeyboardMarkup | None = None
    photo: bytes | None = None

    def without_decoration(self) -> "Card":
        """The last resort: the same words without picture and entities."""
        words, _ = self.text.render()
        return replace(self, text=Text(words), photo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message stands."""

    chat_id: int
    message_id: int
    has_photo: bool


async def post(
    bot: Bot, chat_id: int, card: Card, *, reply_to: int | None = None, silent: bool = False
) -> Message:
    """Send a new message; raises aiogram's errors."""
    reply = None
    if reply_to is not None:
        reply = ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)
    if card.photo is None:
        return await bot.send_message(
            chat_id,
            reply_markup=card.keyboard,
            reply_parameters=reply,
            disable_notification=silent,
            **card.text.as_kwargs(),
        )
    return await bot.send_photo(
        chat_id,
        _png(card.photo),
        reply_markup=card.keyboard,
        reply_parameters=reply,
        disable_notification=silent,
        **card.text.as_caption_kwargs(),
    )


async def edit(bot: Bot, place: Place, card: Card) -> None:
    """Change a message in place; one that already looks so, or is gone, is fine."""
    try:
        await _edit(bot, place, card)
    except TelegramBadRequest as error:
        if _NOT_MODIFIED not in error.message and not _is_untouchable(error):
            raise


async def _edit(bot: Bot, place: Place, card: Card) -> None:
    chat, message = place.chat_id, place.message_id
    buttons = card.keyboard
    if not place.has_photo:
        await bot.edit_message_text(
            chat_id=chat, message_id=message, reply_markup=buttons, **card.text.as_kwargs()
        )
    elif card.photo is None:
        await bot.edit_message_caption(
            chat_id=chat, message_id=message, reply_markup=buttons, **card.text.as_caption_kwargs()
        )
    else:
        media = InputMediaPhoto(media=_png(card.photo), **card.text.as_caption_kwargs())
        await bot.edit_message_media(media, chat_id=chat, message_id=message, reply_markup=buttons)


async def remove(message: Message) -> None:
    """Delete a message of ours; one that cannot be deleted stays."""
    try:
        await message.delete()
    except AiogramError as error:
        log.info("message not deleted", extra={"cause": str(error)})


async def acknowledge(
    query: CallbackQuery, text: str | None = None, *, alert: bool = False
) -> None:
    """Answer a tap, before any work. Never fails: what was tapped is done without a toast too."""
    try:
        async with asyncio.timeout(TOAST_SECONDS):
            await query.answer(None if text is None else clip(text, TOAST_LIMIT), show_alert=alert)
    except (AiogramError, TimeoutError) as error:
        log.info("toast not shown", extra={"cause": type(error).__name__})


def place_of(query: CallbackQuery) -> Place:
    """Where the tapped message stands (old messages no longer tell their content)."""
    message = query.message
    if message is None:
        raise ValueError("a tap without a message has no place")
    has_photo = isinstance(message, Message) and bool(message.photo)
    return Place(chat_id=message.chat.id, message_id=message.message_id, has_photo=has_photo)


def _png(content: bytes) -> BufferedInputFile:
    return BufferedInputFile(content, "chart.png")


def _is_untouchable(error: TelegramBadRequest) -> bool:
    return any(text in error.message for text in _UNTOUCHABLE)
