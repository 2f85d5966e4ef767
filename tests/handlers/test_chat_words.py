"""Help, journal, stats, health, and whatever nobody understands."""

import ast
from pathlib import Path

import pytest
from aiogram.filters import Command
from aiogram.methods import AnswerCallbackQuery, SendMessage

import handlers
from bot.commands import CATALOGUE
from core.model.position import PositionState
from core.model.values import Money
from handlers.routers import create_routers
from tests.support.bot_desk import OWNER, VIEWER, ChatDesk, position_of
from tests.support.clock import START
from tests.support.telegram_session import labels, words


def handled_commands() -> set[str]:
    """Every command word some handler listens to."""
    return {
        str(word)
        for router in create_routers()
        for handler in router.message.handlers
        for used in handler.filters or ()
        if isinstance(used.callback, Command)
        for word in used.callback.commands
    }


def test_every_command_of_the_catalogue_has_a_handler_and_the_other_way_round() -> None:
    assert handled_commands() == {name for info in CATALOGUE for name in info.names}


async def test_help_names_every_command(desk: ChatDesk) -> None:
    await desk.text("/help")

    (said,) = desk.session.texts()
    for info in CATALOGUE:
        assert f"/{info.name}" in said


async def test_help_of_a_viewer_leaves_trading_out(desk: ChatDesk) -> None:
    await desk.text("❓ Help", user=VIEWER)

    assert "/close" not in desk.session.texts()[0]


async def test_help_about_one_command_by_its_alias(desk: ChatDesk) -> None:
    await desk.text("/help a")
    await desk.text("/help weather")

    topic, unknown = desk.session.texts()
    assert topic.startswith("/analyse BTCUSD H1\n")
    assert unknown == "I have no help about “weather”. /help lists everything."


async def test_stop_switches_pushes_off(desk: ChatDesk) -> None:
    await desk.text("/stop")

    assert not desk.users.people[OWNER].subscribed
    assert "stay as they are" in desk.session.texts()[0]


async def test_journal_lists_and_explains(desk: ChatDesk) -> None:
    await desk.text("/journal")
    desk.positions.rows[7] = position_of(
        state=PositionState.CLOSED, profit=Money.of("-2.00"), closed_at=START
    )
    await desk.text("📓 Journal")
    await desk.text("/journal 7")
    await desk.text("/journal 8")
    await desk.text("/journal ²")
    await desk.text("/journal 99999999999999999999999")

    empty, listed, one, none, bad, huge = desk.session.texts()
    assert empty.startswith("📓 No finished trades yet.")
    assert "#7 BUY BTCUSD: −$2.00 (−1.0R), closed" in listed
    assert "Opened 03 Mar 2026 12:48 UTC" in one
    assert "Result −$2.00 (−1.0R), closed." in one
    assert none == "There is no position #8 in the journal. /journal shows the latest."
    assert bad == huge == "A journal number looks like this: /journal 12"


async def test_stats_with_sample_size_and_interval(desk: ChatDesk) -> None:
    await desk.text("how am I doing?")
    await desk.text("/stats 7d")
    await desk.text("/stats forever")

    everything, week, unknown = desk.session.texts()
    assert "4 trades: 3 won, 1 lost" in everything
    assert "Net result    +$1,240.50" in everything
    assert "between 30% and 95%" in everything
    assert "4 trades are too few to judge by." in everything
    assert "2 practice trades, −$3.10." in everything
    assert "since 24 Feb 2026" in week
    assert unknown == "I know these periods: /stats 7d, /stats 30d, /stats all"


async def test_health_under_both_names(desk: ChatDesk) -> None:
    await desk.text("/status")
    await desk.text("/health")

    assert desk.session.texts()[0] == desk.session.texts()[1]
    assert "🟢 BTCUSD: live, 0.3 s old · 1,500 bars" in desk.session.texts()[0]
    assert "Running for 1 h 6 min" in desk.session.texts()[0]


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ("/psitions", "I do not know /psitions. Did you mean /positions?"),
        ("/qqqqqq", "I do not know /qqqqqq. /help lists everything."),
        ("positons", "I did not understand that. Did you mean /positions?"),
        ("🎉🎉", "I understand words rather than symbols."),
        ("x" * 5000, "That is a long message"),
        ("what is the meaning of life", "I did not understand that. Try"),
    ],
)
async def test_unknown_text_gets_one_helpful_line(desk: ChatDesk, said: str, start: str) -> None:
    await desk.text(said)

    (answer,) = desk.session.texts()
    assert answer.startswith(start)


async def test_text_that_resembles_a_market_suggests_it(desk: ChatDesk) -> None:
    await desk.text("btcuds")

    (sent,) = desk.session.of(SendMessage)
    assert words(sent) == "I did not understand that. Did you mean BTCUSD?"
    assert labels(sent) == ["BTCUSD"]


async def test_sticker_gets_one_helpful_line(desk: ChatDesk) -> None:
    await desk.text(None)

    assert desk.session.texts() == ["I read text and buttons only. Try BTCUSD h1, or /help."]


@pytest.mark.parametrize(
    "data",
    ["", "zzz", "s:x:1", "s:x:abc:1", "s:q:1:1", f"s:x:{2**70}:1", "s:x:-1:1", "p:c:0:1", "a:M9:1"],
)
async def test_garbage_buttons_are_from_an_older_version(desk: ChatDesk, data: str) -> None:
    await desk.tap(data)

    assert desk.told.commands == []
    (answer,) = desk.session.of(AnswerCallbackQuery)
    assert answer.text.startswith("That button is from an older version of the desk.")


def test_handlers_stay_short() -> None:
    folder = Path(handlers.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("on_"):
                first, last = node.body[0].lineno, node.body[-1].end_lineno or 0
                assert last - first < 15, f"{path.name}: {node.name}"
