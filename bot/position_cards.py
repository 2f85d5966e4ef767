"""Position cards, the list of open positions, and what fills and closes say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from aiogram.utils.formatting import Bold, Pre, Text, as_list

from bot import formats
from bot.cards import side_word, slippage
from bot.formats import in_r, lots, money, plain, signed_money
from core.model.position import CloseReason, Position, PositionState
from core.model.signal import Signal
from core.model.values import Money

_MOST_ROWS = 50
_WIDEST_MONEY = 8

_REASONS = {
    CloseReason.STOP: "the stop was reached",
    CloseReason.TARGET: "the target was reached",
    CloseReason.MANUAL: "closed by hand",
    CloseReason.EXIT_RULE: "closed by an exit rule",
    CloseReason.FOREIGN: "closed outside this desk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A position with what the market and the venue say about it now."""

    position: Position
    digits: int
    watermark: str
    at: datetime
    """Wall time of this view."""
    exit_price: Decimal | None
    """What closing would fetch now; None without a quote."""
    price_age_seconds: float | None
    floating: Money | None
    """The venue's own figure; None when it does not answer."""

    @property
    def result(self) -> Money | None:
        """Booked profit when closed, floating profit while open."""
        closed = self.position.state is PositionState.CLOSED
        return self.position.profit if closed else self.floating

    @property
    def result_r(self) -> Decimal | None:
        """The result in R, booked or open."""
        position = self.position
        if position.state is PositionState.CLOSED:
            return position.result_r
        if self.exit_price is None or position.entry == position.stop_initial:
            return None
        return position.open_r(self.exit_price)


def position_text(view: PositionView) -> Text:
    """The live card of one position."""
    position = view.position
    lines: list[Text | str] = [_title(view), Bold(_headline(view)), Pre(_levels(view))]
    lines.append(_risk_and_age(view))
    if position.practice:
        lines.append("🎓 Practice: it never counts in your statistics.")
    if position.state is not PositionState.CLOSED:
        lines.append(Text(_freshness(view), " · updated ", formats.at_second(view.at)))
    return as_list(*lines)


def position_list(views: Sequence[PositionView]) -> Text:
    """All open positions in one narrow table."""
    if not views:
        return Text("💼 Nothing is open. New ideas arrive as cards; /signals lists them.")
    shown = views[:_MOST_ROWS]
    header = ("#", "Market", "Side", "R", "P/L $")
    total = _total(views)
    lines: list[Text | str] = [
        Bold(f"💼 Open positions: {len(views)}"),
        Pre(formats.table([header, *(_row(view) for view in shown)])),
    ]
    if len(views) > len(shown):
        lines.append(f"… and {len(views) - len(shown)} more.")
    if total is None:
        lines.append("The venue is not answering, so the money figures are incomplete.")
    else:
        lines.append(f"Together {signed_money(total)}")
    return as_list(*lines, Text("Updated ", formats.at_second(views[0].at)))


def opened(position: Position, signal: Signal | None, digits: int) -> Text:
    """The fill, as a reply to the card."""
    name = plain(position.instrument, 12)
    fill = f"{lots(position.quantity)} at {formats.price(position.entry, digits)}"
    compared = "" if signal is None else f" ({slippage(signal, position, digits)})"
    lines = [
        Bold(f"✅ Filled: {position.side.upper()} {name}"),
        f"{fill}{compared}",
        f"Stop {formats.price(position.stop, digits)} is set at the venue · "
        f"risk {money(position.risk)}",
    ]
    if position.target is not None:
        lines.append(f"Target {formats.price(position.target, digits)}")
    return as_list(*lines)


def closed(position: Position, digits: int) -> Text:
    """The end of a position, as a reply to the card; calm, whichever way it went."""
    lines: list[Text | str] = [
        Bold(f"🏁 {plain(position.instrument, 12)} closed: {booked(position)}"),
        _how_it_ended(position, digits),
    ]
    lines.append(f"Details: /journal {position.id}")
    return as_list(*lines)


def booked(position: Position) -> str:
    """`+$12.40 (+1.5R)`; says so when the result is not booked yet."""
    if position.profit is None:
        return "result not booked yet"
    result_r = position.result_r
    return signed_money(position.profit) + ("" if result_r is None else f" ({in_r(result_r)})")


def reason_words(position: Position) -> str:
    """Why it ended, in words."""
    if position.close_reason is None:
        return "closed"
    return _REASONS[position.close_reason]


def held_for(position: Position, now: datetime) -> str:
    """How long it has been, or was, open."""
    end = position.closed_at or now
    return formats.span((end - position.opened_at).total_seconds())


def _how_it_ended(position: Position, digits: int) -> str:
    words = reason_words(position).capitalize()
    at = (
        "" if position.close_price is None else f" at {formats.price(position.close_price, digits)}"
    )
    held = "" if position.closed_at is None else f" after {held_for(position, position.closed_at)}"
    return f"{words}{at}{held}."


def _title(view: PositionView) -> Text:
    position = view.position
    return Text(
        Bold(f"{side_word(position.side)} {plain(position.instrument, 12)}"),
        f" · {lots(position.quantity)} · position #{position.id} · {plain(view.watermark, 16)}",
    )


def _headline(view: PositionView) -> str:
    position = view.position
    if position.state is PositionState.CLOSED:
        return f"🏁 Closed: {booked(position)}, {reason_words(position)}"
    closing = "⏳ Closing… " if position.state is PositionState.CLOSING else ""
    amount = "P/L unknown" if view.floating is None else signed_money(view.floating)
    result_r = view.result_r
    return closing + (amount if result_r is None else f"{amount} · {in_r(result_r)}")


def _levels(view: PositionView) -> str:
    position = view.position
    rows = [("Entry", formats.price(position.entry, view.digits), "")]
    if position.state is PositionState.CLOSED:
        if position.close_price is not None:
            rows.append(("Exit", formats.price(position.close_price, view.digits), ""))
    elif view.exit_price is not None:
        rows.append(("Now", formats.price(view.exit_price, view.digits), ""))
    rows.append(_level_row("Stop", position.stop.value, view))
    if position.target is not None:
        rows.append(_level_row("Target", position.target.value, view))
    return formats.table(rows)


def _level_row(name: str, level: Decimal, view: PositionView) -> tuple[str, str, str]:
    position = view.position
    worth = "" if position.entry == position.stop_initial else in_r(position.open_r(level))
    return name, formats.price(level, view.digits), worth


def _risk_and_age(view: PositionView) -> str:
    position = view.position
    word = "held" if position.state is PositionState.CLOSED else "open for"
    return f"Risk at entry {money(position.risk)} · {word} {held_for(position, view.at)}"


def _freshness(view: PositionView) -> str:
    if view.price_age_seconds is None:
        return "No price right now; the stop stands at the venue"
    return f"Price {formats.age(view.price_age_seconds)} old"


def _row(view: PositionView) -> tuple[str, ...]:
    position = view.position
    result_r = "?" if view.result_r is None else formats.signed(view.result_r, 1)
    amount = "?" if view.floating is None else _short_money(view.floating)
    return str(position.id), plain(position.instrument, 10), str(position.side), result_r, amount


def _short_money(value: Money) -> str:
    text = formats.signed(value.amount, 2)
    return text if len(text) <= _WIDEST_MONEY else formats.signed(value.amount, 0)


def _total(views: Sequence[PositionView]) -> Money | None:
    known = [view.floating for view in views if view.floating is not None]
    return sum(known, Money.of(0)) if len(known) == len(views) else None
