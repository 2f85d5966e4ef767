"""Delivers the durable outbox: by priority, inside Telegram's limits, never twice by guesswork."""

import asyncio
import logging
from datetime import timedelta

from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import Message
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from bot.notices import Edits, Post, render
from bot.posting import Card, Place, edit, post
from bot.rate_limits import ChatLimits
from bot.services import Services
from core.event_bus import Mailbox
from core.model.notice import CardPlace, NoticePriority, OutboxItem

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
_BATCH = 100
_LONG_PAUSE_SECONDS = 5.0


class OutboxSender:
    """A supervised component; `mailbox` hears NoticesQueued, polling covers the rest."""

    def __init__(self, bot: Bot, services: Services, mailbox: Mailbox) -> None:
        self._bot = bot
        self._services = services
        self._outbox = services.outbox
        self._wall = services.clocks.wall
        self._mailbox = mailbox
        self._limits = ChatLimits(self._wall)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled; only journal errors leave this method."""
        self._wake.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._tick())
            group.create_task(self._work())

    async def deliver_due(self) -> float | None:
        """One round; seconds until a held item may go, None when nothing is held."""
        waits = []
        for item in await self._outbox.due(self._wall.utc_now(), _BATCH):
            wait = self._limits.wait_seconds(item.chat_id)
            if wait == 0:
                await self._deliver(item)
            elif wait > _LONG_PAUSE_SECONDS:
                await self._postpone(item, wait, "the chat asked for silence")
            else:
                waits.append(wait)
        return min(waits, default=None)

    async def _listen(self) -> None:
        async for _ in self._mailbox:
            self._wake.set()

    async def _tick(self) -> None:
        while True:
            await self._wall.sleep(POLL_SECONDS)
            self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while (held := await self.deliver_due()) is not None:
                await self._wall.sleep(held)

    async def _deliver(self, item: OutboxItem) -> None:
        delivery = await render(self._services, item)
        match delivery:
            case None:
                await self._give_up(item, "no longer worth telling")
            case Post():
                await self._send(item, delivery)
            case Edits():
                await self._edit(item, delivery)

    async def _send(self, item: OutboxItem, message: Post) -> None:
        try:
            sent = await self._post(item, message)
        except TelegramRetryAfter as error:
            await self._obey(item, error)
        except TelegramForbiddenError:
            await self._blocked(item)
        except (TelegramBadRequest, TelegramEntityTooLarge) as error:
            await self._give_up(item, str(error))
        except (TelegramNetworkError, TelegramServerError, ClientDecodeError) as error:
            await self._after_network_trouble(item, error)
        except AiogramError as error:
            await self._try_later(item, error)
        else:
            await self._remember(item, message, sent)

    async def _post(self, item: OutboxItem, message: Post) -> Message:
        """Send; a refused picture or formatting falls back to the bare words."""
        silent = item.notice.priority is NoticePriority.INFO
        card, chat, reply_to = message.card, item.chat_id, message.reply_to
        self._limits.take(chat)
        try:
            return await post(self._bot, chat, card, reply_to=reply_to, silent=silent)
        except (TelegramBadRequest, TelegramEntityTooLarge) as error:
            log.warning("card refused, sending bare words", extra={"cause": str(error)})
            self._limits.take(chat)
            bare = card.without_decoration()
            return await post(self._bot, chat, bare, reply_to=reply_to, silent=silent)

    async def _edit(self, item: OutboxItem, edits: Edits) -> None:
        try:
            for place, card in edits.changes:
                await self._change(place, card)
        except TelegramRetryAfter as error:
            await self._obey(item, error)
        except AiogramError as error:
            await self._try_later(item, error)
        else:
            await self._outbox.sent(item.id, self._wall.utc_now(), None)

    async def _change(self, place: Place, card: Card) -> None:
        """Edit one card; refused formatting falls back to bare words, a closed door is left."""
        self._limits.take(place.chat_id)
        try:
            await edit(self._bot, place, card)
        except TelegramForbiddenError:
            log.info("card not edited: the chat is closed", extra={"chat": place.chat_id})
        except TelegramBadRequest as error:
            log.warning("edit refused, trying bare words", extra={"cause": str(error)})
            await self._change_bare(place, card.without_decoration())

    async def _change_bare(self, place: Place, card: Card) -> None:
        self._limits.take(place.chat_id)
        try:
            await edit(self._bot, place, card)
        except TelegramBadRequest as error:
            log.warning("card not edited", extra={"cause": str(error)})

    async def _remember(self, item: OutboxItem, message: Post, sent: Message) -> None:
        if message.card_of is not None:
            place = CardPlace(
                signal_id=message.card_of,
                chat_id=item.chat_id,
                message_id=sent.message_id,
                has_photo=bool(sent.photo),
            )
            await self._services.signals.save_card(place)
        await self._outbox.sent(item.id, self._wall.utc_now(), sent.message_id)

    async def _obey(self, item: OutboxItem, error: TelegramRetryAfter) -> None:
        self._limits.pause(item.chat_id, error.retry_after)
        await self._postpone(item, error.retry_after, "flood control")

    async def _blocked(self, item: OutboxItem) -> None:
        await self._services.users.subscribe(item.chat_id, False)
        await self._give_up(item, "blocked by the user; messages switched off")

    async def _after_network_trouble(self, item: OutboxItem, error: AiogramError) -> None:
        """A message that may have arrived is not sent again."""
        if isinstance(error.__cause__, ClientConnectorError | ConnectionTimeoutError):
            await self._try_later(item, error)
        else:
            await self._give_up(item, f"possibly delivered: {type(error).__name__}")

    async def _try_later(self, item: OutboxItem, error: AiogramError) -> None:
        delay = min(2.0 ** min(item.attempts, 10), LONGEST_BACKOFF_SECONDS)
        await self._postpone(item, delay, f"{type(error).__name__}: {error}")

    async def _postpone(self, item: OutboxItem, seconds: float, reason: str) -> None:
        until = self._wall.utc_now() + timedelta(seconds=seconds)
        log.info("notice postponed", extra={"item": item.id, "seconds": seconds, "cause": reason})
        await self._outbox.postpone(item.id, until, reason)

    async def _give_up(self, item: OutboxItem, reason: str) -> None:
        log.warning("notice given up", extra={"item": item.id, "cause": reason})
        await self._outbox.fail(item.id, self._wall.utc_now(), reason)
