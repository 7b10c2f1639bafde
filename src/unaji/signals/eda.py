"""Skin conductance: which samples can be trusted, the slow (tonic) level, and the quick (phasic) responses.

The level is the smoothest curve through each unbroken piece; the responses are what stands above and below it. A
recording slower than a sample a second is a level only: a response lasts seconds and would be missed.

References
----------
Kleckner IR et al., "Simple, transparent, and flexible automated quality assessment procedures for ambulatory
electrodermal activity data", IEEE Trans Biomed Eng, 2018;65:1460-1467. doi:10.1109/TBME.2017.2758643
Posada-Quintero HF et al., "Power spectral density analysis of electrodermal activity for sympathetic function
assessment", Ann Biomed Eng, 2016;44:3124-3135. doi:10.1007/s10439-016-1606-6
Tarvainen MP, Ranta-aho PO, Karjalainen PA, "An advanced detrending method with application to HRV analysis", IEEE Trans
Biomed Eng, 2002;49:172-175. doi:10.1109/10.979357
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, Series, TimeArray
from unaji.signals.grid import Gridded, mean_on_grid

EDA_LOW_MICROSIEMENS, EDA_HIGH_MICROSIEMENS = 0.05, 60.0
"""Range of a sensor that is worn and not saturated (Kleckner 2018, rule 1) [µS]."""

MAX_SLOPE_MICROSIEMENS_S = 10.0
"""A quicker change is a movement of the electrode, not of the skin (Kleckner 2018, rule 2) [µS/s]."""

MARGIN_S = 5.0
"""Time before and after an invalid sample that is given up with it (Kleckner 2018, rule 4) [s].

Their rule 3 (skin temperature between 30 and 40 °C, else not worn) is left out: a wrist outdoors in winter is colder
than that, and cold is one of the things asked about here. A sensor that is not worn falls under rule 1.
"""

CUTOFF_HZ = 0.05
"""Border between level and responses; half of a wave at this frequency is in each [Hz].

Sympathetic stimulation shows in the spectrum of skin conductance above 0.045 Hz (Posada-Quintero 2016).
"""

SLOWEST_PHASIC_S = 1.0
"""Largest spacing of samples from which responses can be told [s]."""

SHORTEST_PHASIC_S = 1.0 / CUTOFF_HZ
"""Shortest unbroken piece from which responses can be told: one period of the border [s]."""

LONGEST_GAP_S = 1.5
"""Samples farther apart than this many times the usual spacing do not belong to one piece."""


class Eda(NamedTuple):
    """Skin conductance taken apart.

    Attributes
    ----------
    valid : ndarray of bool, shape (n,)
        False where the quality rules reject the sample.
    tonic, phasic : ndarray, shape (n,)
        Level and responses [µS]; they add up to the signal. NaN where invalid; responses also NaN where the recording
        is too slow or its piece too short.
    """

    valid: BoolArray
    tonic: FloatArray
    phasic: FloatArray


def split_eda(time: TimeArray, scl_microsiemens: FloatArray) -> Eda:
    """Judge skin conductance and take it apart into level and responses.

    Parameters
    ----------
    time : ndarray, shape (n,)
        When, ascending; regular within unbroken pieces, from tens of samples a second to one in minutes.
    scl_microsiemens : ndarray, shape (n,)
        Skin conductance as measured [µS].

    Returns
    -------
    Eda

    Notes
    -----
    The level minimises Σ (x − level)² + λ Σ (second difference of level)² in each piece (Tarvainen 2002), with λ such
    that half of a wave at `CUTOFF_HZ` passes: the response of a second-order Butterworth filter run forwards and
    backwards, without delay and without invented samples at the ends.
    """
    if time.size == 0:
        return Eda(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))
    valid = valid_eda(time, scl_microsiemens)
    tonic = np.where(valid, scl_microsiemens, np.nan)
    phasic = np.full(time.size, np.nan)
    spacing_s = usual_spacing_s(time)
    if spacing_s <= SLOWEST_PHASIC_S:
        at = np.flatnonzero(valid)
        piece = _pieces(time, valid, spacing_s)[at]
        tonic[at] = _smooth(scl_microsiemens[at], piece, spacing_s)
        phasic[at] = np.where(
            np.bincount(piece)[piece] * spacing_s >= SHORTEST_PHASIC_S, scl_microsiemens[at] - tonic[at], np.nan
        )
    return Eda(valid, tonic, phasic)


def valid_eda(time: TimeArray, scl_microsiemens: FloatArray) -> BoolArray:
    """Tell which samples of skin conductance can be trusted.

    Parameters are those of `split_eda`.

    Returns
    -------
    ndarray of bool, shape (n,)
        False outside 0.05 to 60 µS, where it changes by more than 10 µS/s, and within 5 s of either.
    """
    scl_microsiemens = np.where(np.isfinite(scl_microsiemens), scl_microsiemens, np.nan)
    invalid = ~((scl_microsiemens >= EDA_LOW_MICROSIEMENS) & (scl_microsiemens <= EDA_HIGH_MICROSIEMENS))
    step_s = np.diff(time).astype(np.float64) / 1000.0
    jump = np.abs(np.diff(scl_microsiemens)) > MAX_SLOPE_MICROSIEMENS_S * step_s
    invalid[1:] |= jump
    invalid[:-1] |= jump
    return ~_widened(time, invalid)


def eda_on_grid(series: Series, grid: TimeArray, step_s: float) -> tuple[Gridded, Gridded]:
    """Average skin conductance over the steps of a grid.

    Returns
    -------
    level, response_size : Gridded
        Mean level, and mean size (absolute value) of the responses [µS].

    Notes
    -----
    The filter's responses feed the sympathetic index, not the driver of `unaji.signals.eda_driver`. On the
    sessions of ``tests/signals/test_state_on_e4.py`` neither is clearly better. Both rise under stress in 11 of 12
    people. Single minutes of stress and rest are told apart with a mean area under the curve of 0.65 by the driver and
    0.63 by the filter; the index made with the driver rises in the same 11 people, but by 1.2 of the person's standard
    deviations at the median instead of 1.4.
    """
    eda = split_eda(series.time, series.value)
    has_phasic = np.isfinite(eda.phasic)
    # A series holds finite values only; what is set to zero here is left out by `valid` below. The smooth curve may dip
    # below zero by a hair at an edge, which is no reason to drop the sample.
    level = replace(series, value=np.where(eda.valid, np.maximum(eda.tonic, 0.0), 0.0))
    size = replace(series, value=np.where(has_phasic, np.abs(eda.phasic), 0.0))
    return mean_on_grid(level, grid, step_s, valid=eda.valid), mean_on_grid(size, grid, step_s, valid=has_phasic)


def _widened(time: TimeArray, invalid: BoolArray) -> BoolArray:
    """Mark also what lies within the margin of an invalid sample."""
    margin = np.timedelta64(round(MARGIN_S * 1000.0), "ms")
    running = np.concatenate(([0], np.cumsum(invalid)))
    low = np.searchsorted(time, time - margin, side="left")
    high = np.searchsorted(time, time + margin, side="right")
    widened: BoolArray = running[high] > running[low]
    return widened


def usual_spacing_s(time: TimeArray) -> float:
    """Return the usual time between samples [s]; infinite for fewer than two.

    The mean of the steps near their median: times are in whole milliseconds, and 1/32 s is not.
    """
    if time.size < 2:
        return np.inf
    step_ms = np.diff(time).astype(np.float64)
    median_ms = float(np.median(step_ms))
    usual = step_ms[(step_ms > 0.5 * median_ms) & (step_ms < LONGEST_GAP_S * median_ms)]
    return float(usual.mean()) / 1000.0 if usual.size else median_ms / 1000.0


def _pieces(time: TimeArray, valid: BoolArray, spacing_s: float) -> NDArray[np.int64]:
    """Give each valid sample the number of its unbroken stretch, from 0."""
    starts = np.ones(time.size, dtype=bool)
    too_far = np.diff(time).astype(np.float64) > LONGEST_GAP_S * spacing_s * 1000.0
    starts[1:] = too_far | ~valid[:-1]
    return np.cumsum(starts & valid) - 1


def _smooth(x: FloatArray, piece: NDArray[np.int64], spacing_s: float) -> FloatArray:
    """Smooth each piece by itself; all pieces are one banded system without bands across their borders."""
    from scipy.linalg import solveh_banded  # noqa: PLC0415  (slow to import, and most records have no conductance)

    if x.size < 3:
        return x.copy()
    weight = 1.0 / (2.0 * np.sin(np.pi * min(CUTOFF_HZ * spacing_s, 0.5))) ** 4
    inside = weight * (piece[2:] == piece[:-2])
    bands = np.zeros((3, x.size))
    bands[0] = 1.0
    bands[0, :-2] += inside
    bands[0, 1:-1] += 4.0 * inside
    bands[0, 2:] += inside
    bands[1, :-2] -= 2.0 * inside
    bands[1, 1:-1] -= 2.0 * inside
    bands[2, :-2] += inside
    smooth: FloatArray = solveh_banded(bands, x, lower=True, overwrite_ab=True, check_finite=False)
    return smooth
