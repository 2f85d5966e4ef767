"""The journal and the statistics in words."""

from collections.abc import Sequence

from aiogram.utils.formatting import Bold, Pre, Text, as_list

from bot import formats
from bot.formats import money, percent, plain, signed_money
from bot.position_cards import booked, held_for, reason_words
from core.model.position import Position
from core.model.report import Statistics

EMPTY = "📓 No finished trades yet. What is open: /positions"
BAD_NUMBER = "A journal number looks like this: /journal 12"
BAD_PERIOD = "I know these periods: /stats 7d, /stats 30d, /stats all"
FEW_TRADES = 30


def no_such(number: int) -> str:
    """Unknown journal number."""
    return f"There is no position #{number} in the journal. /journal shows the latest."


def journal(positions: Sequence[Position]) -> Text:
    """The latest finished trades, newest first."""
    lines = [Text(Bold("📓 Finished trades"))]
    lines += [_line(position) for position in positions]
    lines.append(Text("More about one: /journal ", str(positions[0].id)))
    return as_list(*formats.fitting_texts(lines))


def statistics(stats: Statistics, watermark: str) -> Text:
    """Results with their sample size and uncertainty."""
    head = Text(Bold("📊 Results"), f" · {plain(watermark, 16)} · ", _since(stats))
    if stats.trades == 0:
        return as_list(head, "No finished trades in this period.", *_practice(stats))
    lines = [head, f"{stats.trades} trades: {stats.wins} won, {stats.losses} lost"]
    lines += [Pre(formats.table(_figures(stats)))]
    if stats.win_rate_low is not None and stats.win_rate_high is not None:
        low, high = percent(stats.win_rate_low), percent(stats.win_rate_high)
        lines.append(f"The true win rate is probably between {low} and {high}.")
    if stats.trades < FEW_TRADES:
        lines.append(f"{stats.trades} trades are too few to judge by.")
    return as_list(*lines, *_practice(stats))


def _line(position: Position) -> Text:
    practice = " · practice" if position.practice else ""
    name = plain(position.instrument, 12)
    what = f"#{position.id} {position.side.upper()} {name}{practice}: {booked(position)}"
    when = [] if position.closed_at is None else [" · ", formats.at_date(position.closed_at)]
    return Text(what, f", {reason_words(position)}", *when)


def trade(position: Position, digits: int) -> Text:
    """Everything about one trade."""
    lines: list[Text | str] = [
        Bold(
            f"📓 Position #{position.id}: {position.side.upper()} {plain(position.instrument, 12)}"
        ),
        f"{formats.lots(position.quantity)}, from signal #{position.signal_id}"
        + (" · practice" if position.practice else ""),
        Text("Opened ", formats.at_date(position.opened_at)),
    ]
    if position.closed_at is not None:
        held = held_for(position, position.closed_at)
        lines.append(Text("Closed ", formats.at_date(position.closed_at), f", after {held}"))
    lines += [Pre(formats.table(_trade_levels(position, digits))), _trade_result(position)]
    return as_list(*lines)


def _trade_levels(position: Position, digits: int) -> list[tuple[str, str]]:
    rows = [
        ("Entry", formats.price(position.entry, digits)),
        ("First stop", formats.price(position.stop_initial, digits)),
    ]
    if position.stop != position.stop_initial:
        rows.append(("Last stop", formats.price(position.stop, digits)))
    if position.target is not None:
        rows.append(("Target", formats.price(position.target, digits)))
    if position.close_price is not None:
        rows.append(("Exit", formats.price(position.close_price, digits)))
    return rows


def _trade_result(position: Position) -> str:
    risk = f"Risk at entry {money(position.risk)}"
    if position.closed_at is None:
        return f"{risk}. Still open."
    return f"{risk}. Result {booked(position)}, {reason_words(position)}."


def _since(stats: Statistics) -> Text:
    return Text("all time") if stats.since is None else Text("since ", formats.at_date(stats.since))


def _figures(stats: Statistics) -> list[tuple[str, str]]:
    rows = [("Net result", signed_money(stats.net))]
    if stats.win_rate is not None:
        rows.append(("Win rate", percent(stats.win_rate)))
    if stats.profit_factor is not None:
        rows.append(("Profit factor", formats.grouped(stats.profit_factor, 2)))
    if stats.expectancy_r is not None:
        rows.append(("Average trade", f"{formats.signed(stats.expectancy_r, 2)}R"))
    if stats.best_r is not None:
        rows.append(("Best", formats.in_r(stats.best_r)))
    if stats.worst_r is not None:
        rows.append(("Worst", formats.in_r(stats.worst_r)))
    rows.append(("Deepest fall", money(stats.max_drawdown)))
    return rows


def _practice(stats: Statistics) -> list[str]:
    if stats.practice_trades == 0:
        return []
    word = "trade" if stats.practice_trades == 1 else "trades"
    net = signed_money(stats.practice_net)
    return [f"🎓 Apart from that: {stats.practice_trades} practice {word}, {net}."]
