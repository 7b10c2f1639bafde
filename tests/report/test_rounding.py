from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.causes.attribution import Estimate
from unaji.report.rounding import Tens, change_percent, half_up, lag_minutes, largest_remainder, percent_up, tens


def test_a_share_is_said_as_so_many_of_ten_with_the_interval_rounded_outwards():
    assert tens(Estimate(0.41, 0.25, 0.55)) == Tens(4, 2, 6)
    assert tens(Estimate(0.04, 0.0, 0.09)) == Tens(0, 0, 1)
    assert tens(Estimate(0.05, 0.0, 0.1)) == Tens(1, 0, 1)
    assert tens(Estimate(1.2, 0.9, 1.4)) == Tens(10, 9, 10)


def test_the_last_bit_of_a_float_does_not_widen_an_interval():
    assert 10 * 0.7 > 7 or 10 * 0.29999999999999998 <= 3  # the trap that the guard is for
    assert tens(Estimate(0.5, 0.3, 0.7)) == Tens(5, 3, 7)


def test_an_unknown_share_has_no_tens():
    assert tens(Estimate(math.nan, math.nan, math.nan)) is None


@pytest.mark.parametrize(("value", "rounded"), [(2.5, 3), (3.5, 4), (-0.5, 0), (0.49, 0)])
def test_halves_go_up(value, rounded):
    assert half_up(value) == rounded


@pytest.mark.parametrize(
    ("lag_h", "minutes"),
    [(0.01, 15), (0.3, 15), (0.4, 30), (1.4, 90), (1.99, 120), (2.4, 120), (2.6, 180), (23.7, 1440)],
)
def test_a_lag_is_said_in_quarters_below_two_hours_and_in_hours_above(lag_h, minutes):
    assert lag_minutes(lag_h) == minutes


def test_a_ratio_is_said_as_a_change():
    assert change_percent(0.53) == -47
    assert change_percent(1.2) == 20


def test_a_bound_is_rounded_up():
    assert percent_up(0.081) == 9
    assert percent_up(0.07) == 7  # 100 × 0.07 is 7.000000000000001


def test_ten_squares_worked_by_hand():
    # 41, 19, 11 and 29 % are 4.1, 1.9, 1.1 and 2.9 squares: 4 + 1 + 1 + 2 whole, then the largest remainders.
    assert largest_remainder([0.41, 0.19, 0.11, 0.29]) == (4, 2, 1, 3)
    assert largest_remainder([1.0, 1.0, 1.0]) == (4, 3, 3)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=20).filter(lambda shares: sum(shares) > 1e-6))
def test_there_are_always_ten_squares_and_none_is_a_square_off(shares):
    dealt = largest_remainder(shares)
    assert sum(dealt) == 10
    for squares, share in zip(dealt, shares, strict=True):
        assert abs(squares - 10 * share / math.fsum(shares)) < 1 + 1e-5


@pytest.mark.parametrize("shares", [[0.0, 0.0], [-0.1, 1.0], [math.nan, 1.0]])
def test_shares_that_cannot_be_dealt_are_refused(shares):
    with pytest.raises(ValueError, match="shares must be finite"):
        largest_remainder(shares)
