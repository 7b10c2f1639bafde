"""Would the same causes look as guilty for the wrong days? The circular day shift.

The episodes are moved by whole days, keeping their local time of day, and the evidence for each trigger is computed
again. A trigger that explains the episodes no better where they were than where they were not is no cause.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.causes._kernels_sampler import OVERFLOW_GUARD
from unaji.causes.design import BIN_MIN, Design, Grid
from unaji.causes.features import Tables, onset_density
from unaji.causes.grid import bin_of
from unaji.causes.sampler import make_priors
from unaji.records.timeline import BoolArray, FloatArray

MAX_SHIFTS = 120
MIN_SHIFT_D = 2


def shift_p_values(design: Design, tables: Tables, background: FloatArray) -> dict[str, float]:
    """Return, for each fitted trigger, how often shifted episodes give as much evidence as the true ones.

    Parameters
    ----------
    background : ndarray, shape (n_background,)
        Fitted amplitudes of the background shapes.

    Returns
    -------
    dict
        (1 + number of shifts with at least the evidence) / (1 + number of shifts); NaN when there are too few days.
    """
    shifts = day_shifts(design.grid.n_days)
    if shifts.size == 0 or not design.onsets:
        return dict.fromkeys(tables.triggers, float("nan"))
    onsets = _placed(design)
    placed = [_shifted_windows(design.grid, onsets, int(s)) for s in (0, *shifts)]
    rest = [windows.mean_of(background @ tables.background) for windows in placed]
    nodes = make_priors(tables).nodes
    result = {}
    for k, name in enumerate(tables.triggers):
        c = tables.n_background + k
        features = tables.features_of(k)
        exposure = np.ones(features.shape[0])
        log_prior = tables.log_prior[c, : features.shape[0]]
        evidence = [
            _log_bayes_factor(windows.mean_of(features), r, exposure * windows.kept_share, log_prior, nodes[c])
            for windows, r in zip(placed, rest, strict=True)
        ]
        result[name] = (1 + sum(e >= evidence[0] for e in evidence[1:])) / (1 + shifts.size)
    return result


def day_shifts(n_days: int) -> NDArray[np.int64]:
    """Return the shifts in days: all from 2 to `n_days` − 2, thinned evenly to at most 120."""
    every = np.arange(MIN_SHIFT_D, n_days - MIN_SHIFT_D + 1)
    if every.size <= MAX_SHIFTS:
        return every
    return every[np.linspace(0, every.size - 1, MAX_SHIFTS).astype(np.int64)]


class _Windows:
    """Where the onsets of one shift fall, and how much of them is left."""

    def __init__(self, bins: NDArray[np.int64], weights: FloatArray, kept: int, of: int) -> None:
        self._bins, self._weights = bins, weights
        self.kept_share = kept / of

    def mean_of(self, feature: FloatArray) -> FloatArray:
        """Feature at each kept onset, smoothed over its time error, shape (…, n_kept)."""
        return np.asarray((feature[..., self._bins] * self._weights).sum(axis=-1))


class _Placed(NamedTuple):
    """The onsets as logged: their bins, the bins each may lie in with probabilities, and whose day alone is known."""

    at: NDArray[np.int64]  # (n,)
    window: NDArray[np.int64]  # (n, width)
    weight: FloatArray  # (n, width), 0 in what fills a row up
    whole_day: BoolArray  # (n,)


def _placed(design: Design) -> _Placed:
    at = np.array([bin_of(design.grid, onset.time) for onset in design.onsets], dtype=np.int64)
    rows = [onset_density(design.grid, onset, int(b)) for onset, b in zip(design.onsets, at, strict=True)]
    width = max(window.size for window, _ in rows)
    window, weight = np.zeros((at.size, width), dtype=np.int64), np.zeros((at.size, width))
    for i, (bins, density) in enumerate(rows):
        window[i, : bins.size], weight[i, : bins.size] = bins, density
    return _Placed(at, window, weight, np.array([onset.whole_day for onset in design.onsets]))


def _shifted_windows(grid: Grid, onsets: _Placed, days: int) -> _Windows:
    """Move all onsets by whole local days around the grid; drop those that land outside observed time."""
    moved = _move(grid, onsets.window, days)
    weight = onsets.weight * grid.observed[moved]
    total = weight.sum(axis=1)
    # Asked of the onset's own bin: a window that only touches observed time is not an onset in it.
    kept = (onsets.whole_day | grid.observed[_move(grid, onsets.at, days)]) & (total > 0)
    return _Windows(moved[kept], weight[kept] / total[kept, None], int(kept.sum()), kept.size)


def _move(grid: Grid, bins: NDArray[np.int64], days: int) -> NDArray[np.int64]:
    """Move bins by whole days around the grid, keeping the local time of day across a change of the clock."""
    moved = (bins + days * (1440 // BIN_MIN)) % grid.n_bins
    late = (grid.local_hour[moved] - grid.local_hour[bins] + 12) % 24 - 12
    return np.asarray((moved - np.round(late * 60 / BIN_MIN).astype(np.int64)) % grid.n_bins)


@njit(cache=True)
def _log_bayes_factor(
    at_onset: FloatArray, rest: FloatArray, exposure: FloatArray, log_prior: FloatArray, nodes: FloatArray
) -> float:
    """Log of Σ_ℓ p(ℓ) (1/Q) Σ_q Π_i (1 + a E / r) exp(−a X): the trigger at work against the background alone."""
    top, total = -np.inf, 0.0
    product, log_f, last = np.empty(nodes.size), np.empty(nodes.size), nodes.size - 1
    for e in range(at_onset.shape[0]):
        if log_prior[e] == -np.inf:
            continue
        product[:] = 1.0
        for q in range(nodes.size):
            log_f[q] = log_prior[e] - np.log(nodes.size) - nodes[q] * exposure[e]
        for i in range(rest.size):
            ratio = at_onset[e, i] / rest[i]
            for q in range(nodes.size):
                product[q] *= 1.0 + nodes[q] * ratio
            if product[last] > OVERFLOW_GUARD:  # the largest node has the largest product
                for q in range(nodes.size):
                    log_f[q] += np.log(product[q])
                product[:] = 1.0
        for q in range(nodes.size):
            log_f[q] += np.log(product[q])
            if log_f[q] > top:
                total = total * np.exp(top - log_f[q]) + 1.0
                top = log_f[q]
            else:
                total += np.exp(log_f[q] - top)
    return float(top + np.log(total))
