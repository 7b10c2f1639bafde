"""Sparse elimination in the planned order against NumPy's dense solver."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.body.anatomy import structure_of
from unaji.body.elimination import elimination_order, solve


def m_matrix(rng, n, pattern):
    """Rows whose diagonal outweighs them."""
    a = np.zeros((n, n))
    for i, j in pattern:
        a[i, j] = -rng.random()
    a[range(n), range(n)] = -a.sum(axis=1) + rng.uniform(0.01, 1.0, n)
    return a


def stored(a):
    return {(int(i), int(j)): a[i, j] for i, j in np.argwhere(a)}


@pytest.mark.parametrize("seed", range(5))
def test_random_sparse_systems_are_solved_as_numpy_solves_them(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    pattern = {(int(i), int(j)) for i, j in rng.integers(0, n, (3 * n, 2)) if i != j}
    a, b = m_matrix(rng, n, pattern), rng.normal(size=n)
    x = solve(stored(a), list(b), elimination_order(n, pattern))
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-10, atol=1e-10)


def test_an_arrow_is_eliminated_from_its_tip_without_new_entries():
    n = 12
    pattern = {(0, k) for k in range(1, n)} | {(k, 0) for k in range(1, n)}
    order = elimination_order(n, pattern)
    matrix = stored(m_matrix(np.random.default_rng(0), n, pattern))
    solve(matrix, [1.0] * n, order)
    assert len(matrix) == n + 2 * (n - 1)
    # Once a single other row is left, it and the shaft cost the same and the lower number comes first.
    assert 0 in order[-2:]


class Counted(float):
    """A number that counts multiplications."""

    n = 0

    def __mul__(self, other):
        Counted.n += 1
        return Counted(float(self) * other)

    def __sub__(self, other):
        return Counted(float(self) - other)

    def __neg__(self):
        return Counted(-float(self))

    def __rtruediv__(self, other):
        return Counted(other / float(self))


@pytest.mark.parametrize("detailed", [False, True])
def test_the_order_for_the_body_needs_few_operations(detailed):
    structure = structure_of(detailed)
    n = len(structure.nodes)
    order = elimination_order(n, structure.entries)
    assert sorted(order) == list(range(n))
    assert len(structure.entries) == (256 if detailed else 240)
    matrix = {
        place: Counted(x) for place, x in stored(m_matrix(np.random.default_rng(0), n, structure.entries)).items()
    }
    Counted.n = 0
    solve(matrix, [Counted(1.0)] * n, order)
    assert len(matrix) <= 460
    assert Counted.n <= 1000
