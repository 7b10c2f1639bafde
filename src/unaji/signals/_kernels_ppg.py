"""Compiled search for pulses, for `unaji.signals.ppg`; imported on first use, since numba is slow to import."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]


@njit(cache=True)
def multiscale_peaks(x: FloatArray, size: int, hop: int, longest: int, ending: bool) -> BoolArray:
    """Mark the samples that are maxima at every scale up to the one with most maxima, window by window.

    At scale k a sample is a maximum when it is above those k before and k after it.

    Parameters
    ----------
    size, hop : int
        Length of the windows and distance of their starts [samples].
    longest : int
        Largest scale: half the longest time between beats [samples].
    ending : bool
        Whether x ends here, so that a last window is laid to its end; otherwise only whole windows are looked at.
    """
    is_peak = np.zeros(x.size, dtype=np.bool_)
    flat, depth = np.empty(size), np.empty(size, dtype=np.int64)
    start = 0
    while start + size <= x.size or (ending and start < x.size):
        n = min(size, x.size - start)
        if n < size <= x.size:
            start, n = x.size - size, size
        _detrend(x[start : start + n], flat)
        scale = _common_scale(flat[:n], min(longest, (n - 1) // 2), depth)
        for i in range(n):
            if depth[i] >= scale > 0:
                is_peak[start + i] = True
        start = start + hop if start + n < x.size else x.size
    return is_peak


@njit(cache=True)
def average(x: FloatArray, half: int) -> FloatArray:
    """Average each sample with `half` on either side, at the ends with those there are.

    Each is added up by itself, in order, so that it does not matter to the last digit where x begins.
    """
    out = np.empty_like(x)
    for i in range(x.size):
        low, high = max(i - half, 0), min(i + half + 1, x.size)
        total = 0.0
        for k in range(low, high):
            total += x[k]
        out[i] = total / (high - low)
    return out


@njit(cache=True)
def _detrend(x: FloatArray, out: FloatArray) -> None:
    """Write x less its straight line into out."""
    middle = (x.size - 1) / 2.0
    total, slope, square = 0.0, 0.0, 0.0
    for i in range(x.size):
        total += x[i]
        slope += x[i] * (i - middle)
        square += (i - middle) ** 2
    mean, slope = total / x.size, slope / max(square, 1.0)
    for i in range(x.size):
        out[i] = x[i] - mean - slope * (i - middle)


@njit(cache=True)
def _common_scale(x: FloatArray, longest: int, depth: IntArray) -> int:
    """Return the scale with most maxima; `depth` gets up to which scale each sample is one without a break."""
    depth[: x.size] = 0
    best, most = 0, 0
    for k in range(1, longest + 1):
        count = 0
        for i in range(k, x.size - k):
            if x[i] > x[i - k] and x[i] > x[i + k]:
                count += 1
                depth[i] += depth[i] == k - 1
        if count > most:
            best, most = k, count
    return best
