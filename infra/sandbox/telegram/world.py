"""Everything the sandbox Telegram holds, in one place for its methods and its control interface."""

from pathlib import Path

from core.clock import Clock, to_millis
from infra.sandbox.telegram.commands import CommandBook
from infra.sandbox.telegram.entities import FormattedText
from infra.sandbox.telegram.fault_board import TelegramFaults
from infra.sandbox.telegram.files import FileShelf
from infra.sandbox.telegram.people import SandboxUser
from infra.sandbox.telegram.records import RecordStore
from infra.sandbox.telegram.rooms import Room, RoomBook
from infra.sandbox.telegram.taps import OpenTaps
from infra.sandbox.telegram.updates import UpdateQueue
from infra.sandbox.telegram.wire import Message, User

DATABASE = "telegram.db"
FILES = "files"


class World:
    """The bot, the people and all they have said to each other."""

    def __init__(
        self, *, bot: User, users: tuple[SandboxUser, ...], wall: Clock, data_dir: Path
    ) -> None:
        self.bot = bot
        self.wall = wall
        self.store = RecordStore(data_dir / DATABASE)
        self.rooms = RoomBook(self.store)
        self.updates = UpdateQueue(self.store)
        self.faults = TelegramFaults(wall, self.updates)
        self.taps = OpenTaps(wall)
        self.files = FileShelf(self.store, data_dir / FILES)
        self.commands = CommandBook(self.store)
        self._users = users

    async def open(self) -> None:
        """Load what an earlier run has left.

        Ids of a fresh store start at the present time, so that they are above those of an older
        store that was thrown away while the bot's journal was kept.
        """
        rows = await self.store.open()
        self.rooms.restore(rows, self._users, to_millis(self.wall.utc_now()))
        self.updates.restore(rows, self.now())
        self.files.restore(rows)
        self.commands.restore(rows)

    def now(self) -> int:
        """Unix seconds of the wall clock."""
        return int(self.wall.utc_now().timestamp())

    def person_says(self, room: Room, formatted: FormattedText) -> int:
        """Put a person's text into the chat and queue its update; returns the update id."""
        message = self.rooms.add(
            room,
            Message(
                message_id=0,
                date=self.now(),
                chat=room.person.chat,
                from_=room.person.user,
                text=formatted.text,
                entities=formatted.entities,
            ),
        )
        return self.updates.add(message=message)
