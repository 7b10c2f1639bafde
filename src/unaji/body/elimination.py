"""In which order, and with which operations, is the balance of heat solved? Worked out once for all persons.

The matrix of the balance has the same holes in everyone. It is an M-matrix (positive diagonal that outweighs the rest
of its row), so that pivots may be taken from the diagonal in any order without loss of accuracy; the order is chosen to
create few new entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


class Plan(NamedTuple):
    """The elimination as flat index arrays, for the compiled loops.

    Numbers are places in one array: the stored entries of the matrix, the diagonal first, and after them the right-hand
    side by node, which ends up as the solution. Pivots of one level do not wait for each other, so that all operations
    of a level are one plain loop without inner loops of a few turns, at which processors guess wrong.

    Attributes
    ----------
    pivots : ndarray, shape (n,)
        Nodes in the order of elimination; the diagonal of node i is at i.
    pivots_start : ndarray, shape (n_levels + 1,)
        Where each level begins in `pivots`.
    scale_start, scaled, scaled_by
        x[scaled] *= x[scaled_by]: rows of the pivots, by their inverses.
    subtract_start, target, left, right
        x[target] −= x[left] · x[right].
    back_target, back_left, back_right
        The same, backwards, without levels.
    """

    pivots: IntArray
    pivots_start: IntArray
    scale_start: IntArray
    scaled: IntArray
    scaled_by: IntArray
    subtract_start: IntArray
    target: IntArray
    left: IntArray
    right: IntArray
    back_target: IntArray
    back_left: IntArray
    back_right: IntArray


def elimination_plan(n: int, entries: Iterable[tuple[int, int]]) -> tuple[Plan, dict[tuple[int, int], int]]:
    """Return the plan for a matrix with these off-diagonal entries, and the place of every stored (row, column).

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
    rows: list[list[int]] = []
    uppers: list[list[int]] = []
    while remaining:
        pivot = min(remaining, key=lambda k: (len(in_row[k]) * len(in_column[k]), k))
        remaining.remove(pivot)
        pivots.append(pivot)
        rows.append(sorted(in_column[pivot]))
        uppers.append(sorted(in_row[pivot]))
        _eliminate(pivot, in_row, in_column)
    level = _levels(pivots, rows, uppers)
    order = sorted(range(n), key=lambda k: level[pivots[k]])
    pivots = [pivots[k] for k in order]
    rows = [rows[k] for k in order]
    uppers = [uppers[k] for k in order]
    place = {(k, k): k for k in range(n)}
    for pivot, column, upper in zip(pivots, rows, uppers, strict=True):
        for i, j in [*((i, pivot) for i in column), *((pivot, j) for j in upper)]:
            place.setdefault((i, j), len(place))
    return _flat(pivots, rows, uppers, [level[pivot] for pivot in pivots], place), place


def _levels(pivots: list[int], rows: list[list[int]], uppers: list[list[int]]) -> dict[int, int]:
    """Return the level of each node: one more than the highest of those that change its row or column.

    Any order that respects the levels creates the same entries.
    """
    level = dict.fromkeys(pivots, 0)
    for pivot, column, upper in zip(pivots, rows, uppers, strict=True):
        for k in (*column, *upper):
            level[k] = max(level[k], level[pivot] + 1)
    return level


def _eliminate(pivot: int, in_row: list[set[int]], in_column: list[set[int]]) -> None:
    """Take the pivot out of what remains and put in the entries that this creates."""
    for i in in_column[pivot]:
        in_row[i].remove(pivot)
        in_row[i] |= in_row[pivot] - {i}
    for j in in_row[pivot]:
        in_column[j].remove(pivot)
        in_column[j] |= in_column[pivot] - {j}


def _flat(
    pivots: list[int],
    rows: list[list[int]],
    uppers: list[list[int]],
    level: list[int],
    place: dict[tuple[int, int], int],
) -> Plan:
    n_entries = len(place)
    scales: list[tuple[int, int, int]] = []
    subtractions: list[tuple[int, int, int, int]] = []
    back: list[tuple[int, int, int]] = []
    for pivot, column, upper, at in zip(pivots, rows, uppers, level, strict=True):
        row = [*((j, place[pivot, j]) for j in upper), (-1, n_entries + pivot)]
        scales += [(at, entry, pivot) for _, entry in row]
        for i in column:
            targets = [n_entries + i if j < 0 else place[i, j] for j, _ in row]
            subtractions += [(at, t, place[i, pivot], entry) for t, (_, entry) in zip(targets, row, strict=True)]
        back = [(n_entries + pivot, place[pivot, j], n_entries + j) for j in upper] + back
    starts = [np.searchsorted([op[0] for op in ops], range(level[-1] + 2)) for ops in (scales, subtractions)]
    scaled = np.array(scales, dtype=np.int64)
    subtracted = np.array(subtractions, dtype=np.int64).reshape(-1, 4)
    backwards = np.array(back, dtype=np.int64).reshape(-1, 3)
    parts = (
        pivots,
        np.searchsorted(level, range(level[-1] + 2)),
        *(starts[0], scaled[:, 1], scaled[:, 2]),
        *(starts[1], subtracted[:, 1], subtracted[:, 2], subtracted[:, 3]),
        *(backwards[:, 0], backwards[:, 1], backwards[:, 2]),
    )
    return Plan(*(np.ascontiguousarray(part, dtype=np.int64) for part in parts))
