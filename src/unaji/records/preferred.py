"""When several devices recorded the same, whose word is taken? Decided when reading, stretch by stretch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray

ORDER = ("ecg", "strap", "monitor", "ring", "watch", "logger", "station", "phone", "model", "merged", "manual", "")
"""Kinds of devices (`unaji.records.batch.ROLES`), the most exact first; "" is a device of which nothing is known."""

HYSTERESIS_MS = 60_000
"""A source that falls silent is waited for as long before another one takes over [ms]."""

LONGEST_PAUSE_MS = 15 * 60_000
"""Values that come more rarely than this do not speak for the time between them [ms]."""

IntArray = NDArray[np.int64]
Stretches = tuple[IntArray, IntArray]


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
    places = {role: place for place, role in enumerate(order)}
    ranked = sorted(
        zip(ids.tolist(), counts.tolist(), strict=True),
        key=lambda one: (places.get(roles.get(one[0], ""), len(order)), -one[1], one[0]),
    )
    taken: Stretches = (np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    for one, _ in ranked:
        rows = np.flatnonzero(source == one)
        free = ~_overlap(start_ms[rows], end_ms[rows], taken)
        keep[rows] = free
        own = stretches(start_ms[rows[free]], end_ms[rows[free]])
        taken = _joined(np.concatenate([taken[0], own[0]]), np.concatenate([taken[1], own[1]]), 0)
    return keep


def _overlap(start_ms: IntArray, end_ms: IntArray, taken: Stretches) -> BoolArray:
    """Say which rows share time with any of the taken stretches, which ascend and are apart."""
    if not taken[0].size:
        return np.zeros(start_ms.size, dtype=bool)
    instant = start_ms == end_ms
    next_one = np.searchsorted(taken[1], start_ms, side="right")
    begins = np.append(taken[0], np.iinfo(np.int64).max)[next_one]
    overlap: BoolArray = np.where(instant, begins <= start_ms, begins < end_ms)
    return overlap


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
    pause_ms = max(HYSTERESIS_MS, min(int(2 * usual_ms), LONGEST_PAUSE_MS))
    first, last = _joined(start_ms, end_ms, pause_ms)
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
