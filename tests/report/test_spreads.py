"""A number over many people as it is said: no finer than it is known, ranges rounded outwards."""

from __future__ import annotations

import pytest

from unaji.body.spread import Spread
from unaji.report.spreads import is_nothing, is_the_same, outwards, say_change, say_range
from unaji.report.words import catalogue

JA, EN = catalogue("ja"), catalogue("en")


@pytest.mark.parametrize(
    ("spread", "ends"),
    [
        (Spread(1.0, 0.91, 1.12), (0.9, 1.2)),
        (Spread(-1.0, -1.21, -0.89), (-1.3, -0.8)),
        (Spread(0.7, 0.7, 0.7000000000000001), (0.7, 0.7)),
        (Spread(0.3, 0.04, 0.31), (0.0, 0.4)),
        (Spread(0.0, -0.049, 0.051), (0.0, 0.1)),
    ],
)
def test_a_range_is_rounded_outwards_but_for_an_end_that_is_nothing(spread, ends):
    assert outwards(spread) == ends


def test_a_range_and_a_change_are_said_with_sign_and_unit():
    assert say_range(Spread(2.0, 1.21, 2.85), JA) == "1.2〜2.9"
    assert say_range(Spread(2.0, 2.0, 2.0), EN) == "2.0"
    assert say_change(Spread(1.4, 0.93, 1.75), JA) == "+0.9〜+1.8℃"
    assert say_change(Spread(-3.2, -3.8, -2.8), JA) == "\N{MINUS SIGN}3.8〜\N{MINUS SIGN}2.8℃"
    assert say_change(Spread(0.0, -0.04, 0.04), JA) == ""


def test_nothing_is_what_rounds_to_nothing_for_nine_in_ten():
    assert is_nothing(Spread(0.0, -0.049, 0.049))
    assert not is_nothing(Spread(0.0, 0.0, 0.05))
    assert is_the_same(Spread(1.0, 0.96, 1.04))
    assert not is_the_same(Spread(1.0, 0.95, 1.06))
