"""Updates waiting for the bot: growing ids, confirmation by offset, one poller at a time."""

import asyncio
from collections.abc import Mapping

import msgspec

from infra.sandbox.telegram.bell import Bell
from infra.sandbox.telegram.faults import BotApiError
from infra.sandbox.telegram.records import RecordStore
from infra.sandbox.telegram.wire import CallbackQuery, Message, Shape, to_json

PREFIX = "update/"
NEXT_ID = "next_update_id"
ALLOWED = "allowed_updates"
AHEAD = 10
"""An offset further above the next id belongs to ids of another age: it confirms nothing."""
CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)


class Update(Shape, frozen=True, kw_only=True):
    """One incoming update: a message or a tap."""

    update_id: int
    message: Message | None = None
    callback_query: CallbackQuery | None = None


class UpdateQueue:
    """What the bot has not confirmed yet, oldest first."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._bell = Bell()
        self._waiting: dict[int, Update] = {}
        self._next_id = 1
        self._allowed: tuple[str, ...] = ()
        self._turn = 0
        self._interrupted = False
        self._delivered = 0
        self._closed = False

    def restore(self, rows: Mapping[str, str], first_id: int) -> None:
        """Read the records of an earlier run; a fresh store starts at `first_id`."""
        self._next_id = int(rows.get(NEXT_ID, first_id))
        self._allowed = msgspec.json.decode(rows.get(ALLOWED, "[]"), type=tuple[str, ...])
        for key in rows:
            if key.startswith(PREFIX):
                update = msgspec.json.decode(rows[key], type=Update)
                self._waiting[update.update_id] = update
        self._waiting = dict(sorted(self._waiting.items()))

    @property
    def polled(self) -> bool:
        """Whether a bot has asked for updates since the start."""
        return self._turn > 0

    @property
    def waiting_count(self) -> int:
        """Updates not confirmed yet."""
        return len(self._waiting)

    @property
    def next_id(self) -> int:
        """The id the next update will have."""
        return self._next_id

    def add(
        self, *, message: Message | None = None, callback_query: CallbackQuery | None = None
    ) -> int:
        """Queue an update and return its id; kinds the bot did not ask for are passed over."""
        update = Update(update_id=self._next_id, message=message, callback_query=callback_query)
        kind = "message" if message is not None else "callback_query"
        self._next_id += 1
        self._store.put(NEXT_ID, str(self._next_id))
        if not self._allowed or kind in self._allowed:
            self._waiting[update.update_id] = update
            self._store.put(f"{PREFIX}{update.update_id}", to_json(update))
            self._bell.ring()
        return update.update_id

    def allow(self, kinds: tuple[str, ...]) -> None:
        """Remember which kinds of updates the bot wants; none named means all."""
        if kinds != self._allowed:
            self._allowed = kinds
            self._store.put(ALLOWED, to_json(kinds))

    def confirm(self, offset: int) -> None:
        """Forget updates below `offset`; a negative one keeps only that many of the newest."""
        if offset < 0:
            confirmed = list(self._waiting)[:offset]
        elif offset > self._next_id + AHEAD:
            confirmed = []
        else:
            confirmed = [update_id for update_id in self._waiting if update_id < offset]
        for update_id in confirmed:
            del self._waiting[update_id]
            self._store.drop(f"{PREFIX}{update_id}")

    def clear(self) -> None:
        """Forget all waiting updates."""
        self.confirm(self._next_id)

    def begin_anew(self, first_id: int) -> None:
        """Number from `first_id` on, as Telegram may after a week; what was delivered is over."""
        self.confirm(self._delivered + 1)
        left = tuple(self._waiting.values())
        self.clear()
        self._next_id, self._delivered = first_id, 0
        for update in left:
            self.add(message=update.message, callback_query=update.callback_query)

    def interrupt(self) -> None:
        """Let the running (else the next) poll end with what there is."""
        self._interrupted = True
        self._bell.ring()

    async def poll(self, limit: int, timeout_seconds: float) -> tuple[Update, ...]:
        """Wait for updates; a newer poll ends this one with 409."""
        self._turn += 1
        turn = self._turn
        self._bell.ring()
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self._waiting and not self._closed and not self._interrupted:
                    await self._bell.wait()
                    if self._turn != turn:
                        raise BotApiError(409, CONFLICT)
        except TimeoutError:
            return ()
        self._interrupted = False
        found = tuple(self._waiting.values())[:limit]
        self._delivered = found[-1].update_id if found else self._delivered
        return found

    def close(self) -> None:
        """Let every poll end now."""
        self._closed = True
        self._bell.ring()
