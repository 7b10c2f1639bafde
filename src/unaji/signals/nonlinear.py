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
Efron B, Stein C, "The jackknife estimate of variance", Ann Stat, 1981;9:586-596. doi:10.1214/aos/1176345462
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

BLOCKS = 8
"""Parts of a window, each left out in turn, whose effect on an index gives its standard error."""

HALVES = np.array(
    [[(row & block).bit_count() % 2 == odd for block in range(BLOCKS)] for row in range(1, BLOCKS) for odd in (0, 1)]
)
"""Seven ways to cut a window's eight parts into two halves, each half and its rest a row: Hadamard's, so balanced."""

BRUTE_FORCE_TO = 1500
"""Up to this many intervals every pair of templates is compared; beyond, only pairs that can be alike."""

MOST_INTERVALS = 300_000
"""Sample entropy of longer stretches (some three days) is not given: pairs grow with the square of the length."""


def poincare(sdnn_ms: FloatArray, sdsd_ms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return SD1 and SD2 of the Poincaré plot [ms].

    Brennan's identities: SD1 = SDSD/√2, SD2 = √(2 SDNN² − SDSD²/2). The spread of the plotted points along the line of
    identity differs from this SD2 by the ends of the series, some 0.03 % for five minutes.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return _or_nan(sdsd_ms / np.sqrt(2.0)), _or_nan(np.sqrt(2.0 * sdnn_ms**2 - 0.5 * sdsd_ms**2))


def csi_cvi(sd1_ms: FloatArray, sd2_ms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Toichi's cardiac sympathetic and vagal index: L/T and log10(L T) with L = 4 SD2, T = 4 SD1 [ms]."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return _or_nan(sd2_ms / sd1_ms), _or_nan(np.log10(16.0 * sd1_ms * sd2_ms))


def _or_nan(x: FloatArray) -> FloatArray:
    return np.where(np.isfinite(x), x, np.nan)


def sample_entropy(
    nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, sd_ms: FloatArray
) -> tuple[FloatArray, IntArray, FloatArray]:
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
    standard_error : ndarray, shape (n_windows,)
        By what each of `BLOCKS` parts adds; of longer windows, by the spread of pieces of `BRUTE_FORCE_TO`.

    Notes
    -----
    B and A count the pairs of templates of two and of three intervals whose largest difference is at most r; for both
    the N − 2 templates that can be prolonged are used (Richman and Moorman 2000). A template counts only where its
    three intervals follow each other. Since r is relative to the window, the entropy does not see the size of the
    variability.
    """
    r = SAMPEN_R * np.nan_to_num(sd_ms)
    n, entropy, error = np.zeros(low.size, np.int64), np.full(low.size, np.nan), np.full(low.size, np.nan)
    short = (high - low) <= BRUTE_FORCE_TO
    n[short], entropy[short], error[short] = _pair_by_pair(nn_ms, joined, low[short], high[short], r[short])
    for w in np.flatnonzero(~short & (high - low <= MOST_INTERVALS)):
        n[w], b, a = _pairs_in_strips(nn_ms[low[w] : high[w]], joined[low[w] : high[w]], float(r[w]))
        entropy[w] = _entropy(np.array(b), np.array(a))
        edge = np.linspace(low[w], high[w], 1 + -(-(high[w] - low[w]) // BRUTE_FORCE_TO)).astype(np.int64)
        parts = _pair_by_pair(nn_ms, joined, edge[:-1], edge[1:], np.full(edge.size - 1, r[w]))[1]
        error[w] = parts.std(ddof=1) / np.sqrt(parts.size)
    return np.where(r > 0.0, entropy, np.nan), n, error


def _pair_by_pair(
    nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, r: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return templates, entropy and its standard error of short windows."""
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    n, b, a, squares = kernels.sampen_windows(nn_ms, joined, low, high, r, BLOCKS)
    entropy = _entropy(b.sum(axis=(1, 2)), a.sum(axis=(1, 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return n, entropy, _entropy_error(b, a, squares, _slope_by_r(entropy))


def _entropy_error(b: IntArray, a: IntArray, squares: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the standard error of sample entropy from what each part, and each pair of parts, adds to it.

    What a part adds is its share of the pairs of A less its share of those of B, and what its spread does to r. Where
    few pairs are alike, chance between two parts counts twice in this, once in the truth: it is taken off (Efron and
    Stein 1981).
    """
    share = a / a.sum(axis=(1, 2), keepdims=True) - b / b.sum(axis=(1, 2), keepdims=True)
    own = np.einsum("wgg->wg", share)
    between = share + share.transpose(0, 2, 1) - 2.0 * own[:, :, None] * np.eye(BLOCKS)
    total = squares.sum(axis=1, keepdims=True)
    added = own + between.sum(axis=2) + slope[:, None] * (squares / total - 1.0 / BLOCKS) / 2.0
    row = between.sum(axis=2) / (BLOCKS - 1)
    middle = row.mean(axis=1, keepdims=True)
    part = (row - middle) * (BLOCKS - 1) / (BLOCKS - 2)
    chance = (between - part[:, :, None] - part[:, None, :] - middle[:, :, None]) * (1.0 - np.eye(BLOCKS))
    pairs = BLOCKS * (BLOCKS - 1) / 2
    of_chance = (chance**2).sum(axis=(1, 2)) / 2.0 * pairs / (pairs - BLOCKS)
    of_parts = BLOCKS / (BLOCKS - 1) * (added**2).sum(axis=1)
    error: FloatArray = np.sqrt(np.maximum(of_parts - of_chance, of_chance))
    return error


def _slope_by_r(entropy: FloatArray) -> FloatArray:
    """Return by how much sample entropy falls for each unit of ln r.

    If what is left of an interval's difference, given the two before, is normal, the share of pairs that stay alike is
    erf(u) with u in proportion to r, and its logarithmic slope 2 u exp(−u²)/(√π erf u). u is found by the first terms
    of the inverse's series.
    """
    share = np.exp(-entropy)
    u = np.sqrt(np.pi) / 2.0 * (share + np.pi / 12.0 * share**3 + 7.0 * np.pi**2 / 480.0 * share**5)
    slope: FloatArray = 2.0 * u * np.exp(-(u**2)) / (np.sqrt(np.pi) * share)
    return slope


def _entropy(b: IntArray, a: IntArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(a > 0, -np.log(a / b), np.nan)


def jackknife_error(without: FloatArray) -> FloatArray:
    """Return the standard error of an index from what it is without each part of a window.

    Parameters
    ----------
    without : ndarray, shape (n_windows, n_parts)

    Returns
    -------
    ndarray, shape (n_windows,)
        √((g − 1)/g Σ(θ₋ᵢ − θ̄)²) for g parts; NaN where one is not defined.

    References
    ----------
    Künsch HR, "The jackknife and the bootstrap for general stationary observations", Ann Stat, 1989;17:1217-1241.
    """
    parts = without.shape[1]
    error: FloatArray = np.sqrt((parts - 1) * np.var(without, axis=1))
    return error


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


def dfa_alpha1(nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray) -> tuple[FloatArray, FloatArray]:
    """Short-term scaling exponent of detrended fluctuation analysis, boxes of 4 to 16 beats.

    The slope of log F(n) over log n for every n from 4 to 16, F being the root mean square about straight lines in
    boxes that do not overlap (Peng 1995). NaN where a box size fits nowhere or nothing varies. Parameters are those of
    `sample_entropy`; the exponent and its standard error, by leaving out parts, have shape (n_windows,).
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    squares, boxes = kernels.dfa_windows(nn_ms, joined, low, high, *DFA_SCALES, BLOCKS)
    all_squares, all_boxes = squares.sum(axis=1), boxes.sum(axis=1)
    without = _slope(all_squares[:, None] - squares, all_boxes[:, None] - boxes)
    return _slope(all_squares, all_boxes), jackknife_error(without)


def _slope(squares: FloatArray, boxes: IntArray) -> FloatArray:
    """Return the slope of log F over log n along the last axis, from squares and boxes of each scale."""
    scale = np.arange(DFA_SCALES[0], DFA_SCALES[1] + 1.0)
    about = np.log(scale) - np.log(scale).mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        fluctuation = np.sqrt(squares / (boxes * scale))
        slope: FloatArray = np.log(np.where(fluctuation > 1e-9, fluctuation, np.nan)) @ about / (about @ about)
    return slope


def halves_error(of_halves: FloatArray) -> FloatArray:
    """Return the standard error of an index from what it is in balanced halves of a window.

    For the largest and the fullest, which a jackknife cannot judge: they hang on single intervals.

    Parameters
    ----------
    of_halves : ndarray, shape (n_windows, 14)
        The index of each half that `HALVES` lists.

    Returns
    -------
    ndarray, shape (n_windows,)
        Root mean square of half the differences between a half and the rest; NaN where one is not defined.

    References
    ----------
    McCarthy PJ, "Pseudo-replication: half samples", Rev Int Stat Inst, 1969;37:239-264.
    """
    difference = (of_halves[:, ::2] - of_halves[:, 1::2]) / 2.0
    error: FloatArray = np.sqrt(np.mean(difference**2, axis=1))
    return error


def triangular_index(nn_ms: FloatArray, low: IntArray, high: IntArray, n: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return how many intervals there are for each in the fullest bin of the histogram, and its standard error.

    Bins are 7.8125 ms wide and centred on multiples of it, so that intervals measured at 128 Hz and rounded to a
    millisecond stay in their bin. `n` is the number of valid intervals of each window. Shapes (n_windows,).
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    count, _ = kernels.fullest_bin(nn_ms, low, high, TRIANGULAR_BIN_MS, 0.0)
    held, fullest, _, _ = kernels.fullest_bin_of_parts(nn_ms, low, high, TRIANGULAR_BIN_MS, 0.0, HALVES)
    return _share(n, count), halves_error(_share(held, fullest))


def _share(n: IntArray, count: IntArray) -> FloatArray:
    share: FloatArray = np.divide(n, count, out=np.full(n.shape, np.nan), where=count > 0)
    return share


def baevsky_si(nn_ms: FloatArray, low: IntArray, high: IntArray, n: IntArray) -> tuple[FloatArray, FloatArray]:
    """Baevsky's stress index AMo / (2 Mo MxDMn) [%/s²], and its standard error.

    Mo is the middle of the fullest bin of 50 ms [s], AMo the share of the intervals in it [%], MxDMn the range of the
    intervals [s]; not its square root, which some programs print. NaN where all intervals are equal. Shapes
    (n_windows,).
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    count, mode_ms = kernels.fullest_bin(nn_ms, low, high, BAEVSKY_BIN_MS, BAEVSKY_BIN_MS / 2.0)
    least_ms, most_ms = kernels.window_extremes(nn_ms, low, high)
    held, fullest, modes_ms, ranges_ms = kernels.fullest_bin_of_parts(
        nn_ms, low, high, BAEVSKY_BIN_MS, BAEVSKY_BIN_MS / 2.0, HALVES
    )
    return _stress(n, count, mode_ms, most_ms - least_ms), halves_error(_stress(held, fullest, modes_ms, ranges_ms))


def _stress(n: IntArray, count: IntArray, mode_ms: FloatArray, range_ms: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        index = 100.0 * count / np.maximum(n, 1) / (2.0e-6 * mode_ms * range_ms)
    return np.where(range_ms > 0.0, index, np.nan)
