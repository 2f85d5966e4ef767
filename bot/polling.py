"""Long polling that says hello, survives outages, and lets handlers in flight finish."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiogram import Bot, Dispatcher

log = logging.getLogger(__name__)

POLL_SECONDS = 10
DRAIN_SECONDS = 1.0
MOST_HANDLERS = 64


class Polling:
    """Runs the dispatcher for one bot; the supervisor restarts it after network trouble."""

    def __init__(
        self, bot: Bot, dispatcher: Dispatcher, on_ready: Callable[[], Awaitable[None]]
    ) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._on_ready = on_ready
        self._greeted = False

    async def run(self) -> None:
        """Poll until cancelled; raises AiogramError while Telegram cannot be reached."""
        if not self._greeted:
            await self._on_ready()
            self._greeted = True
        await self._dispatcher.start_polling(
            self._bot,
            polling_timeout=POLL_SECONDS,
            handle_signals=False,
            close_bot_session=False,
            allowed_updates=self._dispatcher.resolve_used_update_types(),
            tasks_concurrency_limit=MOST_HANDLERS,
        )

    async def stop(self) -> None:
        """Take no more updates, then give handlers already running a moment to finish."""
        with suppress(RuntimeError):  # it was not polling
            await self._dispatcher.stop_polling()
        running = {task for task in asyncio.all_tasks() if _is_handler(task)}
        if running:
            _, late = await asyncio.wait(running, timeout=DRAIN_SECONDS)
            for task in late:
                log.warning("handler cut off", extra={"task": task.get_name()})
                task.cancel()


def _is_handler(task: asyncio.Task[object]) -> bool:
    """aiogram runs each update as a task of this coroutine and keeps no public list of them."""
    coroutine = task.get_coro()
    return getattr(coroutine, "__qualname__", "").startswith("Dispatcher._process_update")
