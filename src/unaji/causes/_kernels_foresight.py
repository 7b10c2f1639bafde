"""The loops of `unaji.causes.foresight`: onsets drawn from an intensity, and the echo of onsets."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]


@njit(cache=True)
def draw_onsets(
    rng: np.random.Generator,
    rate: FloatArray,
    weight: FloatArray,
    day: IntArray,
    observed: BoolArray,
    echo: FloatArray,
    decay: FloatArray,
) -> tuple[IntArray, IntArray]:
    """Draw the onsets of every row of `rate` (n_rows, n_bins), at most one a bin.

    `weight` (n_rows, n_days) multiplies whole days; an onset raises the intensity by `echo` (n_rows,), which falls by
    the factor `decay` (n_rows,) from bin to bin. Returns the row and the bin of each onset, rows and bins ascending.
    """
    rows, bins = [], []
    for r in range(rate.shape[0]):
        raised = 0.0
        for t in range(rate.shape[1]):
            raised *= decay[r]
            if observed[t]:
                expected = (rate[r, t] + raised) * weight[r, day[t]]
                if rng.random() < 1.0 - math.exp(-expected):
                    rows.append(r)
                    bins.append(t)
                    raised += echo[r] * (1.0 - decay[r]) / decay[r]
    return np.array(rows, dtype=np.int64), np.array(bins, dtype=np.int64)


@njit(cache=True)
def echo_tables(
    row: IntArray,
    at: IntArray,
    n_rows: int,
    day: IntArray,
    observed: BoolArray,
    impulse: FloatArray,
    decay: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the echo's features at onsets (n_onsets, n_taus) and summed over days (n_rows, n_taus, n_days).

    Onsets are given by row and bin, both ascending.
    """
    at_onsets = np.zeros((row.size, decay.size))
    by_day = np.zeros((n_rows, decay.size, day[-1] + 1))
    for j in range(decay.size):
        first = 0
        for r in range(n_rows):
            i, raised = first, 0.0
            for t in range(day.size):
                raised *= decay[j]
                new = 0
                while i < row.size and row[i] == r and at[i] == t:
                    at_onsets[i, j] = raised
                    new += 1
                    i += 1
                if observed[t]:
                    by_day[r, j, day[t]] += raised
                raised += impulse[j] * new
            first = i
    return at_onsets, by_day


@njit(cache=True)
def log_likelihoods(
    background: FloatArray,
    background_at: FloatArray,
    background_day: FloatArray,
    on: BoolArray,
    entry: IntArray,
    amplitude: FloatArray,
    feature_at: FloatArray,
    feature_day: FloatArray,
    echo: FloatArray,
    echo_tau: IntArray,
    echo_at: FloatArray,
    echo_day: FloatArray,
    kept: FloatArray,
    nu: FloatArray,
    first: IntArray,
    day: IntArray,
    nth: IntArray,
) -> FloatArray:
    """Log likelihood of each course of the weeks under each draw of the parameters, shape (n_courses, n_draws).

    ``first`` (n_courses + 1,) bounds the onsets of each course; ``day`` and ``nth`` are each onset's day and its rank
    on it, from 0; ``feature_at`` (n_triggers, n_entries, n_onsets) and ``feature_day`` (n_triggers, n_entries, n_days)
    are the triggers' features at onsets and summed over days. With the day multipliers integrated out,

    Π_i λ(t_i) (ν + nth_i)/ν / (1 + Λ_d(i)/ν) · Π_d (1 + Λ_d/ν)^(−ν)
    """
    n_courses, n_days = first.size - 1, kept.shape[1]
    out = np.empty((n_courses, nu.size))
    rate, load, per_echo, factor = np.empty(day.size), np.empty(n_days), np.empty(n_days), np.empty(n_days)
    for s in range(nu.size):
        rate[:], load[:] = 0.0, 0.0
        for b in range(background.shape[1]):
            a = background[s, b]
            for i in range(rate.size):
                rate[i] += a * background_at[b, i]
            for d in range(n_days):
                load[d] += a * background_day[b, d]
        for k in range(on.shape[1]):
            if on[s, k]:
                a, e = amplitude[s, k], entry[s, k]
                for i in range(rate.size):
                    rate[i] += a * feature_at[k, e, i]
                for d in range(n_days):
                    load[d] += a * feature_day[k, e, d]
        a, j = echo[s], echo_tau[s]
        for d in range(n_days):
            load[d] = 1.0 + load[d] * kept[s, d] / nu[s]
            per_echo[d] = a * kept[s, d] / nu[s]
        for i in range(rate.size):
            rate[i] = (rate[i] + a * echo_at[i, j]) * kept[s, day[i]] * (1.0 + nth[i] / nu[s])
        for r in range(n_courses):
            days, onsets, total = 1.0, 1.0, 0.0
            for d in range(n_days):
                factor[d] = load[d] + echo_day[r, j, d] * per_echo[d]
            for d in range(n_days):
                days *= factor[d]
            for i in range(first[r], first[r + 1]):
                onsets *= rate[i] / factor[day[i]]
                if onsets < 1e-200:  # before the product is too small for a number
                    total += math.log(max(onsets, 1e-300))
                    onsets = 1.0
            out[r, s] = total + math.log(max(onsets, 1e-300)) - nu[s] * math.log(days)
    return out
