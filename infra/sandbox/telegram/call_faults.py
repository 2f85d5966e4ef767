"""What happens to a call of the bot while faults are on: refused, unanswered, lost, falsified."""

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from core.clock import Clock
from infra.sandbox.fault_switch import FaultOrder
from infra.sandbox.telegram.call import Call
from infra.sandbox.telegram.fault_board import TelegramFaults, number, word
from infra.sandbox.telegram.faults import BotApiError, bad_request
from infra.sandbox.telegram.taps import TOO_OLD
from infra.sandbox.telegram.update_faults import twice, without
from infra.sandbox.telegram.updates import CONFLICT, Update
from infra.sandbox.telegram.wire import InputMedia

LOOK_SECONDS = 0.02
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head>Indisponible \xe0 5 h</html>"
"""As proxies write it: HTML in some old encoding."""
GET_UPDATES = "getupdates"

_MESSAGES = frozenset({"sendmessage", "sendphoto", "senddocument"})
_SENDS = _MESSAGES | {"sendchataction"}
_EDITS = frozenset(
    {"editmessagetext", "editmessagecaption", "editmessagemedia", "editmessagereplymarkup"}
)
_SCOPES: Mapping[str, frozenset[str]] = {
    "writes": _SENDS | _EDITS,
    "sends": _SENDS,
    "messages": _MESSAGES,
    "edits": _EDITS,
    "updates": frozenset({GET_UPDATES}),
    "answers": frozenset({"answercallbackquery"}),
}
_USUAL_SCOPE = {
    "conflict": "updates",
    "too_many_requests": "writes",
    "blocked_by_user": "writes",
    "cant_parse_entities": "writes",
    "edit_refused": "edits",
    "late_answers": "answers",
    "sent_then_lost": "messages",
}
"""Which calls a fault concerns when it is not said; else all."""
_EDIT_REFUSALS = {
    "not_found": "message to edit not found",
    "not_modified": "message is not modified",
    "cant_edit": "message can't be edited",
    "invalid_id": "MESSAGE_ID_INVALID",
}

Work = Callable[[], Awaitable[object]]


class NoAnswerError(Exception):
    """The connection ends without an answer."""


class BadGatewayError(Exception):
    """A proxy answers instead of Telegram."""


class CallFaults:
    """Stands between the bot and the methods."""

    def __init__(self, faults: TelegramFaults, wall: Clock) -> None:
        self._faults = faults
        self._wall = wall

    async def around(self, name: str, call: Call, work: Work) -> object:
        """The result of a call, unless faults have it otherwise.

        Raises BotApiError, NoAnswerError or BadGatewayError.
        """
        if self._concerned("slow", name, call) and (order := self._faults.order("slow")):
            self._faults.hits("slow")
            await self._wall.sleep(number(order, "delay"))
        await self._meet(name, call)
        result = await work()
        if name == GET_UPDATES:
            await self._meet(name, call)  # what began while the poll was waiting
            return self._falsified(cast("tuple[Update, ...]", result))
        if self._concerned("sent_then_lost", name, call) and self._faults.hits("sent_then_lost"):
            raise NoAnswerError
        return result

    async def _meet(self, name: str, call: Call) -> None:
        if self._concerned("outage", name, call):
            await self._out()
        if self._concerned("html_502", name, call) and self._faults.hits("html_502"):
            raise BadGatewayError
        for fault, refuse in _REFUSALS.items():
            order = self._faults.order(fault)
            if order and self._concerned(fault, name, call) and self._faults.hits(fault):
                raise refuse(order)

    async def _out(self) -> None:
        """No answer; a hanging connection hangs for as long as the outage lasts."""
        while (order := self._faults.order("outage")) and word(order, "how") == "hang":
            await self._wall.sleep(LOOK_SECONDS)
        self._faults.hits("outage")
        raise NoAnswerError

    def _concerned(self, fault: str, name: str, call: Call) -> bool:
        """Whether a fault is on and this call is of its kind and chat."""
        order = self._faults.order(fault)
        if order is None or (fault == "cant_parse_entities" and not _is_formatted(call)):
            return False
        chat = number(order, "chat")
        if chat and call.integer("chat_id") != chat:
            return False
        usual = _USUAL_SCOPE.get(fault, "all")
        scope = word(order, "on") if "on" in order.parameters else usual
        return scope == "all" or name in _SCOPES[scope]

    def _falsified(self, updates: tuple[Update, ...]) -> object:
        if not updates:
            return updates
        order = self._faults.order("missing_fields")
        if order is not None and self._faults.hits("missing_fields"):
            return [without(word(order, "what"), update) for update in updates]
        return twice(updates) if self._faults.hits("duplicate_updates") else updates


def _is_formatted(call: Call) -> bool:
    media = call.shape("media", InputMedia, "InputMedia JSON object")
    if media is not None and (media.caption_entities or media.parse_mode):
        return True
    names = ("entities", "caption_entities", "parse_mode")
    return any(call.text(name) not in (None, "", "[]") for name in names)


def _too_many(order: FaultOrder) -> BotApiError:
    wait = int(number(order, "retry_after"))
    return BotApiError(429, f"Too Many Requests: retry after {wait}", wait)


_REFUSALS: Mapping[str, Callable[[FaultOrder], BotApiError]] = {
    "unauthorized": lambda order: BotApiError(401, "Unauthorized"),
    "server_error": lambda order: BotApiError(
        int(number(order, "status")), "Internal Server Error"
    ),
    "conflict": lambda order: BotApiError(409, CONFLICT),
    "too_many_requests": _too_many,
    "blocked_by_user": lambda order: BotApiError(403, "Forbidden: bot was blocked by the user"),
    "cant_parse_entities": lambda order: bad_request(
        "can't parse entities: Can't find end of the entity starting at byte offset 0"
    ),
    "edit_refused": lambda order: bad_request(_EDIT_REFUSALS[word(order, "why")]),
    "late_answers": lambda order: bad_request(TOO_OLD),
}
