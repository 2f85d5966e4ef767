"""The benchmark command: a table for people, one JSON line for machines, a fair rival."""

import json
from io import BytesIO

import pytest
from PIL import Image

from benchmarks import __main__ as command
from benchmarks.chart import sample_request
from benchmarks.naive_chart import naive_png
from benchmarks.report import Report
from infra.charts.drawing import ChartDrawing

REPORT = Report(title="sample", rows=(("speed", "5 ms"),), figures={"ms": 5.0})


@pytest.mark.parametrize(("options", "lines"), [([], 3), (["--json"], 1)])
def test_last_line_is_json_and_the_table_can_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    lines: int,
) -> None:
    monkeypatch.setitem(command.BENCHMARKS, "chart", lambda: REPORT)
    command.main(["chart", *options])
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == lines
    assert json.loads(printed[-1]) == {"benchmark": "chart", "ms": 5.0}


def test_both_ways_draw_the_same_request_at_the_same_size() -> None:
    request = sample_request()
    assert len(request.bars) == 120
    ours, naive = (
        Image.open(BytesIO(png)) for png in (ChartDrawing().png(request), naive_png(request))
    )
    assert ours.size == naive.size
