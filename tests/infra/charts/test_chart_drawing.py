"""Pictures, looked at by their pixels."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.model.chart import ChartLevel, ChartMark, ChartRequest, LevelKind, Theme
from core.model.market import Bar, Timeframe
from infra.charts.drawing import ChartDrawing
from infra.charts.layout import HEIGHT, PRICE_PANEL, WIDTH
from infra.charts.palette import PALETTES, Colour
from tests.support.chart_requests import (
    CHART_START,
    chart_bar,
    chart_bars,
    chart_level,
    chart_request,
)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def drawing() -> ChartDrawing:
    return ChartDrawing()


def pixels(drawing: ChartDrawing, request: ChartRequest) -> Pixels:
    return np.asarray(Image.open(BytesIO(drawing.png(request))))


def where(picture: Pixels, colour: Colour) -> NDArray[np.intp]:
    """(n, 2) rows and columns of the pixels of exactly this colour."""
    wanted = np.rint(np.array(colour) * 255).astype(np.uint8)
    return np.argwhere((picture == wanted).all(axis=2))


def plan(stop: float, entry: float, target: float) -> list[ChartLevel]:
    return [
        chart_level(LevelKind.ENTRY, entry, "ENTRY"),
        chart_level(LevelKind.STOP, stop, "STOP"),
        chart_level(LevelKind.TARGET, target, "TP1"),
    ]


def test_picture_is_a_phone_sized_png_of_moderate_size(drawing: ChartDrawing) -> None:
    png = drawing.png(chart_request(chart_bars(120)))
    assert png.startswith(PNG_SIGNATURE)
    assert Image.open(BytesIO(png)).size == (WIDTH, HEIGHT)
    assert len(png) < 200 * 1024


def test_same_request_gives_the_same_bytes_whatever_was_drawn_before(drawing: ChartDrawing) -> None:
    request = chart_request(chart_bars(100), levels=plan(63_900.0, 64_100.0, 64_400.0))
    first = drawing.png(request)
    drawing.png(chart_request(chart_bars(3), theme=Theme.LIGHT))
    assert drawing.png(request) == first


@pytest.mark.parametrize("theme", list(Theme))
def test_candles_stop_and_target_show_their_colours(drawing: ChartDrawing, theme: Theme) -> None:
    palette = PALETTES[theme]
    levels = plan(63_900.0, 64_100.0, 64_400.0)
    picture = pixels(drawing, chart_request(chart_bars(100), levels=levels, theme=theme))
    assert tuple(picture[5, 5]) == tuple(round(part * 255) for part in palette.background)
    for colour in (palette.up, palette.down, palette.stop, palette.target, palette.entry):
        assert len(where(picture, colour)) > 500
    stop, entry, target = (
        where(picture, colour)[:, 0].mean()
        for colour in (palette.stop, palette.entry, palette.target)
    )
    assert target < entry < stop


def test_chart_without_levels_has_no_level_colours(drawing: ChartDrawing) -> None:
    palette = PALETTES[Theme.LIGHT]
    picture = pixels(drawing, chart_request(chart_bars(100), theme=Theme.LIGHT))
    assert len(where(picture, palette.stop)) == 0
    assert len(where(picture, palette.entry)) == 0


@pytest.mark.parametrize(("price", "at_top"), [(1e9, True), (1.0, False)])
def test_far_level_is_a_tag_at_the_edge_without_a_line(
    drawing: ChartDrawing, price: float, at_top: bool
) -> None:
    palette = PALETTES[Theme.DARK]
    level = chart_level(LevelKind.STOP, price, "STOP")
    picture = pixels(drawing, chart_request(chart_bars(100), levels=[level]))
    found = where(picture, palette.stop)
    edge = PRICE_PANEL.top if at_top else PRICE_PANEL.bottom
    assert len(found) > 500
    assert np.abs(found[:, 0] - edge).max() < 60
    assert found[:, 1].min() > WIDTH / 2
    candles = where(picture[int(PRICE_PANEL.top) : int(PRICE_PANEL.bottom)], palette.up)
    assert np.ptp(candles[:, 0]) > 0.7 * (PRICE_PANEL.bottom - PRICE_PANEL.top)


def test_tags_of_equal_prices_do_not_hide_each_other(drawing: ChartDrawing) -> None:
    palette = PALETTES[Theme.DARK]
    picture = pixels(
        drawing, chart_request(chart_bars(100), levels=plan(64_100.0, 64_100.0, 64_100.0))
    )
    counts = [
        len(where(picture[:, WIDTH - 200 :], colour))
        for colour in (palette.stop, palette.entry, palette.target)
    ]
    assert min(counts) > 0.7 * max(counts)


def test_forming_bar_is_hollow(drawing: ChartDrawing) -> None:
    palette = PALETTES[Theme.DARK]
    done = chart_request((chart_bar(0, 64_000.0, 64_300.0),))
    forming = chart_request((chart_bar(0, 64_000.0, 64_300.0, closed=False),))
    panel = slice(int(PRICE_PANEL.top), int(PRICE_PANEL.bottom))
    full = len(where(pixels(drawing, done)[panel], palette.up))
    hollow = len(where(pixels(drawing, forming)[panel], palette.up))
    assert 0 < hollow < full / 2


def test_marks_inside_the_time_are_drawn_and_earlier_ones_are_not(drawing: ChartDrawing) -> None:
    bars = chart_bars(40)
    plain = drawing.png(chart_request(bars))
    mark = ChartMark(time=bars[20].open_time, price=bars[20].close, label="Buy", up=True)
    early = replace(mark, time=CHART_START.replace(year=2020))
    assert drawing.png(chart_request(bars, marks=[mark])) != plain
    assert drawing.png(chart_request(bars, marks=[early])) == plain


def test_sessions_are_shaded_up_to_one_hour_only(drawing: ChartDrawing) -> None:
    asian = PALETTES[Theme.DARK].sessions[0]
    assert len(where(pixels(drawing, chart_request(chart_bars(80))), asian)) > 10_000
    slow = chart_request(chart_bars(80, Timeframe.H4))
    assert len(where(pixels(drawing, slow), asian)) == 0


def strange(name: str) -> tuple[Bar, ...]:
    return {
        "one": chart_bars(1),
        "two": chart_bars(2),
        "flat": tuple(chart_bar(place, 1.1, 1.1) for place in range(30)),
        "silent": tuple(replace(bar, volume=0.0, buy_volume=0.0) for bar in chart_bars(30)),
        "huge": tuple(chart_bar(place, 3e14, 3.1e14) for place in range(30)),
        "tiny": tuple(chart_bar(place, 1e-7, 2e-7) for place in range(30)),
        "gap": (*chart_bars(3), chart_bar(5_000, 64_000.0, 64_010.0)),
        "spike": (*chart_bars(30), chart_bar(30, 64_000.0, 1e9)),
    }[name]


@pytest.mark.parametrize("name", ["one", "two", "flat", "silent", "huge", "tiny", "gap", "spike"])
def test_strange_markets_are_drawn(drawing: ChartDrawing, name: str) -> None:
    bars = strange(name)
    lines = [("EMA20", tuple(None if place % 3 else bar.close for place, bar in enumerate(bars)))]
    levels = plan(1.0, 2.0, 1e12)
    assert drawing.png(chart_request(bars, lines=lines, levels=levels)).startswith(PNG_SIGNATURE)


def test_long_words_and_unknown_letters_are_drawn(drawing: ChartDrawing) -> None:
    request = replace(
        chart_request(
            chart_bars(50), levels=[chart_level(LevelKind.STOP, 64_000.0, "label " * 30)]
        ),
        title="金 🚀 " * 40,
        watermark="SOMETHING ELSE ENTIRELY",
        stamp="",
    )
    assert drawing.png(request).startswith(PNG_SIGNATURE)
