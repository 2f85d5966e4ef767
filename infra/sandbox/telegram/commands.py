"""The command menus a bot sets, by scope and language."""

import re
from collections.abc import Mapping

import msgspec

from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.records import RecordStore
from infra.sandbox.telegram.wire import BotCommand, CommandScope, User, to_json

RECORD = "commands"
COMMANDS_IN_ALL = 100
DESCRIPTION_LENGTH = 256
WORD = re.compile(r"[a-z0-9_]{1,32}")
CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})
SCOPES = CHAT_SCOPES | {
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
}

Menu = tuple[BotCommand, ...]


class CommandBook:
    """Remembers menus; `for_user` picks the narrowest one as Telegram's clients do."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._menus: dict[str, Menu] = {}

    def restore(self, rows: Mapping[str, str]) -> None:
        """Read the records of an earlier run."""
        self._menus = msgspec.json.decode(rows.get(RECORD, "{}"), type=dict[str, Menu])

    def set(self, scope: CommandScope, language: str, commands: Menu) -> None:
        """Set a menu; an empty one removes it. Raises BotApiError."""
        if len(commands) > COMMANDS_IN_ALL:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not WORD.fullmatch(command.command):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command.description) <= DESCRIPTION_LENGTH:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        key = _key(scope, language)
        self._menus.pop(key, None)
        if commands:
            self._menus[key] = commands
        self._store.put(RECORD, to_json(self._menus))

    def get(self, scope: CommandScope, language: str) -> Menu:
        """The menu set for exactly this scope and language."""
        return self._menus.get(_key(scope, language), ())

    def for_user(self, user: User) -> Menu:
        """What the user's menu shows in their private chat with the bot."""
        scopes = (
            CommandScope(type="chat", chat_id=user.id),
            CommandScope(type="all_private_chats"),
            CommandScope(),
        )
        for scope in scopes:
            for language in (user.language_code or "", ""):
                if menu := self.get(scope, language):
                    return menu
        return ()


def check_scope(scope: CommandScope, known_chats: frozenset[int]) -> CommandScope:
    """Refuse scopes Telegram does not have or chats that do not exist."""
    if scope.type not in SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    if scope.type in CHAT_SCOPES and scope.chat_id not in known_chats:
        raise bad_request("chat not found")
    return scope


def _key(scope: CommandScope, language: str) -> str:
    return f"{scope.type}/{scope.chat_id or ''}/{language}"
