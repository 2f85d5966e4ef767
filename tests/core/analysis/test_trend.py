"""The trend word needs the means in order, the close beyond them, and strength."""

import pytest

from core.analysis.trend import trend_of
from core.model.analysis import Trend


@pytest.mark.parametrize(
    ("close", "fast", "slow", "adx", "expected"),
    [
        (103.0, 102.0, 101.0, 20.0, Trend.UP),
        (99.0, 100.0, 101.0, 35.0, Trend.DOWN),
        (103.0, 102.0, 101.0, 19.99, Trend.FLAT),
        (99.0, 100.0, 101.0, 19.99, Trend.FLAT),
        (101.5, 102.0, 101.0, 40.0, Trend.FLAT),
        (100.5, 100.0, 101.0, 40.0, Trend.FLAT),
        (103.0, None, 101.0, 40.0, None),
        (103.0, 102.0, None, 40.0, None),
        (103.0, 102.0, 101.0, None, None),
    ],
)
def test_trend(
    close: float, fast: float | None, slow: float | None, adx: float | None, expected: Trend | None
) -> None:
    assert trend_of(close, fast, slow, adx) is expected
