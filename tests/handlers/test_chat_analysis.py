"""/start, /analyse and analysis cards."""

import pytest
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    EditMessageMedia,
    SendMessage,
    SendPhoto,
    SetMyCommands,
)

from core.model.order import Refusal
from core.model.signal import SignalKind, SignalState
from tests.support.bot_desk import OWNER, VIEWER, ChatDesk
from tests.support.desk_builders import setup_of, signal_of
from tests.support.telegram_session import datas, labels, words


async def test_start_greets_shows_a_market_and_asks_for_a_practice_card(desk: ChatDesk) -> None:
    await desk.users.subscribe(OWNER, False)
    desk.told.practised = signal_of(kind=SignalKind.PRACTICE)

    await desk.text("/start")
    await desk.jobs[0]

    assert desk.users.people[OWNER].subscribed
    greeting, progress = desk.session.of(SendMessage)
    assert "No real money exists here" in words(greeting)
    assert "Paper account: balance $10,000.00" in words(greeting)
    assert [key.text for row in greeting.reply_markup.keyboard for key in row] == [
        "📈 Analyse", "🔔 Signals", "💼 Positions", "📊 Stats", "📓 Journal", "❓ Help",
    ]  # fmt: skip
    assert words(progress) == "📥 BTCUSD M15 … reading the tape"
    (card,) = desk.session.of(SendPhoto)
    assert labels(card)[0] == "▶ Practise Execute"
    assert desk.told.commands == ["practice"]
    assert len(desk.session.of(SetMyCommands)) == 1


async def test_practice_is_asked_again_until_there_are_prices(desk: ChatDesk) -> None:
    await desk.text("/start")
    await desk.wall.advance(5)
    desk.told.practised = signal_of(kind=SignalKind.PRACTICE)
    await desk.wall.advance(5)
    await desk.jobs[0]

    assert desk.told.commands == ["practice"] * 3
    assert len(desk.session.texts()) == 3


async def test_start_of_a_viewer_offers_no_practice(desk: ChatDesk) -> None:
    await desk.text("/start", user=VIEWER)

    assert desk.told.commands == []
    (card,) = desk.session.of(SendPhoto)
    assert "▶ Practise Execute" not in labels(card)


async def test_practice_button_does_not_pile_up_cards(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(kind=SignalKind.PRACTICE)

    await desk.tap("m:p")

    assert desk.told.commands == []
    assert desk.session.texts() == ["A practice card is already waiting: see /signals."]


async def test_practice_refusal_is_told(desk: ChatDesk) -> None:
    desk.told.practised = Refusal(code="no_data", text="No live BTCUSD data yet.")

    await desk.tap("m:p")

    assert desk.session.texts() == ["No practice card: No live BTCUSD data yet."]


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("/analyse BTCUSD", "📈 BTCUSD · M15"),
        ("/a btc", "📈 BTCUSD · M15"),
        ("/ANALYZE eurusd H1", "📈 EURUSD · H1"),
        ("BTCUSD h1", "📈 BTCUSD · H1"),
        ("btc", "📈 BTCUSD · M15"),
        ("btc/usd 4h", "📈 BTCUSD · H4"),
        ("analyse BTCUSD", "📈 BTCUSD · M15"),
        ("gpt check EURUSD please", "📈 EURUSD · M15"),
    ],
)
async def test_ways_to_ask_for_a_market(desk: ChatDesk, said: str, title: str) -> None:
    await desk.text(said)

    (card,) = desk.session.of(SendPhoto)
    assert words(card).startswith(f"{title} · SIMULATED")


async def test_progress_line_gives_way_to_the_card(desk: ChatDesk) -> None:
    await desk.text("/analyse")

    (progress,) = desk.session.of(SendMessage)
    (deleted,) = desk.session.of(DeleteMessage)
    assert deleted.message_id == 1001
    assert desk.session.calls.index(deleted) > desk.session.calls.index(progress) + 1


async def test_caption_tells_price_age_trend_flow_and_why_there_is_no_trade(desk: ChatDesk) -> None:
    await desk.text("btc")

    (card,) = desk.session.of(SendPhoto)
    assert words(card) == (
        "📈 BTCUSD · M15 · SIMULATED\n"
        "96,999.00 / 97,001.00 · price 0.4 s old\n"
        "Trend up ▲ · RSI 56 · ADX 24 · ATR 120.50 (1,500 closed bars)\n"
        "Last 30 s: 124 trades · CVD +1.25 BTC · buys to sells 1.7 : 1\n"
        "Order book: 56% bids, 44% asks\n"
        "Resistance 97,500.00 · 98,000.00\n"
        "Support 96,500.00\n"
        "No trade because: the price is inside its range.\n"
        "03 Mar 2026 13:00:00 UTC, market time"
    )


async def test_setup_is_offered_as_a_signal_whose_number_is_told(desk: ChatDesk) -> None:
    desk.told.analysis = {"setup": setup_of()}
    desk.told.offered = signal_of(id=12)

    await desk.text("btc m1")

    (card,) = desk.session.of(SendPhoto)
    assert "Plan: BUY · confidence 70% · range_break" in words(card)
    assert "🔔 Signal #12 waits for your decision" in words(card)
    assert desk.told.commands == [(setup_of().key, SignalKind.ANALYSIS)]


async def test_setup_seen_by_a_viewer_is_not_offered(desk: ChatDesk) -> None:
    desk.told.analysis = {"setup": setup_of()}

    await desk.text("btc m1", user=VIEWER)

    assert desk.told.commands == []


async def test_missing_picture_is_said_and_the_numbers_come(desk: ChatDesk) -> None:
    desk.told.chart_error = True

    await desk.text("btc")

    assert desk.session.of(SendPhoto) == []
    assert "The chart could not be drawn" in desk.session.texts()[-1]


async def test_unknown_market_names_the_nearest_as_buttons(desk: ChatDesk) -> None:
    await desk.text("/analyse BTCUDS")

    (sent,) = desk.session.of(SendMessage)
    assert words(sent) == "I do not know “BTCUDS”. Did you mean BTCUSD?"
    assert labels(sent) == ["BTCUSD"]

    await desk.tap(datas(sent)[0], photo=False)
    assert len(desk.session.of(SendPhoto)) == 1


async def test_market_that_resembles_nothing_lists_all(desk: ChatDesk) -> None:
    await desk.text("/analyse qqqqqqqq")

    (sent,) = desk.session.of(SendMessage)
    assert labels(sent) == ["BTCUSD", "EURUSD"]


async def test_timeframe_button_changes_the_photo_in_place(desk: ChatDesk) -> None:
    await desk.text("btc")
    card = desk.session.of(SendPhoto)[0]
    assert labels(card) == ["M5", "• M15 •", "H1", "H4", "🔄 Refresh", "📈 Markets"]

    await desk.tap(datas(card)[2], message_id=70)

    (edit,) = desk.session.of(EditMessageMedia)
    assert edit.message_id == 70
    assert words(edit).startswith("📈 BTCUSD · H1")
    assert "• H1 •" in labels(edit)


async def test_card_from_before_a_restart_says_so(desk: ChatDesk) -> None:
    await desk.text("btc")
    old = datas(desk.session.of(SendPhoto)[0])[0]
    desk.restart()
    desk.wall.tick(1)
    await desk.text("eurusd")

    await desk.tap(old)

    assert desk.session.of(AnswerCallbackQuery)[-1].text == (
        "This card is from before a restart. Send the market again, for example BTCUSD."
    )
    assert desk.session.of(EditMessageMedia) == []


async def test_word_on_the_keyboard_lists_the_markets(desk: ChatDesk) -> None:
    await desk.text("📈 Analyse")

    (sent,) = desk.session.of(SendMessage)
    assert labels(sent) == ["BTCUSD", "EURUSD"]


async def test_open_practice_does_not_count_when_it_has_ended(desk: ChatDesk) -> None:
    desk.signals.rows[1] = signal_of(kind=SignalKind.PRACTICE, state=SignalState.EXPIRED)
    desk.told.practised = signal_of(id=2, kind=SignalKind.PRACTICE)

    await desk.tap("m:p")

    assert desk.told.commands == ["practice"]
