"""In which order is the balance of heat solved? Worked out once for all persons.

The matrix of the balance has the same holes in everyone. It is an M-matrix (positive diagonal that outweighs the rest
of its row), so that pivots may be taken from the diagonal in any order without loss of accuracy; the order is chosen to
create few new entries.

Values may be anything that adds, multiplies and divides: numbers, arrays, or symbols that turn into code
(`unaji.body._lanes.unrolled`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Matrix = dict[tuple[int, int], Any]
"""Value by row and column, where there is one."""


def elimination_order(n: int, entries: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Return the order of elimination for a matrix with these (row, column).

    The next pivot is always that with the smallest product of its remaining row and column counts (Markowitz, 1957,
    doi:10.1287/mnsc.3.3.255); the first of equals.
    """
    in_row: list[set[int]] = [set() for _ in range(n)]
    in_column: list[set[int]] = [set() for _ in range(n)]
    for i, j in entries:
        if i != j:
            in_row[i].add(j)
            in_column[j].add(i)
    remaining = set(range(n))
    pivots: list[int] = []
    while remaining:
        pivot = min(remaining, key=lambda k: (len(in_row[k]) * len(in_column[k]), k))
        remaining.remove(pivot)
        pivots.append(pivot)
        _take_out(pivot, in_row, in_column)
    return tuple(pivots)


def _take_out(pivot: int, in_row: list[set[int]], in_column: list[set[int]]) -> None:
    """Take the pivot out of what remains and put in the entries that this creates."""
    for i in in_column[pivot]:
        in_row[i].remove(pivot)
        in_row[i] |= in_row[pivot] - {i}
    for j in in_row[pivot]:
        in_column[j].remove(pivot)
        in_column[j] |= in_column[pivot] - {j}


def solve(matrix: Matrix, right: list[Any], order: Iterable[int]) -> list[Any]:
    """Return the solution of matrix · x = right, by elimination in this order; both are overwritten."""
    remaining = set(range(len(right)))
    uppers: list[tuple[int, list[int]]] = []
    for pivot in order:
        remaining.remove(pivot)
        upper = [j for j in sorted(remaining) if (pivot, j) in matrix]
        _eliminate(matrix, right, pivot, upper, [i for i in sorted(remaining) if (i, pivot) in matrix])
        uppers.append((pivot, upper))
    for pivot, upper in reversed(uppers):
        for j in upper:
            right[pivot] = right[pivot] - matrix[pivot, j] * right[j]
    return right


def _eliminate(matrix: Matrix, right: list[Any], pivot: int, upper: list[int], lower: list[int]) -> None:
    """Scale the pivot's row and take it off all rows below."""
    inverse = 1.0 / matrix[pivot, pivot]
    right[pivot] = right[pivot] * inverse
    for j in upper:
        matrix[pivot, j] = matrix[pivot, j] * inverse
    for i in lower:
        factor = matrix[i, pivot]
        right[i] = right[i] - factor * right[pivot]
        for j in upper:
            product = factor * matrix[pivot, j]
            matrix[i, j] = matrix[i, j] - product if (i, j) in matrix else -product
