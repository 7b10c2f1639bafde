"""Shape, regularity and scaling of the RR intervals, of many windows at once.

Every function takes the intervals with NaN where one is missing, `joined` (whether an interval may be compared with
the row before), and windows as row ranges low … high − 1. No pair, template or box reaches over a break.

References
----------
Brennan M, Palaniswami M, Kamen P, "Do existing measures of Poincaré plot geometry reflect nonlinear features of heart
rate variability?", IEEE Trans Biomed Eng, 2001;48:1342-1347. doi:10.1109/10.959330
Richman JS, Moorman JR, "Physiological time-series analysis using approximate entropy and sample entropy", Am J Physiol
Heart Circ Physiol, 2000;278:H2039-H2049. doi:10.1152/ajpheart.2000.278.6.H2039
Peng CK et al., "Quantification of scaling exponents and crossover phenomena in nonstationary heartbeat time series",
Chaos, 1995;5:82-87. doi:10.1063/1.166141
Task Force of the ESC and NASPE, Circulation, 1996;93:1043-1065. doi:10.1161/01.CIR.93.5.1043
Baevsky RM, Chernikova AG, "Heart rate variability analysis: physiological foundations and main methods",
Cardiometry, 2017;10:66-76. doi:10.12710/cardiometry.2017.10.6676
Toichi M et al., "A new method of assessing cardiac autonomic function and its comparison with spectral analysis and
coefficient of variation of R-R interval", J Auton Nerv Syst, 1997;62:79-84.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]

SAMPEN_R = 0.2
"""Tolerance of sample entropy, in standard deviations (n − 1) of the window's own intervals."""

DFA_SCALES = (4, 16)
"""Box sizes of the short-term exponent α1, both included [beats]."""

TRIANGULAR_BIN_MS = 7.8125
"""Bins of the triangular index: one sample at 128 Hz (Task Force 1996)."""

BAEVSKY_BIN_MS = 50.0
"""Bins of the stress index (Baevsky)."""

BRUTE_FORCE_TO = 1500
"""Up to this many intervals every pair of templates is compared; beyond, only pairs that can be alike."""


MOST_INTERVALS = 300_000
"""Sample entropy of longer stretches (some three days) is not given: pairs grow with the square of the length."""


def poincare(sdnn_ms: FloatArray, sdsd_ms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return SD1 and SD2 of the Poincaré plot [ms].

    Brennan's identities: SD1 = SDSD/√2, SD2 = √(2 SDNN² − SDSD²/2). The spread of the plotted points along the line of
    identity differs from this SD2 by the ends of the series, some 0.03 % for five minutes.
    """
    with np.errstate(invalid="ignore"):
        return sdsd_ms / np.sqrt(2.0), np.sqrt(2.0 * sdnn_ms**2 - 0.5 * sdsd_ms**2)


def csi_cvi(sd1_ms: FloatArray, sd2_ms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Toichi's cardiac sympathetic and vagal index: L/T and log10(L T) with L = 4 SD2, T = 4 SD1 [ms]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sd2_ms / sd1_ms, np.log10(16.0 * sd1_ms * sd2_ms)


def sample_entropy(
    nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, sd_ms: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Sample entropy −ln(A/B) for m = 2 and r = 0.2 SD.

    Parameters
    ----------
    nn_ms, joined : ndarray, shape (n_beats,)
        Valid intervals [ms] (else NaN), and whether each follows the row before.
    low, high : ndarray of int, shape (n_windows,)
        Rows of each window.
    sd_ms : ndarray, shape (n_windows,)
        Standard deviation (n − 1) of each window's intervals [ms], of which r is a fifth.

    Returns
    -------
    entropy : ndarray, shape (n_windows,)
        NaN where no two templates of three intervals are alike, or the window holds more than `MOST_INTERVALS`.
    n_templates : ndarray of int, shape (n_windows,)

    Notes
    -----
    B and A count the pairs of templates of two and of three intervals whose largest difference is at most r; for both
    the N − 2 templates that can be prolonged are used (Richman and Moorman 2000). A template counts only where its
    three intervals follow each other. Since r is relative to the window, the entropy does not see the size of the
    variability.
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    r = SAMPEN_R * np.nan_to_num(sd_ms)
    n, b, a = (np.zeros(low.size, np.int64) for _ in range(3))
    short = (high - low) <= BRUTE_FORCE_TO
    n[short], b[short], a[short] = kernels.sampen_windows(nn_ms, joined, low[short], high[short], r[short])
    for w in np.flatnonzero(~short & (high - low <= MOST_INTERVALS)):
        n[w], b[w], a[w] = _pairs_in_strips(nn_ms[low[w] : high[w]], joined[low[w] : high[w]], float(r[w]))
    with np.errstate(invalid="ignore", divide="ignore"):
        entropy = -np.log(a / b)
    return np.where((a > 0) & (r > 0.0), entropy, np.nan), n


def _pairs_in_strips(nn_ms: FloatArray, joined: BoolArray, r: float) -> tuple[int, int, int]:
    """Count templates and alike pairs of one long stretch; see the kernel."""
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    at = np.flatnonzero(joined[1:-1] & joined[2:])
    if not at.size or r <= 0.0:
        return at.size, 0, 0
    x, y, z = nn_ms[at], nn_ms[at + 1], nn_ms[at + 2]
    # A hair wider than r, so that no rounding can part a pair by two strips.
    strip = np.floor((x - x.min()) / (r * (1.0 + 1e-9))).astype(np.int64)
    order = np.lexsort((y, strip))
    edge = np.concatenate(([0], np.cumsum(np.bincount(strip))))
    b, a = kernels.sampen_strips(x[order], y[order], z[order], edge, r)
    return at.size, b, a


def dfa_alpha1(nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray) -> FloatArray:
    """Short-term scaling exponent of detrended fluctuation analysis, boxes of 4 to 16 beats.

    The slope of log F(n) over log n for every n from 4 to 16, F being the root mean square about straight lines in
    boxes that do not overlap (Peng 1995). NaN where a box size fits nowhere or nothing varies. Parameters are those of
    `sample_entropy`; the result has shape (n_windows,).
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    fluctuation = kernels.dfa_windows(nn_ms, joined, low, high, *DFA_SCALES)
    log_n = np.log(np.arange(DFA_SCALES[0], DFA_SCALES[1] + 1.0))
    about = log_n - log_n.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        slope: FloatArray = np.log(np.where(fluctuation > 1e-9, fluctuation, np.nan)) @ about / (about @ about)
    return slope


def triangular_index(nn_ms: FloatArray, low: IntArray, high: IntArray, n: IntArray) -> FloatArray:
    """Return how many intervals there are for each in the fullest bin of the histogram, shape (n_windows,).

    Bins are 7.8125 ms wide and centred on multiples of it, so that intervals measured at 128 Hz and rounded to a
    millisecond stay in their bin. `n` is the number of valid intervals of each window.
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    count, _ = kernels.fullest_bin(nn_ms, low, high, TRIANGULAR_BIN_MS, 0.0)
    index: FloatArray = np.divide(n, count, out=np.full(n.size, np.nan), where=count > 0)
    return index


def baevsky_si(nn_ms: FloatArray, low: IntArray, high: IntArray, n: IntArray) -> FloatArray:
    """Baevsky's stress index AMo / (2 Mo MxDMn) [%/s²].

    Mo is the middle of the fullest bin of 50 ms [s], AMo the share of the intervals in it [%], MxDMn the range of the
    intervals [s]; not its square root, which some programs print. NaN where all intervals are equal. Shape
    (n_windows,).
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    count, mode_ms = kernels.fullest_bin(nn_ms, low, high, BAEVSKY_BIN_MS, BAEVSKY_BIN_MS / 2.0)
    least_ms, most_ms = kernels.window_extremes(nn_ms, low, high)
    range_s, mode_s = (most_ms - least_ms) / 1000.0, mode_ms / 1000.0
    with np.errstate(invalid="ignore", divide="ignore"):
        index = 100.0 * count / np.maximum(n, 1) / (2.0 * mode_s * range_s)
    return np.where(range_s > 0.0, index, np.nan)
