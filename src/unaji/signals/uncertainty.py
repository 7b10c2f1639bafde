"""How far would an index of variability scatter, were another window of the same state measured?

Second moments (SDNN, RMSSD and what follows from them) scatter as a Gaussian process of the window's own spectrum does:
the variance of a mean square over n beats is the mean of the squared spectral density, twice over n. The density is
taken from the periodogram, whose square is twice the squared density on average. A slow or a narrow wave makes few
independent observations of many beats, and that is counted in.

References
----------
Priestley MB, Spectral Analysis and Time Series, Academic Press, 1981, sections 5.3.3 and 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unaji.records.timeline import FloatArray
from unaji.signals.nonlinear import IntArray

AT_A_TIME = 2**16
"""Values transformed at a time, so that memory does not grow with the recording."""


@dataclass(frozen=True, eq=False, slots=True)
class MomentErrors:
    """Sampling variance of SDNN² and of RMSSD², and their covariance, in each window [ms⁴]."""

    sdnn2: FloatArray
    both: FloatArray
    rmssd2: FloatArray

    def of(self, sdnn2: FloatArray | float, rmssd2: FloatArray | float) -> FloatArray:
        """Return the standard error of the sum of SDNN² and RMSSD² with these weights."""
        variance = sdnn2**2 * self.sdnn2 + 2.0 * sdnn2 * rmssd2 * self.both + rmssd2**2 * self.rmssd2
        return np.sqrt(np.maximum(variance, 0.0))


def moment_errors(nn_ms: FloatArray, low: IntArray, high: IntArray, mean_ms: FloatArray, n: IntArray) -> MomentErrors:
    """Work out how far the second moments of each window scatter.

    Parameters
    ----------
    nn_ms : ndarray, shape (n_beats,)
        Valid intervals [ms]; NaN for the others, which count as the mean.
    low, high : ndarray of int, shape (n_windows,)
        Rows of each window.
    mean_ms, n : ndarray, shape (n_windows,)
        Mean [ms] and number of each window's valid intervals.

    Notes
    -----
    With I(ω) = |Σ(x − x̄) e^{−iωk}|²/n, Var(SDNN²) = ⟨I²⟩/n; a difference of successive intervals multiplies I by
    4 sin²(ω/2).
    """
    size = 2 ** np.ceil(np.log2(np.maximum(2 * (high - low), 4))).astype(np.int64)
    sums = np.zeros((low.size, 3))
    for length in np.unique(size[n > 0]):
        rows = np.flatnonzero((size == length) & (n > 0))
        for begin in range(0, rows.size, max(1, AT_A_TIME // int(length))):
            part = rows[begin : begin + max(1, AT_A_TIME // int(length))]
            sums[part] = _sums(nn_ms, low[part], high[part], mean_ms[part], int(length))
    scale = np.maximum(n, 1).astype(np.float64) ** 3
    return MomentErrors(*(sums / scale[:, None]).T)


def _sums(nn_ms: FloatArray, low: IntArray, high: IntArray, mean_ms: FloatArray, length: int) -> FloatArray:
    """Return the means over frequency of n² I², and of it times one and two powers of 4 sin²(ω/2)."""
    beat = low[:, None] + np.arange(length // 2)
    x = nn_ms[np.minimum(beat, nn_ms.size - 1)] - mean_ms[:, None]
    x[(beat >= high[:, None]) | np.isnan(x)] = 0.0
    transform = np.fft.rfft(x, length)
    squared = (transform.real**2 + transform.imag**2) ** 2
    squared[:, 1:-1] *= 2.0  # both halves of the circle
    difference = 4.0 * np.sin(np.pi * np.arange(length // 2 + 1) / length) ** 2
    means: FloatArray = squared @ np.stack((np.ones(length // 2 + 1), difference, difference**2), axis=1) / length
    return means
