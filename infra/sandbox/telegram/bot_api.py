"""Serves the Bot API: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import hmac
import logging
import sqlite3
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from infra.sandbox.telegram import account_methods as account
from infra.sandbox.telegram import editing, sending
from infra.sandbox.telegram.call import Call, read_call
from infra.sandbox.telegram.call_faults import (
    BAD_GATEWAY,
    BadGatewayError,
    CallFaults,
    NoAnswerError,
)
from infra.sandbox.telegram.faults import BotApiError
from infra.sandbox.telegram.world import World

log = logging.getLogger(__name__)

Method = Callable[[World, Call], Awaitable[object]]

METHODS: dict[str, Method] = {
    "getMe": account.get_me,
    "getUpdates": account.get_updates,
    "setWebhook": account.set_webhook,
    "deleteWebhook": account.delete_webhook,
    "getWebhookInfo": account.get_webhook_info,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendChatAction": sending.send_chat_action,
    "editMessageText": editing.edit_message_text,
    "editMessageCaption": editing.edit_message_caption,
    "editMessageMedia": editing.edit_message_media,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "deleteMessage": editing.delete_message,
    "pinChatMessage": editing.pin_chat_message,
    "unpinChatMessage": editing.unpin_chat_message,
    "unpinAllChatMessages": editing.unpin_all_chat_messages,
    "answerCallbackQuery": account.answer_callback_query,
    "setMyCommands": account.set_my_commands,
    "getMyCommands": account.get_my_commands,
    "deleteMyCommands": account.delete_my_commands,
    "setChatMenuButton": account.accept,
    "setMessageReaction": account.accept,
    "setMyDescription": account.accept,
    "setMyShortDescription": account.accept,
    "getChat": account.get_chat,
    "getFile": account.get_file,
}
"""Method names are matched without regard to case, as Telegram does."""


class BotApi:
    """Routes calls of the one bot whose token it knows."""

    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token
        self._methods = {name.lower(): method for name, method in METHODS.items()}
        self._faults = CallFaults(world.faults, world.wall)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Take over the Bot API's paths."""
        router.add_route("*", "/bot{token}/{method}", self._call)
        router.add_get("/file/bot{token}/{path}", self._download)

    async def _call(self, request: web.Request) -> web.Response:
        try:
            result = await self._answer(request)
        except BotApiError as e:
            return _refusal(e)
        except NoAnswerError:
            return _hang_up(request)
        except BadGatewayError:
            return web.Response(status=502, body=BAD_GATEWAY, content_type="text/html")
        except (sqlite3.Error, OSError) as e:
            log.warning("sandbox chat not stored", extra={"reason": str(e)})
            return _refusal(BotApiError(500, "Internal Server Error"))
        body = b'{"ok":true,"result":' + msgspec.json.encode(result) + b"}"
        return web.Response(body=body, content_type="application/json")

    async def _answer(self, request: web.Request) -> object:
        self._check_token(request)
        name = request.match_info["method"].lower()
        method = self._methods.get(name)
        if method is None:
            raise BotApiError(404, "Not Found: method not found")
        call = await read_call(request)

        async def work() -> object:
            result = await method(self._world, call)
            await self._world.store.flush()
            return result

        return await self._faults.around(name, call, work)

    def _check_token(self, request: web.Request) -> None:
        given = request.match_info["token"].encode()
        if not hmac.compare_digest(given, self._token.encode()):
            raise BotApiError(401, "Unauthorized")

    async def _download(self, request: web.Request) -> web.Response:
        try:
            self._check_token(request)
        except BotApiError as e:
            return _refusal(e)
        kept = self._world.files.find(request.match_info["path"])
        content = await self._world.files.read(kept) if kept is not None else None
        if kept is None or content is None:
            return _refusal(BotApiError(404, "Not Found"))
        return web.Response(body=content, content_type=kept.media_type)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refusal(error: BotApiError) -> web.Response:
    body: dict[str, object] = {
        "ok": False,
        "error_code": error.code,
        "description": error.description,
    }
    if error.retry_after is not None:
        body["parameters"] = {"retry_after": error.retry_after}
    return web.Response(
        body=msgspec.json.encode(body), status=error.code, content_type="application/json"
    )
