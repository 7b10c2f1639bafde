"""Loops of `unaji.signals.latent`: a Kalman filter and its smoother over minutes, compiled on first use.

Measurements of one minute are taken in one at a time (Durbin and Koopman 2012, ch. 6.4), so nothing is inverted. Every
mean has K columns: the first belongs to the signals, the others to the regressors, filtered with the same gains
(de Jong 1991), which is what lets the regression be integrated out afterwards.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unaji.records.timeline import BoolArray, FloatArray


@njit(cache=True)
def filter_forward(
    y: FloatArray, seen: BoolArray, noise: FloatArray, load: FloatArray, keep: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Filter y (n, C, K); return predicted means (n, d, K) and covariances, innovations, their variances and gains."""
    n, n_channels, n_columns = y.shape
    d = keep.size
    mean, cov = np.zeros((d, n_columns)), np.diag(variance)
    means, covs = np.empty((n, d, n_columns)), np.empty((n, d, d))
    innovation, spread = np.zeros((n, n_channels, n_columns)), np.ones((n, n_channels))
    gains = np.zeros((n, n_channels, d))
    for t in range(n):
        means[t], covs[t] = mean, cov
        for c in range(n_channels):
            if not seen[t, c]:
                continue
            gain = gains[t, c]
            f = noise[t, c]
            for i in range(d):
                for j in range(d):
                    gain[i] += cov[i, j] * load[c, j]
                f += load[c, i] * gain[i]
            spread[t, c] = f
            for i in range(d):
                for j in range(d):
                    cov[i, j] -= gain[i] * gain[j] / f if j >= i else 0.0
                for j in range(i):
                    cov[i, j] = cov[j, i]
            v = innovation[t, c]
            for k in range(n_columns):
                v[k] = y[t, c, k]
                for i in range(d):
                    v[k] -= load[c, i] * mean[i, k]
            for i in range(d):
                gain[i] /= f
                for k in range(n_columns):
                    mean[i, k] += gain[i] * v[k]
        for i in range(d):
            for k in range(n_columns):
                mean[i, k] *= keep[i]
            for j in range(d):
                cov[i, j] *= keep[i] * keep[j]
            cov[i, i] += variance[i] * (1.0 - keep[i] ** 2)
    return means, covs, innovation, spread, gains


@njit(cache=True)
def smooth_backward(
    means: FloatArray,
    covs: FloatArray,
    innovation: FloatArray,
    spread: FloatArray,
    gains: FloatArray,
    seen: BoolArray,
    load: FloatArray,
    keep: FloatArray,
) -> None:
    """Turn the filter's predictions into smoothed means and covariances, in place."""
    n, d, n_columns = means.shape
    r, big_n = np.zeros((d, n_columns)), np.zeros((d, d))
    nk, half = np.empty(d), np.empty((d, d))
    for t in range(n - 1, -1, -1):
        for c in range(load.shape[0] - 1, -1, -1):
            if not seen[t, c]:
                continue
            gain = gains[t, c]
            for k in range(n_columns):
                u = innovation[t, c, k] / spread[t, c]
                for i in range(d):
                    u -= gain[i] * r[i, k]
                for i in range(d):
                    r[i, k] += load[c, i] * u
            knk = 1.0 / spread[t, c]
            for i in range(d):
                nk[i] = 0.0
                for j in range(d):
                    nk[i] += big_n[i, j] * gain[j]
                knk += gain[i] * nk[i]
            for i in range(d):
                for j in range(d):
                    big_n[i, j] += load[c, i] * load[c, j] * knk - load[c, i] * nk[j] - nk[i] * load[c, j]
        p = covs[t]
        for i in range(d):
            for j in range(d):
                for k in range(n_columns):
                    means[t, i, k] += p[i, j] * r[j, k]
                half[i, j] = 0.0
                for m in range(d):
                    half[i, j] += p[i, m] * big_n[m, j]
        smoothed = p.copy()
        for i in range(d):
            for j in range(d):
                for m in range(d):
                    smoothed[i, j] -= half[i, m] * p[m, j]
        covs[t] = smoothed
        for i in range(d):
            for k in range(n_columns):
                r[i, k] *= keep[i]
            for j in range(d):
                big_n[i, j] *= keep[i] * keep[j]
