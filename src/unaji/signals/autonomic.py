"""Sympathetic and vagal indices from RR intervals alone: over time, and against the person's own normal days.

Both are interpretable columns beside the state, not the state itself: heart rate follows movement, posture and warmth
as well, and no index of RR intervals can tell them from emotion. The Laguerre-weight indices SAI and PAI are left out:
their fixed weights were fitted to recordings that are not at hand, and could not be checked here.

References
----------
Candia-Rivera D, de Vico Fallani F, Chavez M, "Robust and time-resolved estimation of cardiac sympathetic and
parasympathetic indices", R Soc Open Sci, 2025;12:240750. doi:10.1098/rsos.240750
Nunan D, Sandercock GRH, Brodie DA, "A quantitative systematic review of normal values for short-term heart rate
variability in healthy adults", Pacing Clin Electrophysiol, 2010;33:1407-1417.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unaji.records.timeline import FloatArray
from unaji.signals.hrv import time_domain
from unaji.signals.indices import HrvTable
from unaji.signals.nonlinear import poincare
from unaji.signals.tachogram import Tachogram

WINDOW_S = 15.0
"""Length of the sliding window [s] (Candia-Rivera 2025)."""

OUTPUT_HZ = 4.0
"""Rate of the result [Hz]."""

VAGAL_WEIGHT, SYMPATHETIC_WEIGHT = 10.0, 1.0
"""What SD1 and SD2 count beside the mean interval (Candia-Rivera 2025)."""

MIN_PAIRS = 5
"""Fewest differences in a window for its SD1 and SD2."""

LONGEST_HOLE_S = 5.0
"""The result is not drawn over a longer stretch without a window that could be used [s]."""

MIN_NORMAL_WINDOWS = 30
"""Fewest windows from which a person's normal range is taken."""


@dataclass(frozen=True, eq=False, slots=True)
class ResolvedIndices:
    """Cardiac sympathetic and parasympathetic index over time.

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        Regular, on the tachogram's clock [s].
    csi, cpi : ndarray, shape (n,)
        In seconds, since both are distances in the Poincaré plot of intervals in seconds; NaN over holes. They are
        comparable within a recording, not between people.
    """

    time_s: FloatArray
    csi: FloatArray
    cpi: FloatArray


def resolved_csi_cpi(tachogram: Tachogram, *, window_s: float = WINDOW_S) -> ResolvedIndices:
    """Follow sympathetic and vagal activity through the Poincaré plot of a sliding window.

    Parameters
    ----------
    tachogram : Tachogram
    window_s : float
        Length of the window that ends at each beat [s].

    Returns
    -------
    ResolvedIndices
        Empty when fewer than two windows can be used.

    Notes
    -----
    With SD1, SD2 and the distance D = √2 · mean RR of the cloud from the origin, each a series over windows moved so
    that its mean is the value of the whole recording: CPI = D + 10 SD1, and CSI = D' + SD2, D' being D mirrored about
    its mean. Differences across a gap or a rejected beat do not count. A window stands at its middle. The authors'
    program adds 1 to each index, which is left out.
    """
    nn_ms, joined, end_s = tachogram.nn_ms, tachogram.joined, tachogram.end_s
    high = np.arange(1, len(tachogram) + 1)
    low = np.searchsorted(end_s, end_s - window_s)
    time = time_domain(nn_ms, joined, low, high)
    sd1_ms, sd2_ms = poincare(time.sdnn_ms, time.sdsd_ms)
    within = end_s - (end_s[0] if end_s.size else 0.0) >= window_s
    use = within & (time.n_differences >= MIN_PAIRS) & np.isfinite(sd2_ms)
    if use.sum() < 2:
        return ResolvedIndices(np.zeros(0), np.zeros(0), np.zeros(0))
    whole = time_domain(nn_ms, joined, np.array([0]), np.array([len(tachogram)]))
    whole_sd1_ms, whole_sd2_ms = poincare(whole.sdnn_ms, whole.sdsd_ms)
    sd1 = _about(sd1_ms[use], whole_sd1_ms[0]) / 1000.0
    sd2 = _about(sd2_ms[use], whole_sd2_ms[0]) / 1000.0
    distance = _about(np.sqrt(2.0) * time.mean_rri_ms[use], np.sqrt(2.0) * whole.mean_rri_ms[0]) / 1000.0
    middle_s = end_s[use] - window_s / 2.0
    time_s = np.arange(middle_s[0], middle_s[-1], 1.0 / OUTPUT_HZ)
    csi = 2.0 * distance.mean() - distance + SYMPATHETIC_WEIGHT * sd2
    cpi = distance + VAGAL_WEIGHT * sd1
    hole = _in_hole(time_s, middle_s)
    return ResolvedIndices(
        time_s=time_s,
        csi=np.where(hole, np.nan, np.interp(time_s, middle_s, csi)),
        cpi=np.where(hole, np.nan, np.interp(time_s, middle_s, cpi)),
    )


def _about(series: FloatArray, mean: float) -> FloatArray:
    moved: FloatArray = series - series.mean() + mean
    return moved


def _in_hole(time_s: FloatArray, middle_s: FloatArray) -> np.ndarray:
    after = np.clip(np.searchsorted(middle_s, time_s), 1, middle_s.size - 1)
    between: np.ndarray = middle_s[after] - middle_s[after - 1] > LONGEST_HOLE_S
    return between


@dataclass(frozen=True, eq=False, slots=True)
class PersonalIndices:
    """How far each window lies from the person's normal ones, in the person's own standard deviations.

    Attributes
    ----------
    vagal : ndarray, shape (n_windows,)
        Mean z-score of mean RR, ln RMSSD and the share of SD1 in SD1 + SD2; NaN where one of them is missing.
    sympathetic : ndarray, shape (n_windows,)
        Mean z-score of heart rate, ln of Baevsky's SI and the share of SD2 in SD1 + SD2.
    reason : str
        Why there is nothing, if so.
    """

    vagal: FloatArray
    sympathetic: FloatArray
    reason: str = ""


def personal_indices(table: HrvTable, normal: np.ndarray) -> PersonalIndices:
    """Place windows against the person's own norms.

    Kubios' PNS and SNS index compare a resting recording with the means of healthy people (Nunan 2010). Means of other
    people say little of a change in this one, so the norms here are the person's own: median and robust spread of the
    windows that the caller calls normal (say, all windows awake and at rest of the last weeks).

    Parameters
    ----------
    table : HrvTable
        From `unaji.signals.indices.hrv_table`, nonlinear indices included.
    normal : ndarray of bool, shape (n_windows,)
        Which windows make the norms.
    """
    column = {name: table.columns[name].value for name in table.columns}
    with np.errstate(invalid="ignore", divide="ignore"):
        narrow = column["sd1_ms"] / (column["sd1_ms"] + column["sd2_ms"])
        vagal = (column["mean_rri_ms"], np.log(column["rmssd_ms"]), narrow)
        sympathetic = (column["mean_hr_bpm"], np.log(column["baevsky_si"]), 1.0 - narrow)
    nothing = np.full(len(table), np.nan)
    known = normal & np.isfinite(np.sum((*vagal, *sympathetic), axis=0))
    if known.sum() < MIN_NORMAL_WINDOWS:
        reason = f"{int(known.sum())} normal windows with every index; {MIN_NORMAL_WINDOWS} are needed for norms"
        return PersonalIndices(nothing, nothing, reason)
    return PersonalIndices(_mean_z(vagal, known), _mean_z(sympathetic, known))


def _mean_z(parts: tuple[FloatArray, ...], known: np.ndarray) -> FloatArray:
    scores = []
    for part in parts:
        middle = np.median(part[known])
        spread = 1.4826 * np.median(np.abs(part[known] - middle))  # of a normal distribution, its standard deviation
        scores.append((part - middle) / spread if spread > 0.0 else np.full(part.size, np.nan))
    mean: FloatArray = np.mean(scores, axis=0)
    return mean
