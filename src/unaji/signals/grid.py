"""What was the mean of a series in each step of a regular grid, and how much of the step was measured?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.quantities import QUANTITIES, Extent
from unaji.records.timeline import BoolArray, FloatArray, Series, TimeArray

LONGEST_INTERVAL_S = 3600.0
"""A mean or a total over a longer interval (a day's steps) says nothing about single steps of minutes [s]."""

MIN_COVERAGE = 0.1
"""Share of a step that must have been measured before its mean is given."""


class Gridded(NamedTuple):
    """Means on the grid.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Mean over the measured part of each step; for sums the rate a minute. NaN where too little was measured.
    coverage : ndarray, shape (n,)
        Share of each step that was measured, 0 to 1.
    """

    value: FloatArray
    coverage: FloatArray


def step_starts(first: np.datetime64, last: np.datetime64, step_s: float) -> TimeArray:
    """Return the starts of the steps that hold the instants `first` to `last`.

    Steps are half-open and counted from 1970-01-01 00:00 UTC, so that two recordings share their edges.

    Returns
    -------
    ndarray of datetime64[ms], shape (n,)
    """
    step_ms = _step_ms(step_s)
    begin, end = (int(moment.astype("datetime64[ms]").astype(np.int64)) // step_ms for moment in (first, last))
    return (np.arange(begin, end + 1, dtype=np.int64) * step_ms).astype("datetime64[ms]")


def step_of(time: TimeArray, grid: TimeArray, step_s: float) -> NDArray[np.int64]:
    """Return the index of the step that holds each instant; −1 for instants outside the grid."""
    offset_ms = (time - grid[0]).astype(np.int64)
    index = offset_ms // _step_ms(step_s)
    return np.where((index >= 0) & (index < grid.size), index, -1)


def mean_on_grid(series: Series, grid: TimeArray, step_s: float, *, valid: BoolArray | None = None) -> Gridded:
    """Average a series over the steps of a grid, each value weighted with the time it speaks for.

    Parameters
    ----------
    series : Series
        Instants or intervals. Values outside the plausible range of their quantity are left out.
    grid : ndarray, shape (n,)
        Starts of the steps, as from `step_starts`.
    step_s : float
        Length of a step [s].
    valid : ndarray of bool, shape (len(series),), optional
        False where a value is to be left out.

    Returns
    -------
    Gridded
        Means, or for totals such as steps the rate a minute.

    Notes
    -----
    An interval counts with its overlap with the step. An instant counts in the step that holds it, with the time until
    the next one (where that is more than twice the time since the one before, with the latter) and at most one step:
    dense stretches do not outweigh sparse ones, and the last value before a gap does not speak for the gap.
    """
    quantity = QUANTITIES[series.quantity]
    use = (series.value >= quantity.low) & (series.value <= quantity.high)
    if valid is not None:
        use &= valid
    is_total = quantity.extent is Extent.SUM
    if series.end is None:
        return _mean_of_instants(series, use, grid, step_s, is_total=is_total)
    return _mean_of_intervals(series, use, grid, step_s, is_total=is_total)


def time_spoken_for_s(time: TimeArray, longest_s: float) -> FloatArray:
    """Return how long each instant of a series speaks for [s]; see `mean_on_grid`."""
    if time.size == 0:
        return np.zeros(0)
    spacing_s = np.diff(time).astype(np.float64) / 1000.0
    until_next_s = np.append(spacing_s, np.inf)
    since_last_s = np.concatenate(([np.inf], spacing_s))
    gap_follows = until_next_s > 2.0 * since_last_s
    spoken_for_s: FloatArray = np.minimum(np.where(gap_follows, since_last_s, until_next_s), longest_s)
    return spoken_for_s


def _mean_of_instants(series: Series, use: BoolArray, grid: TimeArray, step_s: float, *, is_total: bool) -> Gridded:
    weight_s = time_spoken_for_s(series.time, step_s)
    step = step_of(series.time, grid, step_s)
    use = use & (step >= 0) & (weight_s > 0)
    step, weight_s, value = step[use], weight_s[use], series.value[use]
    amount = value * 60.0 if is_total else value * weight_s
    measured_s: FloatArray = np.bincount(step, weights=weight_s, minlength=grid.size).astype(np.float64)
    total: FloatArray = np.bincount(step, weights=amount, minlength=grid.size).astype(np.float64)
    return _divide(total, measured_s, measured_s, step_s)


def _mean_of_intervals(series: Series, use: BoolArray, grid: TimeArray, step_s: float, *, is_total: bool) -> Gridded:
    assert series.end is not None
    length_s = (series.end - series.time).astype(np.float64) / 1000.0
    use = use & (length_s > 0) & (length_s <= LONGEST_INTERVAL_S)
    edges_s = np.append(_seconds(grid, grid[0]), grid.size * step_s)
    start_s, end_s, value = _seconds(series.time[use], grid[0]), _seconds(series.end[use], grid[0]), series.value[use]
    height = value * 60.0 / length_s[use] if is_total else value
    ones = np.ones_like(height)
    # Two intervals may overlap; both then count in the mean, and the time they share is measured once.
    amount = np.diff(_integral(start_s, end_s, height, edges_s))
    weight_s = np.diff(_integral(start_s, end_s, ones, edges_s))
    measured_s = np.diff(_integral(start_s, end_s, ones, edges_s, once=True))
    return _divide(amount, weight_s, measured_s, step_s)


def _integral(
    start_s: FloatArray, end_s: FloatArray, height: FloatArray, at_s: FloatArray, *, once: bool = False
) -> FloatArray:
    """Integrate a sum of boxes up to each instant; with `once`, count where any box is as 1."""
    edge_s = np.concatenate((start_s, end_s))
    if edge_s.size == 0:
        return np.zeros(at_s.size)
    change = np.concatenate((height, -height))
    order = np.argsort(edge_s, kind="stable")
    edge_s, level = edge_s[order], np.cumsum(change[order])
    if once:
        level = (level > 0.5).astype(np.float64)
    area = np.concatenate(([0.0], np.cumsum(level[:-1] * np.diff(edge_s))))
    result: FloatArray = np.interp(at_s, edge_s, area)
    return result


def _divide(amount: FloatArray, weight_s: FloatArray, measured_s: FloatArray, step_s: float) -> Gridded:
    coverage = np.clip(measured_s / step_s, 0.0, 1.0)
    value = np.full(amount.size, np.nan)
    enough = coverage >= MIN_COVERAGE
    value[enough] = amount[enough] / weight_s[enough]
    return Gridded(value, coverage)


def _seconds(time: TimeArray, origin: np.datetime64) -> FloatArray:
    return (time - origin).astype(np.float64) / 1000.0


def _step_ms(step_s: float) -> int:
    step_ms = round(step_s * 1000.0)
    if step_ms <= 0 or not np.isclose(step_ms, step_s * 1000.0):
        raise ValueError(f"step_s must be a positive number of whole milliseconds, got {step_s} s")
    return step_ms
