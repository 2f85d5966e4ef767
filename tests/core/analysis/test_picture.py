"""The chart request shows what the analysis says, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.analysis.indicators import read_indicators
from core.analysis.picture import chart_request
from core.model.analysis import Analysis, FlowMissing
from core.model.chart import ChartLevel, LevelKind
from core.model.events import FeedStatus
from core.model.instrument import Venue
from core.model.market import Timeframe
from core.model.signal import (
    NoSetup,
    PriceLevel,
    Setup,
    Side,
    Signal,
    SignalKind,
    SignalState,
)
from core.model.values import Money, Price, Quantity
from tests.support.bar_series import an_instrument, random_walk

NOW = datetime(2026, 11, 17, 13, 7, 42, tzinfo=UTC)
BARS = random_walk(7, 600)


def an_analysis(count: int = 600, setup: Setup | NoSetup | None = None) -> Analysis:
    return Analysis(
        instrument=an_instrument(),
        timeframe=Timeframe.M15,
        at=NOW,
        bid=97_249.5,
        ask=97_250.5,
        price_age_seconds=0.2,
        feed=FeedStatus.LIVE,
        indicators=read_indicators(BARS[:count]),
        flow=FlowMissing(reason="no feed"),
        supports=(97_010.0, 96_900.25),
        resistances=(97_500.0,),
        setup=setup or NoSetup(reason="inside_range", detail="Nothing."),
        bars=BARS[:count],
        forming=None,
    )


def a_level(price: str) -> PriceLevel:
    return PriceLevel(price=Price.of(price), origin=Venue.SANDBOX)


SETUP = Setup(
    strategy="range_break",
    instrument="BTCUSD",
    timeframe=Timeframe.M15,
    side=Side.SELL,
    entry=97_250.0,
    stop=97_480.126,
    targets=(96_789.748,),
    confidence=0.7,
    reasons=(),
    bar_close=NOW,
)
SIGNAL = Signal(
    id=4,
    key="k",
    kind=SignalKind.STRATEGY,
    strategy="range_break",
    instrument="BTCUSD",
    timeframe=Timeframe.M15,
    side=Side.BUY,
    entry=a_level("97300.00"),
    stop=a_level("97100.00"),
    targets=(a_level("97700.00"), a_level("97900.50")),
    quantity=Quantity.of("0.01"),
    risk=Money.of(2),
    risk_asked=Money.of(2),
    confidence=0.7,
    reasons=(),
    warnings=(),
    drift_limit=Decimal(50),
    created_at=NOW,
    created_market_at=NOW,
    expires_at=NOW,
    state=SignalState.OPEN,
    rev=1,
)
PLAN_KINDS = {LevelKind.ENTRY, LevelKind.STOP, LevelKind.TARGET}


def test_title_stamp_watermark_and_digits() -> None:
    request = chart_request(an_analysis(), watermark="SIMULATED", levels_of=None)
    assert request.title == "BTCUSD · M15"
    assert request.stamp == "2026-11-17 13:07 UTC"
    assert (request.watermark, request.price_digits) == ("SIMULATED", 2)


def test_the_last_hundred_closed_bars_are_shown_with_a_mean_for_each() -> None:
    analysis = an_analysis()
    request = chart_request(analysis, watermark="PAPER")
    assert request.bars == BARS[500:600]
    assert [(name, len(values)) for name, values in request.lines] == [
        ("EMA20", 100),
        ("EMA50", 100),
    ]
    assert analysis.indicators is not None
    assert request.lines[0][1][-1] == analysis.indicators.ema_fast
    assert request.lines[1][1][-1] == analysis.indicators.ema_slow


def test_the_forming_bar_is_drawn_but_has_no_mean() -> None:
    forming = replace(BARS[-1], open_time=BARS[-1].open_time + timedelta(minutes=1), closed=False)
    request = chart_request(replace(an_analysis(), forming=forming), watermark="PAPER")
    assert request.bars == (*BARS[500:600], forming)
    assert [values[-1] for _, values in request.lines] == [None, None]
    assert all(None not in values[:-1] for _, values in request.lines)


@pytest.mark.parametrize(("count", "blank"), [(0, 0), (10, 10), (60, 49)])
def test_a_short_history_leaves_the_mean_blank(count: int, blank: int) -> None:
    request = chart_request(an_analysis(count), watermark="PAPER")
    values = request.lines[1][1]
    assert (len(request.bars), len(values)) == (count, count)
    assert values[:blank] == (None,) * blank
    assert None not in values[blank:]


def test_surroundings_are_numbered_from_the_nearest() -> None:
    request = chart_request(an_analysis(), watermark="PAPER")
    assert request.levels == (
        ChartLevel(kind=LevelKind.SUPPORT, price=97_010.0, label="S1"),
        ChartLevel(kind=LevelKind.SUPPORT, price=96_900.25, label="S2"),
        ChartLevel(kind=LevelKind.RESISTANCE, price=97_500.0, label="R1"),
        ChartLevel(kind=LevelKind.PRICE, price=97_250.0, label="Price"),
    )


def test_without_a_quote_there_is_no_price_level() -> None:
    request = chart_request(replace(an_analysis(), bid=None, ask=None), watermark="PAPER")
    assert LevelKind.PRICE not in {level.kind for level in request.levels}


def test_the_setup_is_drawn() -> None:
    request = chart_request(an_analysis(setup=SETUP), watermark="PAPER")
    assert [level for level in request.levels if level.kind in PLAN_KINDS] == [
        ChartLevel(kind=LevelKind.ENTRY, price=97_250.0, label="Entry"),
        ChartLevel(kind=LevelKind.STOP, price=97_480.126, label="Stop"),
        ChartLevel(kind=LevelKind.TARGET, price=96_789.748, label="TP1"),
    ]


def test_a_signal_is_drawn_instead_of_the_setup() -> None:
    request = chart_request(an_analysis(setup=SETUP), watermark="PAPER", levels_of=SIGNAL)
    assert [level for level in request.levels if level.kind in PLAN_KINDS] == [
        ChartLevel(kind=LevelKind.ENTRY, price=97_300.0, label="Entry"),
        ChartLevel(kind=LevelKind.STOP, price=97_100.0, label="Stop"),
        ChartLevel(kind=LevelKind.TARGET, price=97_700.0, label="TP1"),
        ChartLevel(kind=LevelKind.TARGET, price=97_900.5, label="TP2"),
    ]
