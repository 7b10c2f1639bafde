"""The sum that forgets, against the filter that scipy has for it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from unaji.causes import fading
from unaji.causes.fading import fading_sum


@pytest.mark.parametrize("keep", [0.0, 0.3, np.exp(-5 / 1440), 1.0])
def test_it_is_the_filter_of_scipy_to_the_last_bit(keep):
    x = np.random.default_rng(5).normal(size=5000)
    np.testing.assert_array_equal(fading_sum(x, keep), lfilter([1.0], [1.0, -keep], x))
    np.testing.assert_array_equal(fading._fade.py_func(x, keep), fading_sum(x, keep))


def test_one_impulse_fades_by_the_same_share_in_each_bin():
    np.testing.assert_array_equal(fading_sum(np.array([0.0, 8.0, 0.0, 0.0]), 0.5), [0.0, 8.0, 4.0, 2.0])
    assert fading_sum(np.zeros(0), 0.5).size == 0


def test_whole_numbers_and_slices_are_taken_too():
    np.testing.assert_array_equal(fading_sum(np.arange(6)[::2], 0.5), [0.0, 2.0, 5.0])
