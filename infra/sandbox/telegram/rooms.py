"""The private chats: messages, reply keyboard, pins, toasts; each change raises the revision."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from infra.sandbox.telegram.bell import Bell
from infra.sandbox.telegram.people import SandboxUser
from infra.sandbox.telegram.records import RecordStore
from infra.sandbox.telegram.wire import Message, Shape, to_json

MESSAGES_KEPT = 500
ANSWERS_KEPT = 50
ROOM_PREFIX = "room/"
MESSAGE_PREFIX = "message/"
Keyboard = tuple[tuple[str, ...], ...]


class TapAnswer(Shape, frozen=True, kw_only=True):
    """The bot's answer to a tap, as the person sees it."""

    update_id: int
    text: str = ""
    alert: bool = False


class RoomRecord(Shape, frozen=True, kw_only=True):
    """What is stored of a room beside its messages."""

    next_message_id: int
    keyboard: Keyboard = ()
    placeholder: str | None = None
    pinned: tuple[int, ...] = ()
    answers: tuple[TapAnswer, ...] = ()


@dataclass(slots=True)
class Action:
    """A chat action such as typing, shown until `until` (the wall clock's monotonic seconds)."""

    name: str
    until: float


@dataclass(slots=True, kw_only=True)
class Room:
    """One person's chat with the bot. `revisions` tells when a message last changed."""

    person: SandboxUser
    first_revision: int
    revision: int
    messages: dict[int, Message] = field(default_factory=dict)
    revisions: dict[int, int] = field(default_factory=dict)
    next_message_id: int = 1
    keyboard: Keyboard = ()
    placeholder: str | None = None
    pinned: list[int] = field(default_factory=list)
    answers: deque[TapAnswer] = field(default_factory=lambda: deque(maxlen=ANSWERS_KEPT))
    action: Action | None = None
    bell: Bell = field(default_factory=Bell)


class RoomBook:
    """All rooms; every change goes through here, so that it is stored and seen."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._rooms: dict[int, Room] = {}

    def restore(
        self, rows: Mapping[str, str], people: tuple[SandboxUser, ...], revision: int
    ) -> None:
        """Make a room per person and fill it from an earlier run.

        `revision` must be larger than any an earlier run has shown to a page.
        """
        self._rooms = {
            person.user_id: Room(person=person, first_revision=revision, revision=revision)
            for person in people
        }
        for key, body in rows.items():
            if key.startswith(ROOM_PREFIX):
                self._restore_room(int(key.removeprefix(ROOM_PREFIX)), body)
            elif key.startswith(MESSAGE_PREFIX):
                self._restore_message(msgspec.json.decode(body, type=Message))
        for room in self._rooms.values():
            room.messages = dict(sorted(room.messages.items()))

    @property
    def ids(self) -> frozenset[int]:
        """Ids of all chats."""
        return frozenset(self._rooms)

    def by_id(self, chat_id: int) -> Room | None:
        """The room of a chat id."""
        return self._rooms.get(chat_id)

    def by_name(self, name: str) -> Room | None:
        """The room of owner, trader, viewer or stranger."""
        return next((r for r in self._rooms.values() if r.person.name == name), None)

    def all(self) -> tuple[Room, ...]:
        """Every room, in the order of the people."""
        return tuple(self._rooms.values())

    def add(self, room: Room, message: Message) -> Message:
        """Append `message` under the room's next id and return it with that id."""
        placed = msgspec.structs.replace(message, message_id=room.next_message_id)
        room.next_message_id += 1
        if placed.from_.is_bot:
            room.action = None
        self.put(room, placed)
        while len(room.messages) > MESSAGES_KEPT:
            self.remove(room, next(iter(room.messages)))
        return placed

    def put(self, room: Room, message: Message) -> None:
        """Store a new or edited message."""
        room.messages[message.message_id] = message
        self._store.put(_message_key(room, message.message_id), to_json(message))
        self.changed(room, message.message_id)

    def remove(self, room: Room, message_id: int) -> None:
        """Delete a message."""
        del room.messages[message_id]
        room.revisions.pop(message_id, None)
        if message_id in room.pinned:
            room.pinned.remove(message_id)
        self._store.drop(_message_key(room, message_id))
        self.changed(room)

    def changed(self, room: Room, message_id: int | None = None) -> None:
        """Raise the revision, store the room and wake the pages that show it."""
        self._store.put(f"{ROOM_PREFIX}{room.person.user_id}", to_json(_record(room)))
        self.show(room)
        if message_id is not None:
            room.revisions[message_id] = room.revision

    def show(self, room: Room) -> None:
        """Wake the pages for something that is not stored."""
        room.revision += 1
        room.bell.ring()

    def _restore_room(self, chat_id: int, body: str) -> None:
        room = self._rooms.get(chat_id)
        if room is None:
            return
        record = msgspec.json.decode(body, type=RoomRecord)
        room.next_message_id = record.next_message_id
        room.keyboard, room.placeholder = record.keyboard, record.placeholder
        room.pinned = list(record.pinned)
        room.answers.extend(record.answers)

    def _restore_message(self, message: Message) -> None:
        room = self._rooms.get(message.chat.id)
        if room is not None:
            room.messages[message.message_id] = message


def _record(room: Room) -> RoomRecord:
    return RoomRecord(
        next_message_id=room.next_message_id,
        keyboard=room.keyboard,
        placeholder=room.placeholder,
        pinned=tuple(room.pinned),
        answers=tuple(room.answers),
    )


def _message_key(room: Room, message_id: int) -> str:
    return f"{MESSAGE_PREFIX}{room.person.user_id}/{message_id}"
