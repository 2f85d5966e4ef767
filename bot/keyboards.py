"""Buttons, as pure functions of what they belong to."""

from collections.abc import Iterable, Sequence

from aiogram.enums import ButtonStyle
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)

from bot.analysis_cards import AnalysisCard
from bot.callbacks import (
    AnalysisTap,
    MenuAction,
    MenuTap,
    PositionAction,
    PositionTap,
    SignalAction,
    SignalTap,
)
from bot.formats import in_r, money, plain, quantity
from bot.position_cards import PositionView
from core.model.market import Timeframe
from core.model.position import Position, PositionState
from core.model.signal import Signal, SignalState

WORD_ANALYSE = "📈 Analyse"
WORD_SIGNALS = "🔔 Signals"
WORD_POSITIONS = "💼 Positions"
WORD_STATS = "📊 Stats"
WORD_JOURNAL = "📓 Journal"
WORD_HELP = "❓ Help"
WORDS = (
    (WORD_ANALYSE, WORD_SIGNALS),
    (WORD_POSITIONS, WORD_STATS),
    (WORD_JOURNAL, WORD_HELP),
)
CARD_TIMEFRAMES = (Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4)
_MOST_ROWS = 20


def words() -> ReplyKeyboardMarkup:
    """The keyboard of words below the chat (private chats only)."""
    rows = [[KeyboardButton(text=text) for text in row] for row in WORDS]
    return ReplyKeyboardMarkup(
        keyboard=rows,
        resize_keyboard=True,
        is_persistent=True,
        input_field_placeholder="BTCUSD h1",
    )


def signal(
    shown: Signal, position: Position | None, *, may_trade: bool
) -> InlineKeyboardMarkup | None:
    """What can still be done with a signal; None when nothing can."""
    match shown.state:
        case SignalState.OPEN if may_trade:
            return _rows([_execute(shown)], [_dismiss(shown)])
        case SignalState.DRIFTED if may_trade:
            tap = SignalTap(action=SignalAction.NEW_PRICE, id=shown.id, rev=shown.rev)
            return _rows([_button("↔ Use new price", tap, ButtonStyle.PRIMARY)], [_dismiss(shown)])
        case SignalState.EXECUTED if position is not None:
            return to_position(position)
        case _:
            return None


def to_position(position: Position) -> InlineKeyboardMarkup:
    """One button that opens the position's card."""
    return _rows([_button(f"💼 Position #{position.id}", _view(position))])


def position_card(view: PositionView, *, may_trade: bool) -> InlineKeyboardMarkup | None:
    """Close and refresh, while there is something to close."""
    position = view.position
    if position.state is PositionState.CLOSED:
        return None
    refresh = _position_tap(position, PositionAction.REFRESH)
    row = [_button("🔄 Refresh", refresh)]
    if may_trade and position.state is PositionState.OPEN:
        close = _position_tap(position, PositionAction.CLOSE)
        row.insert(0, _button(f"✖ Close {quantity(position.quantity)}", close, ButtonStyle.DANGER))
    return _rows(row)


def position_list(views: Sequence[PositionView]) -> InlineKeyboardMarkup | None:
    """A button per open position and one that refreshes the list."""
    if not views:
        return None
    rows = [[_button(_position_label(view), _view(view.position))] for view in views[:_MOST_ROWS]]
    return _rows(*rows, [_button("🔄 Refresh", MenuTap(action=MenuAction.POSITIONS))])


def signal_list(open_signals: Sequence[Signal]) -> InlineKeyboardMarkup | None:
    """A button per open signal that brings its card to the bottom of the chat."""
    if not open_signals:
        return None
    return _rows(*([_button(_signal_label(s), _show(s))] for s in open_signals[:_MOST_ROWS]))


def analysis(card: AnalysisCard, shown: Timeframe) -> InlineKeyboardMarkup:
    """Other timeframes, refresh, markets; on the first card also a practice signal."""
    frames = [
        _button(f"• {frame} •" if frame is shown else str(frame), _analysis_tap(card, frame))
        for frame in CARD_TIMEFRAMES
    ]
    below = [
        _button("🔄 Refresh", _analysis_tap(card, shown)),
        _button("📈 Markets", MenuTap(action=MenuAction.MARKETS)),
    ]
    practise = _button("▶ Practise Execute", MenuTap(action=MenuAction.PRACTICE))
    return _rows([practise], frames, below) if card.practice else _rows(frames, below)


def markets(cards: Iterable[AnalysisCard], timeframe: Timeframe) -> InlineKeyboardMarkup:
    """A button per instrument, two in a row."""
    buttons = [_button(plain(c.symbol, 20), _analysis_tap(c, timeframe)) for c in cards]
    return _rows(*(buttons[i : i + 2] for i in range(0, len(buttons), 2)))


def _rows(*rows: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[list(row) for row in rows])


def _button(
    text: str,
    tap: SignalTap | PositionTap | AnalysisTap | MenuTap,
    style: ButtonStyle | None = None,
) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=tap.pack(), style=style)


def _execute(shown: Signal) -> InlineKeyboardButton:
    label = f"✅ Execute {quantity(shown.quantity)} · risk {money(shown.risk)}"
    tap = SignalTap(action=SignalAction.EXECUTE, id=shown.id, rev=shown.rev)
    return _button(label, tap, ButtonStyle.SUCCESS)


def _dismiss(shown: Signal) -> InlineKeyboardButton:
    tap = SignalTap(action=SignalAction.DISMISS, id=shown.id, rev=shown.rev)
    return _button("🚫 Dismiss", tap, ButtonStyle.DANGER)


def _show(shown: Signal) -> SignalTap:
    return SignalTap(action=SignalAction.SHOW, id=shown.id, rev=shown.rev)


def _view(position: Position) -> PositionTap:
    return _position_tap(position, PositionAction.VIEW)


def _position_tap(position: Position, action: PositionAction) -> PositionTap:
    return PositionTap(action=action, id=position.id, rev=position.rev)


def _analysis_tap(card: AnalysisCard, timeframe: Timeframe) -> AnalysisTap:
    return AnalysisTap(timeframe=timeframe, id=card.id)


def _signal_label(shown: Signal) -> str:
    name = plain(shown.instrument, 12)
    return f"#{shown.id} {shown.side.upper()} {name} {shown.timeframe}"


def _position_label(view: PositionView) -> str:
    name = plain(view.position.instrument, 12)
    result = "" if view.result_r is None else f" {in_r(view.result_r)}"
    return f"#{view.position.id} {name}{result}"
