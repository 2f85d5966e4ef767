"""The signal card: one caption for each state a signal can be in."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from aiogram.utils.formatting import Bold, Pre, Text, as_list

from bot import formats
from bot.formats import CAPTION_LIMIT, clock_time, lots, money, plain, sentence, signed_money
from core.model.position import Position, PositionState
from core.model.signal import Side, Signal, SignalKind, SignalState

NO_MONEY_MOVED = "No money moved."
_NOTE_LIMIT = 140
_MOST_TARGETS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalView:
    """A signal with what is needed to show it."""

    signal: Signal
    position: Position | None
    """What it became, when executed."""
    digits: int
    watermark: str
    picture: bool = True
    """False when the chart could not be drawn."""


def signal_caption(view: SignalView) -> Text:
    """The whole card as a photo caption (<= 1024 units)."""
    signal = view.signal
    parts = [_title(view), Bold(_STATUS[signal.state](view)), Pre(_levels(view)), *_risk(signal)]
    tail = _tail(view)
    room = CAPTION_LIMIT - len(as_list(*parts, *tail)) - 1
    notes = formats.fitting(_notes(signal), room)
    return as_list(*parts, *notes, *tail)


def side_word(side: Side) -> str:
    """`🟢 BUY` or `🔴 SELL`."""
    return "🟢 BUY" if side is Side.BUY else "🔴 SELL"


def nothing_moved(cause: str | None, limit: int = 300) -> str:
    """Why there was no order, and, once, that no money moved."""
    said = sentence(cause or "The order was refused", limit)
    return said if NO_MONEY_MOVED in said else f"{said} {NO_MONEY_MOVED}"


def slippage(signal: Signal, position: Position, digits: int) -> str:
    """How the fill compares with the price on the card, in price."""
    worse = (position.entry.value - signal.entry.price.value) * signal.side.sign
    if worse == 0:
        return "exactly the price on the card"
    word = "worse" if worse > 0 else "better"
    return f"{formats.price(abs(worse), digits)} {word} than the card"


def _title(view: SignalView) -> Text:
    signal = view.signal
    practice = " · practice" if signal.kind is SignalKind.PRACTICE else ""
    return Text(
        Bold(f"{side_word(signal.side)} {plain(signal.instrument, 12)} · {signal.timeframe}"),
        f" · #{signal.id}{practice} · {plain(view.watermark, 16)}",
    )


def _open(view: SignalView) -> str:
    if view.signal.kind is SignalKind.PRACTICE:
        return "🎓 A card to practise on: tap Execute and see what happens"
    grade = f"Rule's confidence {view.signal.confidence * 100:.0f} of 100"
    ratio = view.signal.reward_risk
    return grade if ratio is None else f"{grade} · reward {ratio:.1f} × risk"


def _executing(view: SignalView) -> str:
    return "⏳ Sending…"


def _executed(view: SignalView) -> str:
    position = view.position
    if position is None:
        return "✅ Executed"
    filled = f"✅ Filled at {formats.price(position.entry, view.digits)}"
    if position.state is PositionState.CLOSED:
        return f"🏁 Closed{_result(position)}"
    return f"{filled}, {slippage(view.signal, position, view.digits)}"


def _result(position: Position) -> str:
    if position.profit is None:
        return ""
    result_r = position.result_r
    in_r = "" if result_r is None else f" ({formats.in_r(result_r)})"
    return f": {signed_money(position.profit)}{in_r}"


def _dismissed(view: SignalView) -> str:
    at = view.signal.acted_at
    return f"🚫 Dismissed{'' if at is None else f' at {clock_time(at)}'}. {NO_MONEY_MOVED}"


def _expired(view: SignalView) -> str:
    return f"⌛ Expired at {clock_time(view.signal.expires_at)}. {NO_MONEY_MOVED}"


def _drifted(view: SignalView) -> str:
    return f"↔ The price moved away from this card. {NO_MONEY_MOVED}"


def _rejected(view: SignalView) -> str:
    return f"❌ Not executed: {nothing_moved(view.signal.state_reason, 200)}"


def _unknown(view: SignalView) -> str:
    return "❓ Sent, no answer yet. Checking with the venue… nothing will be sent twice."


_STATUS: dict[SignalState, Callable[[SignalView], str]] = {
    SignalState.OPEN: _open,
    SignalState.EXECUTING: _executing,
    SignalState.EXECUTED: _executed,
    SignalState.DISMISSED: _dismissed,
    SignalState.EXPIRED: _expired,
    SignalState.DRIFTED: _drifted,
    SignalState.REJECTED: _rejected,
    SignalState.UNKNOWN: _unknown,
}


def _levels(view: SignalView) -> str:
    signal = view.signal
    entry = signal.entry.price.value
    rows = [
        ("Entry", formats.price(entry, view.digits), "", ""),
        _level_row("Stop", signal.stop.price.value, view),
    ]
    targets = signal.targets[:_MOST_TARGETS]
    for i, target in enumerate(targets, 1):
        name = "Target" if len(targets) == 1 else f"Tgt {i}"
        rows.append(_level_row(name, target.price.value, view))
    return formats.table(rows)


def _level_row(name: str, level: Decimal, view: SignalView) -> tuple[str, str, str, str]:
    signal = view.signal
    entry = signal.entry.price.value
    distance = level - entry
    in_r = ""
    if signal.stop_distance:
        in_r = formats.in_r(distance * signal.side.sign / signal.stop_distance)
    return name, formats.price(level, view.digits), formats.change(distance, entry), in_r


def _risk(signal: Signal) -> list[str]:
    line = f"Risk {money(signal.risk)} at the stop · {lots(signal.quantity)}"
    if signal.risk_asked.amount <= signal.risk.amount:
        return [line]
    return [
        line,
        f"(your settings allow {money(signal.risk_asked)}; the lot limit keeps it smaller)",
    ]


def _notes(signal: Signal) -> list[str]:
    """Warnings first: when room is short, they must survive."""
    warnings = [f"⚠ {plain(text, _NOTE_LIMIT)}" for text in signal.warnings]
    reasons = [f"• {plain(text, _NOTE_LIMIT)}" for text in signal.reasons]
    return warnings + reasons


def _tail(view: SignalView) -> list[Text]:
    signal = view.signal
    lines = []
    if signal.kind is SignalKind.PRACTICE:
        lines.append(Text("🎓 Practice: it never counts in your statistics."))
    if not view.picture:
        lines.append(Text("The chart could not be drawn; the numbers are complete."))
    if signal.state is SignalState.OPEN:
        lines.append(Text("⏳ Valid until ", formats.at_time(signal.expires_at)))
    return lines
