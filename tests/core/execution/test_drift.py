"""When the price has left the card."""

from decimal import Decimal

import pytest

from core.execution.drift import has_drifted
from core.model.signal import Side
from tests.support.desk_builders import level, quote_of, signal_of

RR = Decimal("1.5")


@pytest.mark.parametrize(
    ("mid", "expected"),
    [
        (97_000.0, False),
        (97_022.0, True),  # reward/risk is spoilt before the drift limit is reached
        (97_026.0, True),
        (96_980.0, False),
        (96_974.0, True),
        (96_900.0, True),
        (97_300.0, True),
    ],
)
def test_a_buy_card_is_judged_at_the_ask(mid: float, expected: bool) -> None:
    assert has_drifted(signal_of(targets=(level("97201.00"),)), quote_of(mid), RR) is expected


def test_a_sell_card_is_judged_at_the_bid() -> None:
    signal = signal_of(
        side=Side.SELL,
        entry=level("96999.00"),
        stop=level("97099.00"),
        targets=(level("96779.00"),),
    )
    assert not has_drifted(signal, quote_of(97_000.0), RR)
    assert has_drifted(signal, quote_of(97_030.0), RR)
    assert has_drifted(signal, quote_of(96_970.0), RR)


def test_without_targets_only_the_distance_counts() -> None:
    assert not has_drifted(signal_of(targets=()), quote_of(97_024.0), RR)
    assert has_drifted(signal_of(targets=()), quote_of(97_026.0), RR)


def test_a_limit_wider_than_the_stop_still_refuses_beyond_the_stop() -> None:
    signal = signal_of(targets=(), drift_limit=Decimal(500))
    assert has_drifted(signal, quote_of(96_899.0), RR)
