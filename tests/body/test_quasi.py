from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from unaji.body.quasi import Columns, nets


def test_every_net_and_its_first_powers_of_two_have_one_point_in_each_equal_part_of_each_dimension():
    """What makes a Sobol sequence: each 2^k first points are a net in base 2, whose scrambling keeps that."""
    uniform = nets(np.random.default_rng(2), 4, 64, 30)
    assert uniform.shape == (30, 256)
    for net in range(4):
        for n in (16, 64):
            parts = np.sort(np.floor(uniform[:, net::4][:, :n] * n), axis=1)
            assert np.array_equal(parts, np.tile(np.arange(n), (30, 1)))


def test_nets_are_scrambled_each_by_itself_and_the_same_seed_scrambles_the_same():
    one, two = (nets(np.random.default_rng(3), 2, 8, 5) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.any(one[:, 0::2] == one[:, 1::2])
    assert one.min() > 0
    assert one.max() < 1


def test_means_err_less_than_those_of_random_numbers():
    """∏ (1 + (x_j − ½)/j²) has the mean 1."""
    weights = 1.0 / np.arange(1, 21)[:, None] ** 2

    def error(uniform):
        return np.prod(1.0 + weights * (uniform - 0.5), axis=0).mean() - 1.0

    even = [error(nets(np.random.default_rng(seed), 4, 32, 20)) for seed in range(30)]
    random = [error(np.random.default_rng(seed).random((20, 128))) for seed in range(30)]
    assert np.std(even) < np.std(random) / 5


def test_columns_are_handed_out_in_their_order_in_the_shape_that_is_asked_for():
    uniform = np.array([[0.1, 0.5, 0.9], [0.2, 0.4, 0.6], [0.5, 0.025, 0.975], [0.3, 0.3, 0.3]])
    columns = Columns(uniform)
    assert np.array_equal(columns.random(3), uniform[0])
    assert columns.uniform(-1.0, 4.0, 3) == pytest.approx([0.0, 1.0, 2.0])
    assert columns.normal(10.0, 2.0, 3) == pytest.approx([10.0, 10.0 - 2 * 1.959964, 10.0 + 2 * 1.959964], abs=1e-5)
    assert columns.standard_normal(3) == pytest.approx(ndtri(0.3))
    with pytest.raises(ValueError, match="one dimension more of 3"):
        columns.random(3)
    with pytest.raises(ValueError, match="of 2 numbers"):
        Columns(uniform).random(2)
