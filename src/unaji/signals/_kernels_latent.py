"""Loops of `unaji.signals.latent`: a Kalman filter and its smoother over minutes, compiled on first use.

Measurements of one minute are taken in one at a time (Durbin and Koopman 2012, ch. 6.4), so nothing is inverted. Every
mean has K columns: the first belongs to the signals, the others to the regressors, filtered with the same gains
(de Jong 1991), which is what lets the regression be integrated out afterwards. A regressor belongs to one signal, c:
columns 1 + own[c] … own[c + 1]. The curves' mean and covariance at the border of two stretches of a record are handed
on, so that a long record needs the memory of one stretch.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]


@njit(cache=True)
def filter_forward(
    y: FloatArray, inputs: FloatArray, own: IntArray, seen: BoolArray, noise: FloatArray, load: FloatArray,
    keep: FloatArray, variance: FloatArray, mean: FloatArray, cov: FloatArray, moments: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:  # fmt: skip
    """Filter y (n, C) and inputs (n, K − 1) on from mean (d, K) and cov (d, d), which become those after the last.

    Return predicted means (n, d, K) and covariances, innovations, their variances and gains; add the innovations'
    products over their variances to the moments (K, K).
    """
    n, n_channels = y.shape
    d, n_columns = mean.shape
    means, covs = np.empty((n, d, n_columns)), np.empty((n, d, d))
    innovation, spread = np.zeros((n, n_channels, n_columns)), np.ones((n, n_channels))
    gains = np.zeros((n, n_channels, d))
    for t in range(n):
        means[t], covs[t] = mean, cov
        for c in range(n_channels):
            if seen[t, c]:
                spread[t, c] = _gain(cov, load[c], noise[t, c], gains[t, c])
                _innovation(y[t, c], inputs[t], own[c], own[c + 1], load[c], mean, innovation[t, c])
                _take_in(mean, cov, gains[t, c], spread[t, c], innovation[t, c])
                _count(moments, innovation[t, c], spread[t, c])
        _predict(mean, cov, keep, variance)
    return means, covs, innovation, spread, gains


@njit(cache=True)
def filter_one(
    y: FloatArray, inputs: FloatArray, own: IntArray, seen: BoolArray, noise: FloatArray, load: FloatArray,
    effect: FloatArray, freedom: float, mean: FloatArray, cov: FloatArray, moments: FloatArray,
) -> None:  # fmt: skip
    """Take in one minute, y (C,) and inputs (K − 1,), and add its scaled innovations to the moments (K, K).

    A measurement far from what was expected of it, given these effects, weighs less, as one with a t-distributed noise
    of that many degrees of freedom would.
    """
    gain, v = np.empty(cov.shape[0]), np.empty(mean.shape[1])
    for c in range(y.size):
        if not seen[c]:
            continue
        f = _gain(cov, load[c], noise[c], gain)
        _innovation(y[c], inputs, own[c], own[c + 1], load[c], mean, v)
        left = v[0]
        for k in range(effect.size):
            left -= v[1 + k] * effect[k]
        weight = (freedom + 1.0) / (freedom + left * left / f)
        f = _gain(cov, load[c], noise[c] / weight, gain)
        _take_in(mean, cov, gain, f, v)
        _count(moments, v, f)


@njit(cache=True)
def predict(mean: FloatArray, cov: FloatArray, keep: FloatArray, variance: FloatArray) -> None:
    """Move the curves on by a minute, in place."""
    _predict(mean, cov, keep, variance)


@njit(cache=True)
def _gain(cov: FloatArray, load: FloatArray, noise: float, gain: FloatArray) -> float:
    """Write cov · load into gain and return the variance of the measurement."""
    f = noise
    for i in range(load.size):
        gain[i] = 0.0
        for j in range(load.size):
            gain[i] += cov[i, j] * load[j]
        f += load[i] * gain[i]
    return f


@njit(cache=True)
def _innovation(
    y: float, inputs: FloatArray, begin: int, end: int, load: FloatArray, mean: FloatArray, v: FloatArray
) -> None:
    v[:] = 0.0
    v[0] = y
    for k in range(begin, end):
        v[1 + k] = inputs[k]
    for i in range(load.size):
        if load[i] != 0.0:
            for k in range(v.size):
                v[k] -= load[i] * mean[i, k]


@njit(cache=True)
def _take_in(mean: FloatArray, cov: FloatArray, gain: FloatArray, f: float, v: FloatArray) -> None:
    """Move mean and covariance by what was measured, and turn cov · load into the gain."""
    d = gain.size
    for i in range(d):
        for j in range(i, d):
            cov[i, j] -= gain[i] * gain[j] / f
            cov[j, i] = cov[i, j]
    for i in range(d):
        gain[i] /= f
        for k in range(v.size):
            mean[i, k] += gain[i] * v[k]


@njit(cache=True)
def _count(moments: FloatArray, v: FloatArray, f: float) -> None:
    for k in range(v.size):
        scaled = v[k] / f
        for m in range(v.size):
            moments[k, m] += scaled * v[m]


@njit(cache=True)
def quadratic(x: FloatArray, cov: FloatArray) -> FloatArray:
    """Return x' cov x of each row of x."""
    out = np.zeros(x.shape[0])
    for t in range(x.shape[0]):
        for k in range(x.shape[1]):
            for m in range(x.shape[1]):
                out[t] += x[t, k] * cov[k, m] * x[t, m]
    return out


@njit(cache=True)
def _predict(mean: FloatArray, cov: FloatArray, keep: FloatArray, variance: FloatArray) -> None:
    for i in range(keep.size):
        for k in range(mean.shape[1]):
            mean[i, k] *= keep[i]
        for j in range(keep.size):
            cov[i, j] *= keep[i] * keep[j]
        cov[i, i] += variance[i] * (1.0 - keep[i] ** 2)


@njit(cache=True)
def smooth_backward(
    means: FloatArray, covs: FloatArray, innovation: FloatArray, spread: FloatArray, gains: FloatArray, seen: BoolArray,
    load: FloatArray, keep: FloatArray, see: FloatArray, per_step: int, r: FloatArray, big_n: FloatArray,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Smooth, seen through `see` (G, d): the means (n / per_step, G, K) and covariances of averages over steps.

    r (d, K) and big_n (d, d) come from the stretch after this one (zeros at the end of the record), and become those
    for the stretch before. The covariance of an average needs that of each minute with those after it in its step,
    Cov(α_t, α_u) = P_t L_t' … L_{u−1}' (I − N_{u−1} P_u) (Durbin and Koopman 2012, ch. 4.7), whose sum over u is
    P_t times `later`, which goes backward as r does.
    """
    n, d, n_columns = means.shape
    n_seen = see.shape[0]
    view, cov = np.zeros((n // per_step, n_seen, n_columns)), np.zeros((n // per_step, n_seen, n_seen))
    later, left = np.zeros((d, d)), np.empty((d, d))
    seen_p, half = np.empty((n_seen, d)), np.empty((n_seen, d))
    u, w = np.empty(n_columns), np.empty(d)
    for t in range(n - 1, -1, -1):
        for c in range(load.shape[0] - 1, -1, -1):
            if seen[t, c]:
                _back(r, innovation[t, c] / spread[t, c], gains[t, c], load[c], u)
                w[:] = 0.0
                _back(later, w, gains[t, c], load[c], w)
                _back_precision(big_n, spread[t, c], gains[t, c], load[c], w)
        p, step = covs[t], t // per_step
        _product(see, p, seen_p)
        for i in range(d):
            for j in range(d):
                left[i, j] = 1.0 if i == j else 0.0
                for m in range(d):
                    left[i, j] -= big_n[i, m] * p[m, j]
                later[i, j] += left[i, j]
                left[i, j] = 2.0 * later[i, j] - left[i, j]
        _product(seen_p, left, half)
        for g in range(n_seen):
            for h in range(n_seen):
                for i in range(d):
                    part = half[g, i] * see[h, i] / (2.0 * per_step**2)
                    cov[step, g, h] += part
                    cov[step, h, g] += part
            for i in range(d):
                for k in range(n_columns):
                    view[step, g, k] += (see[g, i] * means[t, i, k] + seen_p[g, i] * r[i, k]) / per_step
        if t % per_step == 0:
            later[:] = 0.0
        for i in range(d):
            for k in range(n_columns):
                r[i, k] *= keep[i]
            for j in range(d):
                later[i, j] *= keep[i]
                big_n[i, j] *= keep[i] * keep[j]
    return view, cov


@njit(cache=True)
def _product(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[i, j] = 0.0
            for m in range(b.shape[0]):
                out[i, j] += a[i, m] * b[m, j]


@njit(cache=True)
def _back(r: FloatArray, innovation: FloatArray, gain: FloatArray, load: FloatArray, u: FloatArray) -> None:
    """Add load · (innovation − gain' r) to r."""
    for k in range(u.size):
        u[k] = innovation[k]
    for i in range(gain.size):
        for k in range(u.size):
            u[k] -= gain[i] * r[i, k]
    for i in range(load.size):
        if load[i] != 0.0:
            for k in range(u.size):
                r[i, k] += load[i] * u[k]


@njit(cache=True)
def _back_precision(big_n: FloatArray, spread: float, gain: FloatArray, load: FloatArray, nk: FloatArray) -> None:
    d = gain.size
    knk = 1.0 / spread
    for i in range(d):
        nk[i] = 0.0
        for j in range(d):
            nk[i] += big_n[i, j] * gain[j]
        knk += gain[i] * nk[i]
    for i in range(d):
        for j in range(d):
            big_n[i, j] += load[i] * load[j] * knk - load[i] * nk[j] - nk[i] * load[j]
