"""Every text stays inside Telegram's limits and a phone's width, whatever is put into it."""

import string
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from aiogram.enums import MessageEntityType
from aiogram.utils.formatting import Text, sizeof
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import (
    formats,
    keyboards,
    position_cards,
    texts_analysis,
    texts_health,
    texts_help,
    texts_journal,
    texts_position,
    texts_signal,
)
from bot.analysis_cards import AnalysisCard
from bot.callbacks import LARGEST_ID
from bot.cards import SignalView, signal_caption
from core.model.analysis import FlowMissing
from core.model.events import FeedStatus
from core.model.market import Timeframe
from core.model.order import Refusal
from core.model.position import CloseReason, Position, PositionState
from core.model.report import ComponentHealth
from core.model.signal import Side, SignalKind, SignalState
from core.model.values import Money, Price, Quantity
from tests.support.bot_desk import analysis_of, health_of, position_of, statistics_of
from tests.support.clock import START
from tests.support.desk_builders import BTC, EURUSD, level, setup_of, signal_of

HOSTILE = ("_*<&`[" * 60, "💥" * 400, "None\u202e\n" * 40)
WILD = st.text(max_size=400) | st.sampled_from(HOSTILE)
NOTES = st.lists(WILD, max_size=12).map(tuple)
MONEY = st.decimals("-99999999", "99999999", places=2).map(Money)
PRICES = st.decimals("0.00001", "99999999", places=5).map(Price)
QUANTITIES = st.decimals("0.01", "100000", places=2).map(Quantity)
IDS = st.integers(1, LARGEST_ID)
ATOMS = {
    "id": IDS,
    "instrument": WILD,
    "side": st.sampled_from(Side),
    "quantity": QUANTITIES,
    "risk": MONEY,
    "rev": IDS,
}
SIGNALS = st.builds(
    signal_of,
    **ATOMS,
    kind=st.sampled_from(SignalKind),
    entry=PRICES.map(lambda p: level(str(p))),
    stop=PRICES.map(lambda p: level(str(p))),
    targets=st.lists(PRICES.map(lambda p: level(str(p))), max_size=5).map(tuple),
    risk_asked=MONEY,
    reasons=NOTES,
    warnings=NOTES,
    state=st.sampled_from(SignalState),
    state_reason=st.none() | WILD,
    acted_at=st.none() | st.just(START),
)
POSITIONS = st.builds(
    position_of,
    **ATOMS,
    entry=PRICES,
    stop=PRICES,
    stop_initial=PRICES,
    target=st.none() | PRICES,
    practice=st.booleans(),
    state=st.sampled_from(PositionState),
    close_price=st.none() | PRICES,
    close_reason=st.none() | st.sampled_from(CloseReason),
    profit=st.none() | MONEY,
    closed_at=st.none() | st.just(START),
)


def check(text: Text, limit: int) -> str:
    """The words, proven to be inside the limits and free of programmers' words."""
    words, entities = text.render()
    assert 0 < sizeof(words) <= limit
    assert "nan" not in words.split()
    encoded = words.encode("utf-16-le")
    for entity in entities:
        if entity.type == MessageEntityType.PRE:
            inside = encoded[entity.offset * 2 : (entity.offset + entity.length) * 2]
            for line in inside.decode("utf-16-le").split("\n"):
                assert len(line) <= 31
    return words


def check_buttons(markup: Any) -> None:
    """Callbacks fit into 64 bytes; labels are not empty."""
    for row in [] if markup is None else markup.inline_keyboard:
        for button in row:
            assert 0 < len(button.callback_data.encode()) <= 64
            assert 0 < len(button.text) <= 64


def view_of(position: Position, **changes: Any) -> position_cards.PositionView:
    """A position with a price."""
    base = position_cards.PositionView(
        position=position,
        digits=2,
        watermark="SIMULATED",
        at=START,
        exit_price=Decimal("97101.00"),
        price_age_seconds=0.4,
        floating=Money.of("1.98"),
    )
    return replace(base, **changes)


@settings(max_examples=30, deadline=None)
@given(SIGNALS, st.none() | POSITIONS, WILD)
def test_signal_card_fits_a_caption(signal: Any, position: Any, watermark: str) -> None:
    view = SignalView(
        signal=signal, position=position, digits=5, watermark=watermark, picture=False
    )
    check(signal_caption(view), formats.CAPTION_LIMIT)
    check_buttons(keyboards.signal(signal, position, may_trade=True))
    assert len(texts_signal.already(signal)) <= formats.TOAST_LIMIT


@settings(max_examples=30, deadline=None)
@given(st.lists(POSITIONS, min_size=1, max_size=80))
def test_position_texts_fit(positions: list[Position]) -> None:
    views = [view_of(p) for p in positions]
    check(position_cards.position_list(views), formats.MESSAGE_LIMIT)
    check_buttons(keyboards.position_list(views))
    check(position_cards.position_text(views[0]), formats.MESSAGE_LIMIT)
    check_buttons(keyboards.position_card(views[0], may_trade=True))
    check(position_cards.opened(positions[0], signal_of(), 2), formats.MESSAGE_LIMIT)
    check(position_cards.closed(positions[0], 2), formats.MESSAGE_LIMIT)
    check(texts_journal.journal(positions), formats.MESSAGE_LIMIT)
    check(texts_journal.trade(positions[0], 2), formats.MESSAGE_LIMIT)


@settings(max_examples=30, deadline=None)
@given(WILD, WILD, NOTES)
def test_analysis_fits_a_caption(one: str, two: str, notes: tuple[str, ...]) -> None:
    indicators = analysis_of(BTC, Timeframe.M5).indicators
    assert indicators is not None
    analysis = analysis_of(
        BTC,
        Timeframe.M5,
        setup=setup_of(strategy=one, targets=(1e9,) * 9),
        flow=FlowMissing(reason=two),
        feed=FeedStatus.DOWN,
        indicators=replace(indicators, missing=notes),
        resistances=(1e12,) * 9,
    )
    refusal = Refusal(code="x", text=two, advice=one)
    check(texts_analysis.caption(analysis, refusal, one, drawn=False), formats.CAPTION_LIMIT)


@settings(max_examples=30, deadline=None)
@given(SIGNALS, WILD)
def test_answers_fit_a_message(signal: Any, wild: str) -> None:
    refusal = Refusal(code="x", text=wild, advice=wild)
    for text in (
        texts_signal.refused(signal.id, refusal),
        texts_signal.not_repriced(signal.id, refusal),
        texts_signal.problem(signal),
        texts_signal.signal_list([signal] * 60, [signal] * 60),
        texts_position.not_closed(position_of(), refusal, 2),
        Text(texts_help.not_understood(wild)),
        Text(texts_help.unknown_topic(wild)),
        Text(texts_analysis.unknown_instrument(wild, ())),
    ):
        check(text, formats.MESSAGE_LIMIT)
    part = ComponentHealth(name=wild, running=False, restarts=9**9, last_error=wild)
    check(texts_health.health(health_of(components=(part,) * 200)), formats.MESSAGE_LIMIT)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, LARGEST_ID), st.sampled_from(Timeframe))
def test_analysis_buttons_fit(number: int, timeframe: Timeframe) -> None:
    card = AnalysisCard(id=number, symbol="BTCUSD", practice=True)
    check_buttons(keyboards.analysis(card, timeframe))
    check_buttons(keyboards.markets([card] * 7, timeframe))


def test_open_card_word_for_word() -> None:
    signal = signal_of(
        id=142, timeframe=Timeframe.H1, reasons=("break of 96,990",), warnings=("wide spread",)
    )
    view = SignalView(signal=signal, position=None, digits=2, watermark="SIMULATED")
    assert check(signal_caption(view), formats.CAPTION_LIMIT) == (
        "🟢 BUY BTCUSD · H1 · #142 · SIMULATED\n"
        "Rule's confidence 70 of 100 · reward 2.2 × risk\n"
        "Entry  97,001.00\n"
        "Stop   96,901.00 −0.10% −1.0R\n"
        "Target 97,221.00 +0.23% +2.2R\n"
        "Risk $2.00 at the stop · 0.02 lot\n"
        "(your settings allow $75.00; the lot limit keeps it smaller)\n"
        "⚠ wide spread\n"
        "• break of 96,990\n"
        "⏳ Valid until 13:15 UTC"
    )


def test_validity_is_a_local_time_with_a_utc_fallback() -> None:
    view = SignalView(signal=signal_of(), position=None, digits=2, watermark="PAPER")
    _, entities = signal_caption(view).render()
    (when,) = [e for e in entities if e.type == MessageEntityType.DATE_TIME]
    assert when.unix_time == int(signal_of().expires_at.timestamp())


def test_execute_stands_alone_and_states_size_and_risk() -> None:
    markup = keyboards.signal(signal_of(), None, may_trade=True)
    assert markup is not None
    ((execute,), (dismiss,)) = markup.inline_keyboard
    assert (execute.text, execute.style, execute.callback_data) == (
        "✅ Execute 0.02 · risk $2.00",
        "success",
        "s:x:1:1",
    )
    assert (dismiss.style, dismiss.callback_data) == ("danger", "s:d:1:1")


@pytest.mark.parametrize("state", [s for s in SignalState if s is not SignalState.OPEN])
def test_only_an_open_card_can_be_executed(state: SignalState) -> None:
    markup = keyboards.signal(signal_of(state=state), position_of(), may_trade=True)
    rows = [] if markup is None else markup.inline_keyboard
    assert not any("s:x" in str(b.callback_data) for row in rows for b in row)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SignalState.EXECUTING, "⏳ Sending…"),
        (SignalState.EXECUTED, "✅ Filled at 97,002.00, 1.00 worse than the card"),
        (SignalState.DISMISSED, "🚫 Dismissed. No money moved."),
        (SignalState.EXPIRED, "⌛ Expired at 13:15 UTC. No money moved."),
        (SignalState.DRIFTED, "↔ The price moved away from this card. No money moved."),
        (SignalState.REJECTED, "❌ Not executed: The order was refused. No money moved."),
        (SignalState.UNKNOWN, "❓ Sent, no answer yet. Checking with the venue…"),
    ],
)
def test_every_state_is_said_plainly(state: SignalState, said: str) -> None:
    view = SignalView(
        signal=signal_of(state=state), position=position_of(), digits=2, watermark="PAPER"
    )
    words = signal_caption(view).render()[0]
    assert said in words
    assert "Valid until" not in words


def test_closed_card_tells_the_result() -> None:
    done = position_of(state=PositionState.CLOSED, profit=Money.of("3.00"))
    signal = signal_of(state=SignalState.EXECUTED)
    view = SignalView(signal=signal, position=done, digits=2, watermark="PAPER")
    assert "🏁 Closed: +$3.00 (+1.5R)" in signal_caption(view).render()[0]


def test_better_fill_of_a_sell_is_called_better() -> None:
    signal = signal_of(side=Side.SELL, state=SignalState.EXECUTED)
    view = SignalView(signal=signal, position=position_of(), digits=2, watermark="PAPER")
    assert "1.00 better than the card" in signal_caption(view).render()[0]


def test_warnings_survive_when_reasons_do_not_fit() -> None:
    signal = signal_of(warnings=("news in 3 min",), reasons=("r" * 140,) * 20)
    view = SignalView(signal=signal, position=None, digits=2, watermark="PAPER")
    assert "⚠ news in 3 min" in signal_caption(view).render()[0]


def test_prices_carry_the_digits_of_their_instrument() -> None:
    setup = setup_of(instrument="EURUSD", entry=1.1, stop=1.09, targets=(1.12,))
    analysis = analysis_of(EURUSD, Timeframe.H1, bid=1.1, ask=1.10012, setup=setup)
    words = texts_analysis.caption(analysis, None, "PAPER", drawn=True).render()[0]
    assert "1.10000 / 1.10012" in words
    assert "Target 1.12000" in words


def test_stale_feed_is_warned_about_first() -> None:
    analysis = analysis_of(BTC, Timeframe.M5, feed=FeedStatus.STALE, bid=None, ask=None)
    lines = texts_analysis.caption(analysis, None, "PAPER", drawn=True).render()[0].split("\n")
    assert lines[1:3] == [
        "No price right now",
        "⚠ The price feed is stale: do not act on these numbers.",
    ]


def test_lost_trade_is_told_calmly() -> None:
    lost = position_of(
        state=PositionState.CLOSED,
        profit=Money.of("-2.00"),
        close_reason=CloseReason.STOP,
        close_price=Price.of("96902.00"),
        closed_at=START,
    )
    assert position_cards.closed(lost, 2).render()[0] == (
        "🏁 BTCUSD closed: −$2.00 (−1.0R)\n"
        "The stop was reached at 96,902.00 after 12 min.\n"
        "Details: /journal 7"
    )


def test_fill_tells_stop_and_risk() -> None:
    assert position_cards.opened(position_of(), signal_of(), 2).render()[0] == (
        "✅ Filled: BUY BTCUSD\n"
        "0.02 lot at 97,002.00 (1.00 worse than the card)\n"
        "Stop 96,902.00 is set at the venue · risk $2.00\n"
        "Target 97,221.00"
    )


def test_statistics_without_trades_invent_nothing() -> None:
    empty = statistics_of(trades=0, wins=0, losses=0, win_rate=None, practice_trades=1)
    words = texts_journal.statistics(empty, "PAPER").render()[0]
    assert words == (
        "📊 Results · PAPER · all time\n"
        "No finished trades in this period.\n"
        "🎓 Apart from that: 1 practice trade, −$3.10."
    )


def test_trouble_is_named_in_the_health_report() -> None:
    dead = ComponentHealth(name="feed", running=False, restarts=3, last_error="OSError: gone")
    report = health_of(trading_enabled=False, trading_detail="reconciling", components=(dead,))
    words = texts_health.health(report).render()[0]
    assert "🔴 No new entries: reconciling" in words
    assert "🔴 feed: not running, restarted 3 ×, last error: OSError: gone" in words


def test_plain_removes_what_can_disturb_a_line() -> None:
    assert formats.plain("a\u202eb\x00c\nd \t e", 20) == "abc d e"
    assert formats.plain("💥" * 9, 5) == "💥💥…"
    assert set(formats.plain(string.printable, 100)) <= set(string.printable)


@pytest.mark.parametrize(
    ("value", "said"),
    [("0", "$0.00"), ("12.4", "$12.40"), ("-12.4", "−$12.40"), ("1234567.891", "$1,234,567.89")],
)
def test_money_in_words(value: str, said: str) -> None:
    assert formats.money(Money.of(value)) == said


def test_small_negative_results_are_not_minus_zero() -> None:
    assert formats.in_r(Decimal("-0.04")) == "0.0R"
    assert formats.signed(Decimal("0.04"), 1) == "0.0"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.44, "0.4 s"), (12, "12 s"), (180, "3 min"), (7500, "2 h 5 min"), (400_000, "4 days")],
)
def test_ages_in_words(seconds: float, said: str) -> None:
    assert formats.age(seconds) == said
