"""What a failed call looks like from inside: always one of aiogram's errors, and noted."""

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import GetMe, GetUpdates, Response
from aiogram.methods.base import TelegramMethod, TelegramType

from bot.telegram_link import TelegramLink


class ReadableAnswers(BaseRequestMiddleware):
    """A page in some old encoding is as unreadable as any other; `/health` hears of troubles."""

    def __init__(self, link: TelegramLink) -> None:
        self._link = link

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """The answer; raises AiogramError only."""
        try:
            return await make_request(bot, method)
        except UnicodeDecodeError as error:
            self._note(method, UNCONFIRMED)
            raise ClientDecodeError("unreadable answer", error, None) from error
        except AiogramError as error:
            self._note(method, _words(error))
            raise

    def _note(self, method: object, what: str | None) -> None:
        """Polls keep the link's own state."""
        if what is not None and not isinstance(method, GetUpdates | GetMe):
            self._link.noted(what)


UNCONFIRMED = "Telegram did not confirm a message"


def _words(error: AiogramError) -> str | None:
    match error:
        case TelegramRetryAfter(retry_after=seconds):
            return f"Telegram asked for {seconds} s of silence in a chat"
        case TelegramForbiddenError():
            return "somebody has blocked the bot"
        case TelegramNetworkError() | TelegramServerError() | ClientDecodeError():
            return UNCONFIRMED
        case _:
            return None
