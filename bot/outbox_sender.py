"""Delivers the durable outbox: by priority, inside Telegram's limits, never twice by guesswork."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from aiogram import Bot
from aiogram.enums import ChatAction
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
from aiogram.methods import GetMe
from aiogram.types import Message
from aiogram.utils.formatting import Text
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from bot.flood_control import chat_of
from bot.notices import Edits, Post, render
from bot.posting import Card, Place, edit, post
from bot.rate_limits import ChatLimits
from bot.services import Services
from bot.telegram_link import TelegramLink
from core.event_bus import Mailbox
from core.model.notice import CardPlace, NoticePriority, OutboxItem

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
_BATCH = 100
_LONG_PAUSE_SECONDS = 5.0
_AT_ONCE = 0.0
_LONGEST_REASON = 200
SENT_AGAIN = "🔁 Sent again, because Telegram did not confirm it the first time."


class OutboxSender:
    """A supervised component; `mailbox` hears NoticesQueued, polling covers the rest.

    While Telegram is away nothing is tried: what waits then goes out once, most important first.
    """

    def __init__(self, bot: Bot, services: Services, mailbox: Mailbox, link: TelegramLink) -> None:
        self._bot = bot
        self._link = link
        self._services = services
        self._outbox = services.outbox
        self._wall = services.clocks.wall
        self._mailbox = mailbox
        self._limits = ChatLimits(self._wall)
        self._wake = asyncio.Event()
        self._away = False
        self._unconfirmed: set[int] = set()

    async def run(self) -> None:
        """Deliver until cancelled; only journal errors leave this method."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._tick())
            await self._work(group)

    async def deliver_due(self) -> float | None:
        """One round; seconds until a held item may go, None when nothing is held.

        A round ends early (0) when Telegram is away or there is news, for the order to be right.
        """
        self._wake.clear()
        await self._reach_telegram()
        waits = []
        for item in await self._outbox.due(self._wall.utc_now(), _BATCH):
            wait = self._limits.wait_seconds(item.chat_id)
            if wait == 0:
                await self._deliver(item)
                if self._away or self._wake.is_set():
                    return _AT_ONCE
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

    async def _work(self, group: asyncio.TaskGroup) -> None:
        while True:
            held = await self.deliver_due()
            if held == _AT_ONCE:
                continue
            alarm = None if held is None else group.create_task(self._wake_after(held))
            await self._wake.wait()
            if alarm is not None:
                alarm.cancel()

    async def _wake_after(self, seconds: float) -> None:
        await self._wall.sleep(seconds)
        self._wake.set()

    async def _reach_telegram(self) -> None:
        """After trouble: wait until Telegram answers something harmless."""
        if self._away or self._link.away:
            await self._bot(GetMe())
            self._away = False

    async def _deliver(self, item: OutboxItem) -> None:
        delivery = await render(self._services, item)
        match delivery:
            case None:
                await self._give_up(item, "no longer worth telling")
            case Post() if item.id not in self._unconfirmed:
                await self._send(item, delivery)
            case Post():
                await self._send_again(item, delivery)
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

    async def _send_again(self, item: OutboxItem, message: Post) -> None:
        """Something that harms nobody goes first, before a message is risked a second time."""
        try:
            await self._bot.send_chat_action(item.chat_id, ChatAction.TYPING)
        except TelegramRetryAfter as error:
            await self._obey(item, error)
        except TelegramForbiddenError:
            await self._blocked(item)
        except AiogramError as error:
            await self._try_later(item, error)
        else:
            await self._send(item, _repeated(message))

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
        self._unconfirmed.discard(item.id)
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
        chat = chat_of(error.method) or item.chat_id
        self._limits.pause(chat, error.retry_after)
        await self._postpone(item, error.retry_after, "flood control")

    async def _blocked(self, item: OutboxItem) -> None:
        await self._services.users.subscribe(item.chat_id, False)
        await self._give_up(item, "blocked by the user; messages switched off")

    async def _after_network_trouble(self, item: OutboxItem, error: AiogramError) -> None:
        """A message that may have arrived is not sent again, but for money: once, and marked."""
        provably_lost = isinstance(error.__cause__, ClientConnectorError | ConnectionTimeoutError)
        money = item.notice.priority is NoticePriority.MONEY
        if provably_lost or (money and item.id not in self._unconfirmed):
            if not provably_lost:
                self._unconfirmed.add(item.id)
            await self._try_later(item, error)
        else:
            self._away = True
            await self._give_up(item, f"possibly delivered: {type(error).__name__}")

    async def _try_later(self, item: OutboxItem, error: AiogramError) -> None:
        """As soon as Telegram answers; later when it does and still refuses this one."""
        self._away = True
        delay = min(2.0 ** min(item.attempts, 10) - 1, LONGEST_BACKOFF_SECONDS)
        await self._postpone(item, delay, f"{type(error).__name__}: {error}"[:_LONGEST_REASON])

    async def _postpone(self, item: OutboxItem, seconds: float, reason: str) -> None:
        until = self._wall.utc_now() + timedelta(seconds=seconds)
        log.info("notice postponed", extra={"item": item.id, "seconds": seconds, "cause": reason})
        await self._outbox.postpone(item.id, until, reason)

    async def _give_up(self, item: OutboxItem, reason: str) -> None:
        self._unconfirmed.discard(item.id)
        log.warning("notice given up", extra={"item": item.id, "cause": reason})
        await self._outbox.fail(item.id, self._wall.utc_now(), reason)


def _repeated(message: Post) -> Post:
    card = message.card
    return replace(message, card=replace(card, text=Text(SENT_AGAIN, "\n", card.text)))
