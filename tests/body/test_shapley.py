from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unaji.body.shapley import coalitions, shapley_shares

values_of_five = arrays(np.float64, (32, 3), elements=st.floats(-100, 100))


def by_every_order(value: np.ndarray, n: int) -> np.ndarray:
    """Let the causes join in every order and average what each adds: the definition, slowly."""
    shares = np.zeros((n, *value.shape[1:]))
    orders = list(permutations(range(n)))
    for order in orders:
        joined = 0
        for k in order:
            shares[k] += (value[joined | 1 << k] - value[joined]) / len(orders)
            joined |= 1 << k
    return shares


def test_the_glove_game_of_the_textbooks():
    """One left glove and two right ones; a pair is worth 1: shares 2/3, 1/6, 1/6 (Shapley and Shubik 1969)."""
    member = coalitions(3)
    pair = (member[:, 0] & (member[:, 1] | member[:, 2])).astype(float)
    np.testing.assert_allclose(shapley_shares(pair), [2 / 3, 1 / 6, 1 / 6], atol=1e-15)


@given(values_of_five)
def test_shares_are_what_every_order_of_joining_gives(value: np.ndarray):
    np.testing.assert_allclose(shapley_shares(value), by_every_order(value, 5), atol=1e-11)


@given(values_of_five)
def test_shares_sum_to_the_total(value: np.ndarray):
    np.testing.assert_allclose(shapley_shares(value).sum(axis=0), value[-1] - value[0], atol=1e-11)


@given(values_of_five)
def test_a_cause_that_adds_nothing_gets_nothing(value: np.ndarray):
    value[1::2] = value[0::2]  # cause 0 changes no coalition
    assert (shapley_shares(value)[0] == 0.0).all()


def test_an_incomplete_set_of_coalitions_is_refused():
    with pytest.raises(ValueError, match="31 coalitions"):
        shapley_shares(np.zeros(31))
