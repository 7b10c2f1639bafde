"""Heart rate and its variability in the time domain, of one stretch of beats or of many windows at once.

A difference is taken only between two intervals that follow each other and were both kept: never across a rejected
interval or a gap. Definitions are those of the Task Force with the open choices written into each function.

References
----------
Task Force of the ESC and NASPE, "Heart rate variability: standards of measurement, physiological interpretation and
clinical use", Circulation, 1996;93:1043-1065. doi:10.1161/01.CIR.93.5.1043
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, TimeArray

NN50_MS = 50.0
"""A difference larger than this counts for pNN50 [ms]."""

MIN_BEATS = 10
"""Fewest valid intervals for a window's heart rate."""

MIN_DIFFERENCES = 30
"""Fewest valid differences for a window's RMSSD and pNN50.

About half a minute of beats: RMSSD bears missing beats well as long as enough true pairs are left (Cajal et al.,
Sensors, 2022;22:5774, doi:10.3390/s22155774).
"""

MIN_SDNN_COVERAGE = 0.5
"""Share of a window that valid intervals must fill for its SDNN, in which the slow waves of the whole window count."""

MAX_REJECTED_SHARE = 0.2
"""Largest share of artefacts among a window's intervals for which its RMSSD, SDNN and pNN50 are given.

Where one interval in five was found wrong, some that look right are wrong too.
"""


ROUNDING = 1e-12
"""A spread that is a smaller share of the mean is what rounding leaves of equal intervals, and counts as none."""

LONGEST_RRI_MS = 3_600_000.0
"""What is longer than an hour, not above 0 or not finite is no interval, whoever asks [ms]."""


def mean_rri(rri_ms: FloatArray) -> float:
    """Return the mean of the valid RR intervals [ms]; NaN when there is none."""
    valid = rri_ms[_valid(rri_ms)]
    return float(valid.mean()) if valid.size else float("nan")


def mean_hr(rri_ms: FloatArray) -> float:
    """Mean heart rate: beats over the time they took.

    Parameters
    ----------
    rri_ms : ndarray, shape (n_beats,)
        RR intervals [ms]. NaN marks a rejected one.

    Returns
    -------
    float
        60 000 / mean(RR) [1/min]; not the mean of 60 000/RR, which is always larger. NaN without a valid interval.
    """
    return 60000.0 / mean_rri(rri_ms)


def sdnn(rri_ms: FloatArray) -> float:
    """Return the standard deviation of the valid RR intervals.

    Parameters
    ----------
    rri_ms : ndarray, shape (n_beats,)
        RR intervals [ms]. NaN marks a rejected one.

    Returns
    -------
    float
        SDNN [ms] with n − 1 in the denominator; NaN below two valid intervals.
    """
    return _sd(rri_ms[_valid(rri_ms)])


def valid_differences(rri_ms: FloatArray, gap: BoolArray | None = None) -> FloatArray:
    """Return RR[k] − RR[k−1] where both were kept and no gap lies between, in order [ms]."""
    rri_ms = np.asarray(rri_ms, dtype=np.float64)
    pair = _pairs(rri_ms, gap)
    return rri_ms[pair] - rri_ms[np.flatnonzero(pair) - 1]


def rmssd(rri_ms: FloatArray, gap: BoolArray | None = None) -> float:
    """Root mean square of successive RR differences.

    Parameters
    ----------
    rri_ms : ndarray, shape (n_beats,)
        RR intervals [ms]. NaN marks a rejected one; differences across it are left out.
    gap : ndarray of bool, shape (n_beats,), optional
        True where the beat before the interval is not the previous row's; no difference is taken there either.

    Returns
    -------
    float
        RMSSD [ms]; NaN when no two neighbouring intervals are left.
    """
    difference = valid_differences(rri_ms, gap)
    return float(np.sqrt(np.mean(difference**2))) if difference.size else float("nan")


def sdsd(rri_ms: FloatArray, gap: BoolArray | None = None) -> float:
    """Return the standard deviation (n − 1) of the differences, not of their sizes [ms]; NaN below two differences.

    Parameters are those of `rmssd`.
    """
    return _sd(valid_differences(rri_ms, gap))


def pnn50(rri_ms: FloatArray, gap: BoolArray | None = None) -> float:
    """Share of the valid successive differences that are larger than 50 ms.

    Parameters are those of `rmssd`.

    Returns
    -------
    float
        Fraction from 0 to 1 of the valid differences (not of the intervals); NaN when there is none.
    """
    difference = valid_differences(rri_ms, gap)
    return float(np.mean(np.abs(difference) > NN50_MS)) if difference.size else float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class TimeDomain:
    """Time-domain indices of windows given as row ranges; NaN where not defined. Arrays of shape (n_windows,).

    Attributes
    ----------
    n_beats, n_differences : ndarray of int
        Valid intervals, and valid differences within the window.
    mean_rri_ms, sdnn_ms, rmssd_ms, sdsd_ms, pnn50 : ndarray
        As the functions of the same name define them.
    """

    n_beats: NDArray[np.int64]
    n_differences: NDArray[np.int64]
    mean_rri_ms: FloatArray
    sdnn_ms: FloatArray
    rmssd_ms: FloatArray
    sdsd_ms: FloatArray
    pnn50: FloatArray


def time_domain(nn_ms: FloatArray, joined: BoolArray, low: NDArray[np.int64], high: NDArray[np.int64]) -> TimeDomain:
    """Time-domain indices of windows that may overlap.

    Parameters
    ----------
    nn_ms : ndarray, shape (n_beats,)
        Intervals [ms]; NaN where rejected.
    joined : ndarray of bool, shape (n_beats,)
        True where the interval and the row before it are both valid and follow each other.
    low, high : ndarray of int, shape (n_windows,)
        Rows low … high − 1 are in the window. The difference of the first from the row before belongs to no window.

    Notes
    -----
    Each window is summed up by itself, about its own mean: a window has the same numbers to the last digit whatever
    lies around it, and a calm minute in a lively day loses none to cancellation.
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    nn_ms, low, high = (np.ascontiguousarray(x, t) for x, t in ((nn_ms, float), (low, np.int64), (high, np.int64)))
    n_beats, n_differences, about, differences = kernels.window_moments(nn_ms, joined, low, high, NN50_MS)
    sdnn_ms = np.sqrt(_ratio(about[:, 1], n_beats - 1))
    return TimeDomain(
        n_beats=n_beats,
        n_differences=n_differences,
        mean_rri_ms=about[:, 0],
        sdnn_ms=np.where(sdnn_ms <= ROUNDING * about[:, 0], 0.0, sdnn_ms),
        rmssd_ms=np.sqrt(differences[:, 0]),
        sdsd_ms=np.sqrt(_ratio(about[:, 3], n_differences - 1)),
        pnn50=_ratio(differences[:, 1], n_differences),
    )


@dataclass(frozen=True, eq=False, slots=True)
class HrvWindows:
    """Heart rate and its variability in each window; NaN where the window holds too little.

    Attributes
    ----------
    n_beats, n_differences : ndarray of int, shape (n_windows,)
        Valid intervals and valid differences in the window.
    hr_bpm, rmssd_ms, sdnn_ms, pnn50 : ndarray, shape (n_windows,)
        As the functions of the same name define them.
    coverage : ndarray, shape (n_windows,)
        Share of the window that its valid intervals fill, 0 to 1.
    rejected_share : ndarray, shape (n_windows,)
        Share of the window's intervals that were rejected; 0 in an empty window.
    """

    n_beats: NDArray[np.int64]
    n_differences: NDArray[np.int64]
    hr_bpm: FloatArray
    rmssd_ms: FloatArray
    sdnn_ms: FloatArray
    pnn50: FloatArray
    coverage: FloatArray
    rejected_share: FloatArray


def hrv_windows(
    time: TimeArray, rri_ms: FloatArray, gap: BoolArray | None, start: TimeArray, window_s: float
) -> HrvWindows:
    """Heart rate and its variability in windows that may overlap.

    Parameters
    ----------
    time : ndarray, shape (n_beats,)
        When each interval ends, ascending; an interval belongs to the window that holds its end.
    rri_ms : ndarray, shape (n_beats,)
        RR intervals [ms]; NaN where rejected.
    gap : ndarray of bool, shape (n_beats,), or None
        As in `rmssd`.
    start : ndarray, shape (n_windows,)
        Start of each window; windows are half-open.
    window_s : float
        Length of a window [s].

    Returns
    -------
    HrvWindows
        Heart rate needs `MIN_BEATS`, RMSSD and pNN50 `MIN_DIFFERENCES`, SDNN `MIN_SDNN_COVERAGE`; the variability is
        not given where more than `MAX_REJECTED_SHARE` of the intervals was rejected.
    """
    rri_ms = np.asarray(rri_ms, dtype=np.float64)
    window_ms = np.timedelta64(round(window_s * 1000.0), "ms")
    low, high = np.searchsorted(time, start), np.searchsorted(time, start + window_ms)
    found = time_domain(rri_ms, _pairs(rri_ms, gap), low, high)
    n_beats = found.n_beats
    filled_ms = np.where(n_beats > 0, n_beats * found.mean_rri_ms, 0.0)
    coverage = np.clip(filled_ms / (window_s * 1000.0), 0.0, 1.0)
    rejected = np.where(high > low, 1.0 - n_beats / np.maximum(high - low, 1), 0.0)
    clean = rejected <= MAX_REJECTED_SHARE
    enough_differences = clean & (found.n_differences >= MIN_DIFFERENCES)
    return HrvWindows(
        n_beats=n_beats,
        n_differences=found.n_differences,
        hr_bpm=_where(n_beats >= MIN_BEATS, 60000.0 / found.mean_rri_ms),
        rmssd_ms=_where(enough_differences, found.rmssd_ms),
        sdnn_ms=_where(clean & (n_beats > 1) & (coverage >= MIN_SDNN_COVERAGE), found.sdnn_ms),
        pnn50=_where(enough_differences, found.pnn50),
        coverage=coverage,
        rejected_share=rejected,
    )


def _valid(rri_ms: FloatArray) -> BoolArray:
    return np.asarray((rri_ms > 0.0) & (rri_ms <= LONGEST_RRI_MS))


def _pairs(rri_ms: FloatArray, gap: BoolArray | None) -> BoolArray:
    """Tell where an interval and the one before it may be compared."""
    valid = _valid(rri_ms)
    pair = valid.copy()
    pair[1:] &= valid[:-1]
    pair[:1] = False
    if gap is not None:
        pair &= ~gap
    return pair


def _ratio(numerator: FloatArray, denominator: NDArray[np.int64]) -> FloatArray:
    ratio: FloatArray = np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
    return ratio


def _where(condition: BoolArray, values: FloatArray) -> FloatArray:
    return np.where(condition, values, np.nan)


def _sd(values: FloatArray) -> float:
    return float(np.std(values, ddof=1)) if values.size > 1 else float("nan")
