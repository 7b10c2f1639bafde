"""What was a level at times at which nobody read it? Its expected course between readings, and how unsure that is.

A rating given four times a day is a noisy reading of something that moves all day. Holding each until the next puts
steps where there were slopes, and the error dilutes whatever the level causes. Here the level is the usual one at that
time of day plus two processes that forget, one within hours and one within days, and what is asked is its distribution
given all readings before and after [1]_. Since the intensity of episodes is linear in a driver, the driver's expected
value under that distribution may stand in its place (regression calibration [2]_).

References
----------
.. [1] Rauch HE, Tung F, Striebel CT. Maximum likelihood estimates of linear dynamic systems. AIAA Journal
   1965;3:1445-1450. doi:10.2514/3.3166
.. [2] Carroll RJ, Ruppert D, Stefanski LA, Crainiceanu CM. Measurement Error in Nonlinear Models, 2nd ed. Chapman &
   Hall, 2006, chapter 4. doi:10.1201/9781420010138
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr

from unaji.causes.design import BIN_MIN, Grid
from unaji.records.timeline import BoolArray, FloatArray

SPARSE_MIN = 30.0
"""A level whose readings lie further apart than this (median) was read now and then, not followed."""
FORGETS_H = (1.0, 2.0, 4.0, 8.0)
SLOW_H = 48.0
NOISE_SHARES = (0.05, 0.15, 0.3, 0.5, 0.7)
SLOW_SHARES = (0.0, 0.3, 0.6)
"""What is tried: how fast the level forgets, which share of the variance is the reading's noise, and which share of
the rest moves over days; the likeliest for this person's readings is taken [A]."""
BLOCK_H = 3
PRIOR_READINGS = 4.0
"""The usual level of a time of day counts as if so many readings at the person's overall mean had been made [A]."""
FEWEST_READINGS = 20
"""With fewer readings than this, nothing can be said of how the level moves."""

IntArray = NDArray[np.int64]


class Level(NamedTuple):
    """A level on the grid as far as it is known.

    Attributes
    ----------
    mean, sd : ndarray, shape (n_bins,)
        In the level's unit; `sd` is 0 where it was measured or held.
    """

    mean: FloatArray
    sd: FloatArray

    def expected_above(self, threshold: float) -> FloatArray:
        """Return E[max(0, x − threshold)] of the normal distribution in each bin."""
        over = self.mean - threshold
        z = np.divide(over, self.sd, out=np.zeros_like(over), where=self.sd > 0)
        smooth = over * ndtr(z) + self.sd * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        return np.where(self.sd > 0, np.maximum(smooth, 0.0), np.maximum(over, 0.0))

    def quantiles(self, q: tuple[float, ...], where: BoolArray) -> FloatArray:
        """Return quantiles of the level over the marked bins, its uncertainty included."""
        mean, sd = self.mean[where], self.sd[where]
        if not sd.any():
            return np.asarray(np.quantile(mean, q))
        return np.asarray(np.quantile((mean[:, None] + sd[:, None] * NORMAL_NODES).ravel(), q))


NORMAL_NODES = np.array([-1.593, -0.967, -0.589, -0.282, 0.0, 0.282, 0.589, 0.967, 1.593])
"""Medians of nine equally likely parts of the standard normal distribution."""


def is_sparse(value: FloatArray) -> bool:
    """Tell whether a level was read now and then rather than followed."""
    known = np.flatnonzero(~np.isnan(value))
    if known.size < FEWEST_READINGS:
        return False
    gaps_min = np.diff(known) * BIN_MIN
    return float(np.median(gaps_min)) > SPARSE_MIN


def between_readings(value: FloatArray, grid: Grid) -> Level:
    """Return the level's distribution in each bin given all its readings.

    Parameters
    ----------
    value : ndarray, shape (n_bins,)
        Readings; NaN in all other bins. At least `FEWEST_READINGS`.
    grid : Grid
    """
    known = np.flatnonzero(~np.isnan(value))
    usual = _usual(value, known, grid)
    rest = value[known] - usual[known]
    variance = max(float(rest.var()), 1e-12)
    settings = [_setting(*chosen, variance) for chosen in product(FORGETS_H, NOISE_SHARES, SLOW_SHARES)]
    gap_h = np.diff(known, prepend=known[0]) * (BIN_MIN / 60.0)
    best = settings[int(np.argmax([_log_likelihood(rest, gap_h, *s) for s in settings]))]
    filled = np.full(value.size, np.nan)
    filled[known] = rest
    mean, var = _smooth(filled, BIN_MIN / 60.0, *best)
    return Level(usual + mean, np.sqrt(var))


def _usual(value: FloatArray, known: IntArray, grid: Grid) -> FloatArray:
    """Usual level at each bin's time of day on such a day, drawn towards the overall mean where readings are few."""
    block = (grid.local_hour // BLOCK_H).astype(np.int64) + (24 // BLOCK_H) * grid.day_off
    cells = 2 * (24 // BLOCK_H)
    count = np.bincount(block[known], minlength=cells)
    total = np.bincount(block[known], weights=value[known], minlength=cells)
    overall = float(value[known].mean())
    return np.asarray(((total + PRIOR_READINGS * overall) / (count + PRIOR_READINGS))[block])


def _setting(forgets_h: float, noise_share: float, slow_share: float, variance: float) -> tuple[float, ...]:
    """Return the fast process's time constant and variance, the slow one's, and the variance of the noise."""
    moving = variance * (1 - noise_share)
    return forgets_h, moving * (1 - slow_share), SLOW_H, moving * slow_share, variance * noise_share


@njit(cache=True)
def _log_likelihood(
    rest: FloatArray, gap_h: FloatArray, fast_h: float, fast: float, slow_h: float, slow: float, noise: float
) -> float:
    """Log likelihood of readings by the Kalman filter over two independent processes, up to a constant."""
    m0, m1, p00, p01, p11, total = 0.0, 0.0, fast, 0.0, slow, 0.0
    for i in range(rest.size):
        a, b = np.exp(-gap_h[i] / fast_h), np.exp(-gap_h[i] / slow_h)
        m0, m1 = a * m0, b * m1
        p00, p01, p11 = a * a * p00 + (1 - a * a) * fast, a * b * p01, b * b * p11 + (1 - b * b) * slow
        s = p00 + 2 * p01 + p11 + noise
        error = rest[i] - m0 - m1
        total -= 0.5 * (np.log(s) + error * error / s)
        k0, k1 = (p00 + p01) / s, (p01 + p11) / s
        m0, m1 = m0 + k0 * error, m1 + k1 * error
        p00, p01, p11 = p00 - k0 * k0 * s, p01 - k0 * k1 * s, p11 - k1 * k1 * s
    return total


@njit(cache=True)
def _smooth(
    rest: FloatArray, step_h: float, fast_h: float, fast: float, slow_h: float, slow: float, noise: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the sum of the two processes in each bin given all readings: filter, then backwards."""
    n = rest.size
    a, b = np.exp(-step_h / fast_h), np.exp(-step_h / slow_h)
    m, p = np.empty((n, 2)), np.empty((n, 3))  # filtered: means; variances 00, 01, 11
    ahead_m, ahead_p = np.empty((n, 2)), np.empty((n, 3))  # predicted from the bin before
    m0, m1, p00, p01, p11 = 0.0, 0.0, fast, 0.0, slow
    for i in range(n):
        if i > 0:
            m0, m1 = a * m0, b * m1
            p00, p01, p11 = a * a * p00 + (1 - a * a) * fast, a * b * p01, b * b * p11 + (1 - b * b) * slow
        ahead_m[i, 0], ahead_m[i, 1] = m0, m1
        ahead_p[i, 0], ahead_p[i, 1], ahead_p[i, 2] = p00, p01, p11
        if not np.isnan(rest[i]):
            s = p00 + 2 * p01 + p11 + noise
            error, k0, k1 = rest[i] - m0 - m1, (p00 + p01) / s, (p01 + p11) / s
            m0, m1 = m0 + k0 * error, m1 + k1 * error
            p00, p01, p11 = p00 - k0 * k0 * s, p01 - k0 * k1 * s, p11 - k1 * k1 * s
        m[i, 0], m[i, 1] = m0, m1
        p[i, 0], p[i, 1], p[i, 2] = p00, p01, p11
    mean, var = np.empty(n), np.empty(n)
    s0, s1, v00, v01, v11 = m[n - 1, 0], m[n - 1, 1], p[n - 1, 0], p[n - 1, 1], p[n - 1, 2]
    for i in range(n - 1, -1, -1):
        if i < n - 1:
            q00, q01, q11 = ahead_p[i + 1, 0], ahead_p[i + 1, 1], ahead_p[i + 1, 2]
            det = max(q00 * q11 - q01 * q01, 1e-300)
            # Gain: the filtered covariance times the transition, times the inverse of the predicted covariance.
            c00, c01 = a * p[i, 0], b * p[i, 1]
            c10, c11 = a * p[i, 1], b * p[i, 2]
            g00, g01 = (c00 * q11 - c01 * q01) / det, (c01 * q00 - c00 * q01) / det
            g10, g11 = (c10 * q11 - c11 * q01) / det, (c11 * q00 - c10 * q01) / det
            d0, d1 = s0 - ahead_m[i + 1, 0], s1 - ahead_m[i + 1, 1]
            d00, d01, d11 = v00 - q00, v01 - q01, v11 - q11
            s0, s1 = m[i, 0] + g00 * d0 + g01 * d1, m[i, 1] + g10 * d0 + g11 * d1
            v00 = p[i, 0] + g00 * (g00 * d00 + g01 * d01) + g01 * (g00 * d01 + g01 * d11)
            v01 = p[i, 1] + g10 * (g00 * d00 + g01 * d01) + g11 * (g00 * d01 + g01 * d11)
            v11 = p[i, 2] + g10 * (g10 * d00 + g11 * d01) + g11 * (g10 * d01 + g11 * d11)
        mean[i] = s0 + s1
        var[i] = max(v00 + 2 * v01 + v11, 0.0)
    return mean, var
