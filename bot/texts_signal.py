"""What signals say outside their card: toasts, answers to taps, lists."""

from collections.abc import Sequence

from aiogram.utils.formatting import Bold, Text, as_list

from bot import formats
from bot.cards import NO_MONEY_MOVED, nothing_moved
from bot.formats import clock_time, plain, sentence
from core.model.order import Refusal
from core.model.signal import Signal, SignalState

SENDING = "⏳ Sending…"
DISMISSING = "Dismissing…"
REPRICING = "Asking for the live price…"
GONE = f"I have no such signal. {NO_MONEY_MOVED}"
PRACTICE_ASKED = "A practice card is on its way…"
PRACTICE_WAITS = "A practice card is already waiting: see /signals."
PRACTICE_LIVE = "Practice cards are not offered while real money is connected."

_STATES = {
    SignalState.OPEN: "waiting for you",
    SignalState.EXECUTING: "being sent",
    SignalState.EXECUTED: "executed",
    SignalState.DISMISSED: "dismissed",
    SignalState.EXPIRED: "expired",
    SignalState.DRIFTED: "price moved away",
    SignalState.REJECTED: "not executed",
    SignalState.UNKNOWN: "being checked with the venue",
}

_ALREADY = {
    SignalState.OPEN: "That button is old; the card is up to date now. Nothing was sent.",
    SignalState.EXECUTING: "Already being sent. Nothing is sent twice.",
    SignalState.EXECUTED: "Already executed{moment}. Nothing was sent again.",
    SignalState.DISMISSED: f"Already dismissed{{moment}}. {NO_MONEY_MOVED}",
    SignalState.EXPIRED: f"Expired at {{expiry}}. {NO_MONEY_MOVED}",
    SignalState.DRIFTED: f"The price had moved away; the card is up to date. {NO_MONEY_MOVED}",
    SignalState.REJECTED: f"This was refused before. {NO_MONEY_MOVED}",
    SignalState.UNKNOWN: "Being checked with the venue. Nothing will be sent twice.",
}


def already(signal: Signal) -> str:
    """Why a tap did nothing: the truth about the signal, as a toast."""
    moment = "" if signal.acted_at is None else f" at {clock_time(signal.acted_at)}"
    expiry = clock_time(signal.expires_at)
    return _ALREADY[signal.state].format(moment=moment, expiry=expiry)


def drifted(signal: Signal, live_price: float, digits: int) -> Text:
    """Answer to a tap that came after the price had moved."""
    entry = formats.price(signal.entry.price, digits)
    limit = formats.price(signal.drift_limit, digits)
    return as_list(
        Bold(f"↔ Not sent: the price left card #{signal.id}."),
        f"Card {entry}, now {formats.price(live_price, digits)}; at most {limit} apart is allowed.",
        f"{NO_MONEY_MOVED} “Use new price” on the card makes the same idea at the live price.",
    )


def refused(signal_id: int, refusal: Refusal) -> Text:
    """Answer to a tap that we or the venue said no to."""
    return as_list(
        Bold(f"❌ Signal #{signal_id} was not executed."),
        nothing_moved(refusal.text),
        *_advice(refusal),
    )


def not_repriced(signal_id: int, refusal: Refusal) -> Text:
    """Why there is no new card at the live price."""
    return as_list(
        Bold(f"Signal #{signal_id} stays as it is."),
        nothing_moved(refusal.text),
        *_advice(refusal),
    )


def problem(signal: Signal) -> Text:
    """A rejected or unresolved execution, as a reply to the card."""
    if signal.state is SignalState.UNKNOWN:
        return as_list(
            Bold(f"❓ Signal #{signal.id}: the order was sent, but the venue has not answered."),
            "I keep asking until it is known; nothing will be sent twice. "
            f"{plain(signal.instrument, 12)} takes no new orders meanwhile.",
        )
    cause = sentence(signal.state_reason or "The order was refused", 300)
    return as_list(Bold(f"❌ Signal #{signal.id} was not executed."), f"{cause} {NO_MONEY_MOVED}")


def no_practice(refusal: Refusal) -> Text:
    """Why there is no practice card."""
    text = f"No practice card: {sentence(refusal.text, 300)}"
    return as_list(text, *_advice(refusal))


def signal_list(open_signals: Sequence[Signal], recent: Sequence[Signal]) -> Text:
    """Open signals, then the latest with their outcome."""
    waiting = [_line(signal) for signal in open_signals[:20]]
    lines: list[Text] = [Text(Bold("🔔 Waiting for you"))]
    lines += waiting or [Text("Nothing right now. A card arrives as soon as there is an idea.")]
    latest = [_line(signal) for signal in recent if signal.state is not SignalState.OPEN]
    if latest:
        lines += [Text(), Text(Bold("Latest")), *latest]
    return as_list(*formats.fitting_texts(lines))


def _line(signal: Signal) -> Text:
    name = plain(signal.instrument, 12)
    practice = " · practice" if signal.kind == "practice" else ""
    what = f"#{signal.id} {signal.side.upper()} {name} {signal.timeframe}{practice} · "
    if signal.state is SignalState.OPEN:
        return Text(what, "valid until ", formats.at_time(signal.expires_at))
    return Text(what, _STATES[signal.state], " · ", formats.at_time(signal.created_at))


def _advice(refusal: Refusal) -> list[str]:
    return [sentence(refusal.advice, 300)] if refusal.advice else []
