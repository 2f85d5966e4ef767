"""The small parts of the edge: buttons, phrases, limits, menus, remembered cards."""

import pytest
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import SetChatMenuButton, SetMyCommands
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis_cards import AnalysisCards
from bot.callbacks import (
    LARGEST_ID,
    AnalysisTap,
    MenuAction,
    MenuTap,
    PositionAction,
    PositionTap,
    SignalAction,
    SignalTap,
    may_send_order,
    only_looks,
)
from bot.commands import CATALOGUE, nearest_command
from bot.onboarding import menu, publish_menus
from bot.phrases import AnalysisWish, CloseWish, SimpleWish, read_timeframe, understand
from bot.rate_limits import ChatLimits, TokenBucket
from bot.throttle import OncePerDay, Throttle
from core.model.market import Timeframe
from core.model.people import Role
from tests.support.bot_desk import ChatDesk
from tests.support.clock import ManualClock
from tests.support.desk_builders import BTC, REGISTRY


def test_every_button_fits_into_64_bytes_with_the_largest_ids() -> None:
    taps = [
        *(SignalTap(action=a, id=LARGEST_ID, rev=LARGEST_ID) for a in SignalAction),
        *(PositionTap(action=a, id=LARGEST_ID, rev=LARGEST_ID) for a in PositionAction),
        *(AnalysisTap(timeframe=t, id=LARGEST_ID) for t in Timeframe),
        *(MenuTap(action=a) for a in MenuAction),
    ]
    assert max(len(tap.pack().encode()) for tap in taps) <= 64


def test_signal_button_is_written_as_documented() -> None:
    assert SignalTap(action=SignalAction.EXECUTE, id=142, rev=3).pack() == "s:x:142:3"


def test_what_is_not_known_to_be_harmless_needs_trading_rights() -> None:
    harmless = {"s:v:1:1", "p:v:1:1", "p:r:1:1", "a:M5:1", "m:m", "m:l"}
    changing = {"s:x:1:1", "s:d:1:1", "s:n:1:1", "p:c:1:1", "m:p", "", "future:1"}
    assert all(only_looks(data) for data in harmless)
    assert not any(only_looks(data) for data in changing | {None})
    assert {data for data in harmless | changing if may_send_order(data)} == {"s:x:1:1", "p:c:1:1"}


@pytest.mark.parametrize(
    ("word", "timeframe"),
    [
        ("m15", Timeframe.M15),
        ("15m", Timeframe.M15),
        ("15min", Timeframe.M15),
        ("H4", Timeframe.H4),
        ("1d", Timeframe.D1),
        ("m7", None),
        ("btc", None),
        ("h", None),
    ],
)
def test_timeframes_as_people_write_them(word: str, timeframe: Timeframe | None) -> None:
    assert read_timeframe(word) is timeframe


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("btc", AnalysisWish(instrument=BTC, timeframe=Timeframe.M15)),
        ("show me the chart of BTC? h4", AnalysisWish(instrument=BTC, timeframe=Timeframe.H4)),
        ("analyse btc at h4", AnalysisWish(instrument=BTC, timeframe=Timeframe.H4)),
        ("how am I doing today?", SimpleWish.STATISTICS),
        ("Close BTC", CloseWish(what="btc")),
        ("is it raining", None),
        ("analyse", None),
        ("", None),
        ("btc " * 100, None),
    ],
)
def test_phrases(text: str, wish: object) -> None:
    assert understand(text, REGISTRY) == wish


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    understand(text, REGISTRY)
    nearest_command(text)


def test_cards_of_another_run_are_never_mistaken_for_new_ones() -> None:
    clock = ManualClock()
    before = AnalysisCards(clock)
    old = [before.remember("BTCUSD").id for _ in range(5)]
    clock.tick(1)
    after = AnalysisCards(clock)
    new = [after.remember("EURUSD").id for _ in range(5)]
    assert len(set(old + new)) == 10
    assert all(after.find(card_id) is None for card_id in old)


def test_remembered_cards_are_bounded() -> None:
    cards = AnalysisCards(ManualClock(), limit=3)
    ids = [cards.remember("BTCUSD").id for _ in range(4)]
    assert cards.find(ids[0]) is None
    assert cards.find(ids[1]) is not None


def test_bucket_refills_with_the_clock() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, rate=2, burst=2)
    bucket.take()
    bucket.take()
    assert bucket.wait_seconds() == pytest.approx(0.5)
    clock.tick(0.5)
    assert bucket.wait_seconds() == 0


def test_pause_outlasts_saved_tokens() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, rate=1, burst=5)
    bucket.pause(30)
    assert bucket.wait_seconds() == pytest.approx(30)
    clock.tick(30)
    assert bucket.wait_seconds() == 0


def test_no_more_than_25_messages_at_once_in_all() -> None:
    limits = ChatLimits(ManualClock())
    for chat in range(25):
        assert limits.wait_seconds(chat) == 0
        limits.take(chat)
    assert limits.wait_seconds(99) == pytest.approx(1 / 25)


def test_throttle_forgets_after_its_window() -> None:
    clock = ManualClock()
    throttle = Throttle(clock, limit=2, window=10)
    assert [throttle.excess(1) for _ in range(4)] == [0, 0, 1, 2]
    assert throttle.excess(2) == 0
    clock.tick(10.1)
    assert throttle.excess(1) == 0


def test_full_table_of_strangers_stays_silent() -> None:
    clock = ManualClock()
    once = OncePerDay(clock, people=2)
    assert [once.first(n) for n in (1, 2, 3, 1)] == [True, True, False, False]
    clock.tick(86_400)
    assert once.first(3)


def test_menus_by_role() -> None:
    everything = [info.name for info in CATALOGUE]
    assert [c.command for c in menu(None)] == ["start", "help"]
    assert [c.command for c in menu(Role.OWNER)] == everything
    assert [c.command for c in menu(Role.VIEWER)] == [n for n in everything if n != "close"]
    assert all(1 <= len(c.description) <= 256 for c in menu(Role.OWNER))


async def test_menu_of_one_person_failing_leaves_the_others(desk: ChatDesk) -> None:
    desk.session.fail(SetMyCommands, lambda m: TelegramNetworkError(m, "down"))

    await publish_menus(desk.bot, await desk.users.all())

    scopes = [call.scope.type for call in desk.session.of(SetMyCommands)]
    assert scopes == ["default", "chat", "chat"]
    assert desk.session.of(SetChatMenuButton) == []
