"""Telegram without a network: records what the bot sends and fails on command."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    GetMe,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import Chat, Message, PhotoSize, User

from tests.support.clock import START

TOKEN = "42:TEST"
BOT_USER = User(id=42, is_bot=True, first_name="Tapedesk", username="tapedesk_bot")
Failure = Callable[[TelegramMethod[Any]], Exception]
Sent = (SendMessage, SendPhoto)
Edited = (EditMessageText, EditMessageCaption, EditMessageMedia)


class RecordingSession(BaseSession):
    """Answers every method with success; `fail` queues failures for a kind of method."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[TelegramMethod[Any]] = []
        self._failures: list[tuple[type[TelegramMethod[Any]], Failure]] = []
        self._last_id = 1000

    def fail(self, kind: type[TelegramMethod[Any]], failure: Failure) -> None:
        """The next call of `kind` raises."""
        self._failures.append((kind, failure))

    def of(self, *kinds: type[TelegramMethod[Any]]) -> list[Any]:
        """The calls of these kinds, in order."""
        return [call for call in self.calls if isinstance(call, kinds)]

    def texts(self) -> list[str]:
        """Everything said in new messages, in order."""
        return [words(call) for call in self.of(*Sent)]

    async def make_request(
        self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        self.calls.append(method)
        for planned in self._failures:
            if isinstance(method, planned[0]):
                self._failures.remove(planned)
                raise planned[1](method)
        if isinstance(method, GetMe):
            return BOT_USER
        if isinstance(method, Sent):
            return self._message(bot, method)
        return True

    def _message(self, bot: Bot, method: SendMessage | SendPhoto) -> Message:
        self._last_id += 1
        size = PhotoSize(file_id="f", file_unique_id="u", width=9, height=9)
        message = Message(
            message_id=self._last_id,
            date=START,
            chat=Chat(id=int(method.chat_id), type="private"),
            photo=[size] if isinstance(method, SendPhoto) else None,
            text=method.text if isinstance(method, SendMessage) else None,
        )
        return message.as_(bot)

    async def close(self) -> None:
        """Nothing to close."""

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:
        yield b""


def words(call: Any) -> str:
    """The text of a call, whatever its field is called."""
    if isinstance(call, EditMessageMedia):
        return str(call.media.caption)
    return str(getattr(call, "text", None) or getattr(call, "caption", None) or "")


def labels(call: Any) -> list[str]:
    """The labels of the inline buttons of a call."""
    if call.reply_markup is None:
        return []
    return [button.text for row in call.reply_markup.inline_keyboard for button in row]


def datas(call: Any) -> list[str]:
    """The callback data of the inline buttons of a call."""
    if call.reply_markup is None:
        return []
    return [button.callback_data for row in call.reply_markup.inline_keyboard for button in row]
