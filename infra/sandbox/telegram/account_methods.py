"""Bot API methods about the bot itself: identity, updates, taps, commands, files."""

from infra.sandbox.telegram.call import Call
from infra.sandbox.telegram.commands import check_scope
from infra.sandbox.telegram.faults import BotApiError, bad_request
from infra.sandbox.telegram.html_parser import utf16_length
from infra.sandbox.telegram.lookup import room_of
from infra.sandbox.telegram.rooms import TapAnswer
from infra.sandbox.telegram.updates import Update
from infra.sandbox.telegram.wire import BotCommand, CommandScope, to_plain
from infra.sandbox.telegram.world import World

LONGEST_POLL_SECONDS = 50
UPDATES_AT_ONCE = 100
ANSWER_LENGTH = 200

Answer = dict[str, object]


async def get_me(world: World, call: Call) -> Answer:
    """getMe."""
    answer: Answer = to_plain(world.bot)
    return answer | {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def get_updates(world: World, call: Call) -> tuple[Update, ...]:
    """getUpdates: long polling; the offset confirms everything below it."""
    allowed = call.shape("allowed_updates", tuple[str, ...], "allowed_updates JSON object")
    if allowed is not None:
        world.updates.allow(allowed)
    world.updates.confirm(call.integer("offset"))
    await world.store.flush()
    limit = min(max(call.integer("limit", UPDATES_AT_ONCE), 1), UPDATES_AT_ONCE)
    seconds = min(max(call.integer("timeout"), 0), LONGEST_POLL_SECONDS)
    return await world.updates.poll(limit, seconds)


async def delete_webhook(world: World, call: Call) -> bool:
    """deleteWebhook: there never is one; may drop waiting updates."""
    if call.flag("drop_pending_updates"):
        world.updates.clear()
    return True


async def set_webhook(world: World, call: Call) -> bool:
    """setWebhook: an empty address removes it, any other is refused."""
    if call.text("url"):
        raise bad_request("bad webhook: the sandbox calls nobody; use getUpdates")
    return await delete_webhook(world, call)


async def get_webhook_info(world: World, call: Call) -> Answer:
    """getWebhookInfo."""
    return {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": world.updates.waiting_count,
    }


async def answer_callback_query(world: World, call: Call) -> bool:
    """answerCallbackQuery: a toast, or a modal with show_alert; only the first answer shows."""
    text = call.text("text") or ""
    if utf16_length(text) > ANSWER_LENGTH:
        raise bad_request("MESSAGE_TOO_LONG")
    tap = world.taps.answer(call.text("callback_query_id") or "")
    room = world.rooms.by_id(tap.chat_id) if tap is not None else None
    if tap is not None and room is not None:
        shown = TapAnswer(update_id=tap.update_id, text=text, alert=call.flag("show_alert"))
        room.answers.append(shown)
        world.rooms.changed(room)
    return True


async def set_my_commands(world: World, call: Call) -> bool:
    """setMyCommands, with scope and language."""
    commands = call.shape("commands", tuple[BotCommand, ...], "commands JSON object")
    if commands is None:
        raise bad_request('parameter "commands" is required')
    world.commands.set(_scope(world, call), call.text("language_code") or "", commands)
    _show_all(world)
    return True


async def get_my_commands(world: World, call: Call) -> tuple[BotCommand, ...]:
    """getMyCommands of exactly one scope and language."""
    return world.commands.get(_scope(world, call), call.text("language_code") or "")


async def delete_my_commands(world: World, call: Call) -> bool:
    """deleteMyCommands of exactly one scope and language."""
    world.commands.set(_scope(world, call), call.text("language_code") or "", ())
    _show_all(world)
    return True


async def accept(world: World, call: Call) -> bool:
    """Methods that change nothing visible here, such as setChatMenuButton."""
    return True


async def get_chat(world: World, call: Call) -> Answer:
    """getChat of a private chat."""
    room = room_of(world, call)
    answer: Answer = to_plain(room.person.chat)
    answer |= {
        "accent_color_id": room.person.user_id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            (
                "unlimited_gifts",
                "limited_gifts",
                "unique_gifts",
                "premium_subscription",
                "gifts_from_channels",
            ),
            False,
        ),
    }
    if room.pinned:
        answer["pinned_message"] = to_plain(room.messages[room.pinned[-1]])
    return answer


async def get_file(world: World, call: Call) -> Answer:
    """getFile: its path serves under /file/bot<token>/."""
    kept = world.files.find(call.text("file_id") or "")
    if kept is None:
        raise BotApiError(400, "Bad Request: invalid file_id")
    return {
        "file_id": kept.file_id,
        "file_unique_id": f"u-{kept.file_id}",
        "file_size": kept.size,
        "file_path": kept.file_id,
    }


def _scope(world: World, call: Call) -> CommandScope:
    scope = call.shape("scope", CommandScope, "BotCommandScope JSON object")
    return check_scope(scope or CommandScope(), world.rooms.ids)


def _show_all(world: World) -> None:
    for room in world.rooms.all():
        world.rooms.show(room)
