"""When several devices recorded the same, whose word is taken? Decided when reading, stretch by stretch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray

ORDER = ("ecg", "strap", "monitor", "ring", "watch", "logger", "station", "phone", "model", "merged", "manual", "")
"""Kinds of devices (`unaji.records.batch.ROLES`), the most exact first; "" is a device of which nothing is known."""

PLACE_MATTERS = (
    "skin_temp_c", "air_temp_c", "rel_humidity_pct", "dew_point_c", "acc_g", "activity_mg", "scl_microsiemens", "bvp",
)  # fmt: skip
"""Quantities that two places have each their own value of; of the others, the person has one."""

HYSTERESIS_MS = 60_000
"""A source that falls silent is waited for as long before another one takes over [ms]."""

LONGEST_PAUSE_MS = 15 * 60_000
"""Values that come more rarely than this do not speak for the time between them [ms]."""

IntArray = NDArray[np.int64]
Stretches = tuple[IntArray, IntArray]
NOTHING: Stretches = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


class Recorder(Protocol):
    """Who wrote rows: a `Device`, or what the store knows of one."""

    @property
    def source(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def site(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def corrected(self) -> str: ...


def preferred(
    start_ms: IntArray, end_ms: IntArray, source: IntArray, roles: Mapping[int, str], order: Sequence[str] = ORDER
) -> BoolArray:
    """Say which rows to take, so that at no time two sources speak.

    The best source is taken throughout; of the next one, what lies outside the stretches in which a better one speaks,
    and so on. A row that overlaps such a stretch in part is left out too: the sums of two counters are never added.
    Of two sources of one role, the one with more rows is the better.

    Parameters
    ----------
    start_ms, end_ms : ndarray of int, shape (n,)
        What each row is about; equal for instants. [ms]
    source : ndarray of int, shape (n,)
        Which source each row is of.
    roles : dict of int to str
        Role of each source.
    order : sequence of str
        Roles, the best first; those it does not name come last.
    """
    ids, counts = np.unique(source, return_counts=True)
    keep = np.ones(source.size, dtype=bool)
    if ids.size < 2:
        return keep
    taken = NOTHING
    for one in ranked(dict(zip(ids.tolist(), counts.tolist(), strict=True)), roles, order):
        rows = np.flatnonzero(source == one)
        free = ~overlap(start_ms[rows], end_ms[rows], taken)
        keep[rows] = free
        taken = united(taken, stretches(start_ms[rows[free]], end_ms[rows[free]]))
    return keep


def ranked(rows: Mapping[int, int], roles: Mapping[int, str], order: Sequence[str]) -> list[int]:
    """Return the sources, the best first; `rows` says how many rows each has."""
    places = {role: place for place, role in enumerate(order)}
    return sorted(rows, key=lambda one: (places.get(roles.get(one, ""), len(order)), -rows[one], one))


def united(one: Stretches, other: Stretches) -> Stretches:
    """Return when one or the other speaks."""
    return _joined(np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]]), 0)


def overlap(start_ms: IntArray, end_ms: IntArray, taken: Stretches) -> BoolArray:
    """Say which rows share time with any of the taken stretches, which ascend and are apart."""
    if not taken[0].size:
        return np.zeros(start_ms.size, dtype=bool)
    instant = start_ms == end_ms
    next_one = np.searchsorted(taken[1], start_ms, side="right")
    begins = np.append(taken[0], np.iinfo(np.int64).max)[next_one]
    shared: BoolArray = np.where(instant, begins <= start_ms, begins < end_ms)
    return shared


def stretches(start_ms: IntArray, end_ms: IntArray) -> Stretches:
    """Return the stretches in which a source speaks, apart and in order of time.

    Intervals say themselves how long they speak; instants speak as long as they usually follow each other, where that
    is often enough, and a minute after the last.
    """
    if not start_ms.size:
        return start_ms, end_ms
    in_order = np.argsort(start_ms, kind="stable")
    start_ms, end_ms = start_ms[in_order], end_ms[in_order]
    if (start_ms < end_ms).any():
        return _joined(start_ms, end_ms, HYSTERESIS_MS)
    usual_ms = float(np.median(np.diff(start_ms))) if start_ms.size > 1 else 0.0
    return _of_instants(start_ms, end_ms, usual_ms)


def _of_instants(first_ms: IntArray, last_ms: IntArray, usual_ms: float) -> Stretches:
    """Join instants, or runs of them, that are not further apart than their source may be silent."""
    pause_ms = max(HYSTERESIS_MS, min(int(2 * usual_ms), LONGEST_PAUSE_MS))
    first, last = _joined(first_ms, last_ms, pause_ms)
    return first, last + HYSTERESIS_MS


def _joined(start_ms: IntArray, end_ms: IntArray, pause_ms: int) -> Stretches:
    """Join stretches that are not further apart than a pause."""
    if not start_ms.size:
        return start_ms, end_ms
    in_order = np.argsort(start_ms, kind="stable")
    start_ms, reached = start_ms[in_order], np.maximum.accumulate(end_ms[in_order])
    begins = np.append(True, start_ms[1:] > reached[:-1] + pause_ms)
    ends = np.append(begins[1:], True)
    return start_ms[begins], reached[ends]


# -- of instants that come piece by piece ------------------------------------------------------------------------------


class Spacing:
    """Knows how far apart instants are that come piece by piece, in the memory of as many distances as there are.

    Attributes
    ----------
    rows : int
        How many there were.
    first_ms, last_ms : int
        The first and the last of them, where there were any.
    """

    def __init__(self) -> None:
        self.rows, self.first_ms, self.last_ms = 0, 0, 0
        self._rows_apart: Counter[int] = Counter()

    def add(self, time_ms: IntArray) -> IntArray:
        """Take the next instants, at least one and ascending.

        Returns
        -------
        ndarray of int, shape (n,)
            How far each is from the one before; 0 for the very first. [ms]
        """
        if not self.rows:
            self.first_ms = self.last_ms = int(time_ms[0])
        apart_ms: IntArray = np.diff(time_ms, prepend=self.last_ms)
        distances, counts = np.unique(apart_ms if self.rows else apart_ms[1:], return_counts=True)
        self._rows_apart.update(dict(zip(distances.tolist(), counts.tolist(), strict=True)))
        self.rows, self.last_ms = self.rows + time_ms.size, int(time_ms[-1])
        return apart_ms

    @property
    def median_ms(self) -> float:
        """The median distance; 0 where there are fewer than two instants."""
        if self.rows < 2:
            return 0.0
        distances = np.array(sorted(self._rows_apart), dtype=np.int64)
        up_to = np.cumsum([self._rows_apart[distance] for distance in distances.tolist()])
        middle = distances[np.searchsorted(up_to, [(self.rows - 2) // 2, (self.rows - 1) // 2], side="right")]
        return float(middle.mean())


class Voice:
    """Knows when a source speaks whose instants come piece by piece, in the memory of its pauses."""

    def __init__(self) -> None:
        self.spacing = Spacing()
        self._begins: list[IntArray] = []
        self._ends: list[IntArray] = []

    def add(self, time_ms: IntArray) -> None:
        """Take the next instants, ascending."""
        if not time_ms.size:
            return
        very_first, before_ms = not self.spacing.rows, self.spacing.last_ms
        pauses = self.spacing.add(time_ms) > HYSTERESIS_MS  # of less nobody takes notice
        ends = np.append(before_ms, time_ms[:-1])[pauses]
        pauses[0] |= very_first
        self._begins.append(time_ms[pauses])
        self._ends.append(ends)

    @property
    def runs(self) -> Stretches:
        """First and last instant of each run without a pause of more than `HYSTERESIS_MS`."""
        if not self._begins:
            return NOTHING
        return np.concatenate(self._begins), np.concatenate([*self._ends, [self.spacing.last_ms]])

    @property
    def stretches(self) -> Stretches:
        """When the source speaks, as `stretches` says it of all instants together."""
        return _of_instants(*self.runs, self.spacing.median_ms)
