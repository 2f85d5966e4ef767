"""Checks the keyboards a bot sends, with Telegram's limits."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.sandbox.telegram.call import Call
from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.wire import InlineButton, InlineKeyboard, Shape

CALLBACK_DATA_BYTES = 64
COPY_TEXT_LENGTH = 256
BUTTONS_IN_ALL = 100
STYLES = frozenset({"primary", "success", "danger"})


class ReplyButton(Shape, frozen=True, kw_only=True):
    """A button that types its own text."""

    text: str


class ReplyMarkup(Shape, frozen=True, kw_only=True):
    """Any of the four reply markups, told apart by the field that is present."""

    inline_keyboard: tuple[tuple[InlineButton, ...], ...] | None = None
    keyboard: tuple[tuple[ReplyButton | str, ...], ...] | None = None
    remove_keyboard: bool = False
    force_reply: bool = False
    input_field_placeholder: str | None = None
    is_persistent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupChange:
    """What a `reply_markup` asks for. `keyboard` is None when the reply keyboard stays as it is."""

    inline: InlineKeyboard | None = None
    keyboard: tuple[tuple[str, ...], ...] | None = None
    placeholder: str | None = None


def read_markup(call: Call) -> MarkupChange:
    """The checked `reply_markup` of `call`; raises BotApiError."""
    markup = call.shape("reply_markup", ReplyMarkup, "reply keyboard markup JSON object")
    if markup is None:
        return MarkupChange()
    if markup.remove_keyboard:
        return MarkupChange(keyboard=())
    if markup.keyboard is not None:
        rows = tuple(tuple(_label(button) for button in row) for row in markup.keyboard if row)
        return MarkupChange(keyboard=rows, placeholder=markup.input_field_placeholder)
    return MarkupChange(inline=_checked_inline(markup.inline_keyboard or ()))


def read_inline(call: Call) -> InlineKeyboard | None:
    """The checked inline keyboard of an edit, or None for "no buttons"."""
    return read_markup(call).inline


def _label(button: ReplyButton | str) -> str:
    text = button if isinstance(button, str) else button.text
    if not text:
        raise bad_request("can't parse keyboard button: button text must be non-empty")
    return text


def _checked_inline(rows: tuple[tuple[InlineButton, ...], ...]) -> InlineKeyboard | None:
    kept = tuple(row for row in rows if row)
    for row in kept:
        for button in row:
            _check_button(button)
    if sum(map(len, kept)) > BUTTONS_IN_ALL:
        raise bad_request("reply markup is too long")
    return InlineKeyboard(inline_keyboard=kept) if kept else None


def _check_button(button: InlineButton) -> None:
    if not button.text:
        raise bad_request("can't parse inline keyboard button: button text must be non-empty")
    kinds = [k for k in (button.callback_data, button.url, button.copy_text) if k is not None]
    if not kinds:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.style is not None and button.style not in STYLES:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    _check_action(button)


def _check_action(button: InlineButton) -> None:
    data = button.callback_data
    if data is not None and not 1 <= len(data.encode()) <= CALLBACK_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if button.url is not None and not _good_url(button.url):
        raise bad_request(f"inline keyboard button URL '{button.url}' is invalid: Wrong HTTP URL")
    copied = button.copy_text
    if copied is not None and not 1 <= len(copied.text) <= COPY_TEXT_LENGTH:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _good_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "tg") and bool(parts.netloc)


def plain_rows(keyboard: InlineKeyboard | None) -> tuple[tuple[InlineButton, ...], ...]:
    """The rows of buttons, none for no keyboard."""
    return keyboard.inline_keyboard if keyboard is not None else ()
