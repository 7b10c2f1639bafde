"""How fast did the person breathe in each window, where the intervals between beats alone can tell?

Each window is looked at in minutes that overlap by half (`unaji.signals.respiration` says which of them have a rate).
The window has one where at least half of its minutes do and most of them agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.reasons import Reason
from unaji.signals.respiration import MIN_PEAKEDNESS, respiration_from_intervals
from unaji.signals.respiration import WINDOW_S as MINUTE_S
from unaji.signals.tachogram import Tachogram

STEP_S = 30.0
"""From the start of one minute to that of the next [s]."""

LONGEST_WAIT_S = 5.0
"""A minute counts if a beat lies this near outside of both its ends [s], so that nothing far away takes part."""

MIN_SHARE = 0.5
"""Share of a window's minutes that must have a rate."""

AGREE_WITHIN, MIN_AGREEING = 0.25, 0.75
"""Share of the rate within which this share of the minutes must lie: the band that follows breathing spans 0.35."""

AT_A_TIME = 512  # windows: a few MB
ENOUGH_FOR_SPREAD = 3  # minutes


@dataclass(frozen=True, eq=False, slots=True)
class Breathing:
    """Breathing rate in each window. Arrays of shape (n_windows,).

    Attributes
    ----------
    rate_hz : ndarray
        Median over the minutes [Hz]; NaN where it cannot be told.
    standard_error_hz : ndarray
        From the spread of the minutes [Hz]; NaN where fewer than three have a rate.
    n : ndarray of int
        Minutes, half overlapping, that have a rate.
    reason : ndarray of int8
        `Reason` why there is no rate.
    """

    rate_hz: FloatArray
    standard_error_hz: FloatArray
    n: NDArray[np.int64]
    reason: NDArray[np.int8]


def breathing_rate(tachogram: Tachogram, start_s: FloatArray, window_s: float) -> Breathing:
    """Tell the breathing rate in each of many windows from the intervals alone.

    Parameters
    ----------
    tachogram : Tachogram
    start_s : ndarray, shape (n_windows,)
        Starts of the windows [s].
    window_s : float
        Length of a window [s]; below a minute no rate can be told.
    """
    start_s = np.asarray(start_s, dtype=np.float64)
    parts = [_of(tachogram, start_s[k : k + AT_A_TIME], window_s) for k in range(0, max(start_s.size, 1), AT_A_TIME)]
    return Breathing(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("rate_hz", "standard_error_hz", "n", "reason"))
    )


def _of(tachogram: Tachogram, start_s: FloatArray, window_s: float) -> Breathing:
    n_minutes = int((window_s - MINUTE_S + 1e-6) // STEP_S) + 1
    if n_minutes < 1 or not start_s.size:
        nan = np.full(start_s.size, np.nan)
        return Breathing(nan, nan, np.zeros(start_s.size, np.int64), np.full(start_s.size, Reason.SHORT, np.int8))
    starts_s = np.asarray(np.round(start_s[:, None] + STEP_S * np.arange(n_minutes), 6), dtype=np.float64)
    minute_s, of = np.unique(starts_s, return_inverse=True)
    known = ~np.isnan(tachogram.nn_ms)
    end_s, nn_ms = tachogram.end_s[known], tachogram.nn_ms[known]
    found = respiration_from_intervals(end_s, nn_ms, minute_s)
    held = _held(end_s, minute_s) & (found.reason != Reason.GAPS)
    of = of.reshape(start_s.size, n_minutes)
    rate = np.where(held, found.breaths_per_min / 60.0, np.nan)[of]
    wave = (held & (found.confidence >= MIN_PEAKEDNESS[1]))[of]
    return _agreed(rate, held[of], wave)


def _held(end_s: FloatArray, minute_s: FloatArray) -> BoolArray:
    """Tell which minutes have a beat just before and one just after them."""
    outside = np.concatenate(([-np.inf], end_s, [np.inf]))
    before = outside[np.searchsorted(end_s, minute_s, side="right")]
    after = outside[np.searchsorted(end_s, minute_s + MINUTE_S) + 1]
    return np.asarray((minute_s - before <= LONGEST_WAIT_S) & (after - minute_s - MINUTE_S <= LONGEST_WAIT_S))


def _agreed(rate: FloatArray, held: BoolArray, wave: BoolArray) -> Breathing:
    """Bring the minutes of each window together; arrays of shape (n_windows, n_minutes)."""
    known = np.isfinite(rate)
    n, n_minutes = known.sum(axis=1), rate.shape[1]
    middle = _median(rate, n)
    agree = known & (np.abs(rate - middle[:, None]) <= AGREE_WITHIN * middle[:, None])
    reason = np.select(
        [
            held.sum(axis=1) < MIN_SHARE * n_minutes,
            (n < MIN_SHARE * n_minutes) & (wave.sum(axis=1) >= MIN_SHARE * n_minutes),
            n < MIN_SHARE * n_minutes,
            agree.sum(axis=1) < MIN_AGREEING * n,
        ],
        [Reason.GAPS, Reason.BLOOD_PRESSURE, Reason.NO_BREATHING_PEAK, Reason.BREATHING_CHANGES],
        Reason.NONE,
    )
    given = reason == Reason.NONE
    about = np.where(agree, rate - middle[:, None], 0.0)
    n_agree = agree.sum(axis=1)
    # Minutes that overlap by half are worth half as many, and one.
    variance = (about**2).sum(axis=1) / np.maximum(n_agree - 1, 1) / ((n_agree + 1) / 2.0)
    error = np.where(given & (n_agree >= ENOUGH_FOR_SPREAD), np.sqrt(variance), np.nan)
    return Breathing(np.where(given, middle, np.nan), error, n.astype(np.int64), reason.astype(np.int8))


def _median(rate: FloatArray, n: NDArray[np.int64]) -> FloatArray:
    """Return the median of each row's numbers; NaN where there is none."""
    ordered = np.sort(rate, axis=1)  # NaN comes last
    rows, high = np.arange(len(rate)), n // 2
    low = np.maximum(n - 1, 0) // 2
    median: FloatArray = (ordered[rows, low] + ordered[rows, np.minimum(high, rate.shape[1] - 1)]) / 2.0
    return np.where(n > 0, median, np.nan)
