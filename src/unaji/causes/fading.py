"""What is left of the past, where each bin forgets the same share of it.

The recursion of `scipy.signal.lfilter`, to the last bit, without what that module takes to load: a third of the time in
which `unaji` starts.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unaji.records.timeline import FloatArray


def fading_sum(x: FloatArray, keep: float) -> FloatArray:
    """Sum a series up, forgetting exponentially: y_i = x_i + keep · y_{i-1}, from y = 0.

    Parameters
    ----------
    x : ndarray, shape (n_bins,)
        What each bin adds. After a NaN all is NaN.
    keep : float
        What is left of the sum one bin later, from 0 to 1: exp(-bin / time constant).

    Returns
    -------
    ndarray, shape (n_bins,)
        The sum at each bin, in the unit of `x`.
    """
    return _fade(np.ascontiguousarray(x, dtype=float), float(keep))


@njit(cache=True)
def _fade(x: FloatArray, keep: float) -> FloatArray:
    out = np.empty_like(x)
    left = 0.0
    for i in range(x.size):
        left = x[i] + keep * left
        out[i] = left
    return out
