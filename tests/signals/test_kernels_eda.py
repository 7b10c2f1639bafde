"""The solver behind the deconvolution, against dense matrices and the conditions that only the optimum fulfils."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.records.timeline import FloatArray
from unaji.signals import _kernels_eda as kernels

POLES = np.exp(-0.25 / np.array([2.0, 0.7]))


def driving(n: int) -> FloatArray:
    """Dense A: the driver of responses."""
    a = np.eye(n)
    for k in range(1, n):
        a[k, k - 1] = -POLES[0] if k == 1 else -POLES.sum()
        if k > 1:
            a[k, k - 2] = POLES.prod()
    return a


def bending(n: int) -> FloatArray:
    return np.diff(np.eye(n), 2, axis=0)


def interleaved(n: int) -> tuple[slice, slice]:
    return slice(0, 2 * n, 2), slice(1, 2 * n, 2)


def dense(weight: FloatArray, roughness: float) -> FloatArray:
    n = weight.size
    p, t = interleaved(n)
    matrix = np.zeros((2 * n, 2 * n))
    matrix[p, p] = np.eye(n) + driving(n).T @ np.diag(weight) @ driving(n)
    matrix[p, t] = matrix[t, p] = np.eye(n)
    matrix[t, t] = np.eye(n) + roughness * bending(n).T @ bending(n)
    return matrix


def banded(weight: FloatArray, roughness: float) -> FloatArray:
    band = np.empty((2 * weight.size, kernels.BANDS + 1))
    kernels._fill(band, weight, POLES, roughness)
    return band


@pytest.mark.parametrize("n", [3, 4, 9])
def test_the_band_holds_the_matrix(n: int):
    weight = np.random.default_rng(n).uniform(0.1, 10.0, n)
    band, matrix = banded(weight, 50.0), dense(weight, 50.0)
    rebuilt = np.zeros_like(matrix)
    for i in range(2 * n):
        for j in range(min(i, kernels.BANDS) + 1):
            rebuilt[i, i - j] = rebuilt[i - j, i] = band[i, j]
    np.testing.assert_allclose(rebuilt, matrix, atol=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_step_solves_the_system(compiled: bool):
    n, rng = 12, np.random.default_rng(1)
    weight, gradient, target = rng.uniform(0.1, 10.0, n), rng.standard_normal(2 * n), rng.standard_normal(n)
    band, right, step_p = banded(weight, 50.0), np.empty(2 * n), np.empty(n)
    (kernels._factorise if compiled else kernels._factorise.py_func)(band)
    (kernels._newton if compiled else kernels._newton.py_func)(band, gradient, target, POLES, right, step_p)
    expected = -gradient
    expected[::2] += driving(n).T @ target
    np.testing.assert_allclose(right, np.linalg.solve(dense(weight, 50.0), expected), rtol=1e-9)
    np.testing.assert_array_equal(step_p, right[::2])


@pytest.mark.parametrize("compiled", [True, False])
def test_driving_and_responding_undo_each_other(compiled: bool):
    d, p, back = np.random.default_rng(2).uniform(0, 1, 30), np.empty(30), np.empty(30)
    (kernels._respond if compiled else kernels._respond.py_func)(d, POLES, p)
    np.testing.assert_allclose(driving(30) @ p, d, atol=1e-12)
    (kernels._drive if compiled else kernels._drive.py_func)(p, POLES, back)
    np.testing.assert_allclose(back, d, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.003, 0.3), st.floats(10.0, 1e6), st.integers(20, 150))
def test_the_result_is_the_optimum(seed: int, sparsity: float, roughness: float, n: int):
    """Karush, Kuhn and Tucker's conditions, with dense matrices: no direction that is allowed leads down."""
    rng = np.random.default_rng(seed)
    driver = np.where(rng.random(n) < 0.05, rng.exponential(0.3, n), 0.0)
    y = np.linalg.solve(driving(n), driver) + 3.0 + np.cumsum(rng.standard_normal(n)) * 0.01
    p, t, d, rounds = kernels.deconvolve(y, POLES, sparsity, roughness, 1e-9 * sparsity, 80)
    assert rounds <= 80
    assert (d >= 0).all()
    np.testing.assert_allclose(driving(n) @ p, d, atol=1e-9)
    misfit = p + t - y
    np.testing.assert_allclose(misfit + roughness * bending(n).T @ (bending(n) @ t), 0.0, atol=2e-3 * sparsity)
    # The slope of the objective along each impulse: zero where it is used, not below zero where it is not.
    slope = np.linalg.solve(driving(n).T, misfit) + sparsity
    assert slope.min() > -0.03 * sparsity
    assert np.abs(slope * d).max() < 0.03 * sparsity * max(d.max(), 1e-3)


def test_compiled_and_plain_agree():
    rng = np.random.default_rng(3)
    y = 2.0 + 0.1 * rng.standard_normal(40)
    quick, plain = (f(y, POLES, 0.05, 1e3, 1e-8, 60) for f in (kernels.deconvolve, kernels.deconvolve.py_func))
    for a, b in zip(quick[:3], plain[:3], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
