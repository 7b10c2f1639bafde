"""Sparse elimination in the planned order against NumPy's dense solver."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from unaji.body._kernels_heat import solve
from unaji.body._lanes import WIDTH
from unaji.body.anatomy import structure_of
from unaji.body.elimination import elimination_plan


@njit
def solve_in_place(x, plan):
    solve(x, plan)


def m_matrix(rng, n, pattern):
    """Rows whose diagonal outweighs them, one matrix a lane."""
    a = np.zeros((WIDTH, n, n))
    for i, j in pattern:
        a[:, i, j] = -rng.random(WIDTH)
    a[:, range(n), range(n)] = -a.sum(axis=2) + rng.uniform(0.01, 1.0, (WIDTH, n))
    return a


def stored(a, place):
    entry = np.zeros((len(place), WIDTH))
    for (i, j), k in place.items():
        entry[k] = a[:, i, j]
    return entry


@pytest.mark.parametrize("seed", range(5))
def test_random_sparse_systems_are_solved_as_numpy_solves_them(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    pattern = {(int(i), int(j)) for i, j in rng.integers(0, n, (3 * n, 2)) if i != j}
    plan, place = elimination_plan(n, pattern)
    a, b = m_matrix(rng, n, pattern), rng.normal(size=(n, WIDTH))
    x = np.concatenate([stored(a, place), b])
    solve_in_place(x, plan)
    expected = np.linalg.solve(a, b.T[..., None])[..., 0].T
    np.testing.assert_allclose(x[len(place) :], expected, rtol=1e-10, atol=1e-10)


def test_an_arrow_is_eliminated_from_its_tip_without_new_entries():
    n = 12
    plan, place = elimination_plan(n, {(0, k) for k in range(1, n)} | {(k, 0) for k in range(1, n)})
    assert len(place) == n + 2 * (n - 1)
    # Once a single other row is left, it and the shaft cost the same and the lower number comes first.
    assert 0 in plan.pivots[-2:]


@pytest.mark.parametrize("detailed", [False, True])
def test_the_plan_for_the_body_needs_few_operations(detailed):
    structure = structure_of(detailed)
    plan, place = elimination_plan(len(structure.nodes), structure.entries)
    assert sorted(plan.pivots) == list(range(len(structure.nodes)))
    assert len(structure.entries) == (256 if detailed else 240)
    assert len(place) <= 460
    assert plan.target.size + plan.back_target.size <= 766
