"""How is a total to be shared between causes that act together?

The value of every coalition of causes is known; each cause gets the mean of what it adds, over all orders in which the
causes could have joined. Such shares sum to the total, and a cause that never adds anything gets none.

References
----------
Shapley LS, "A value for n-person games", Contributions to the Theory of Games II, Princeton, 1953:307-317.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray


def coalitions(n_causes: int) -> BoolArray:
    """Return every coalition, shape (2**n_causes, n_causes): cause k is in row r if bit k of r is set."""
    return (np.arange(2**n_causes)[:, None] >> np.arange(n_causes) & 1).astype(np.bool_)


def shapley_shares(value: FloatArray) -> FloatArray:
    """Share the value of all causes together between them.

    Parameters
    ----------
    value : ndarray, shape (2**n_causes, ...)
        Value of each coalition, in the order of `coalitions`.

    Returns
    -------
    ndarray, shape (n_causes, ...)
        Shares; their sum is ``value[-1] - value[0]``.
    """
    n_coalitions = value.shape[0]
    n_causes = n_coalitions.bit_length() - 1
    if n_coalitions != 2**n_causes:
        raise ValueError(f"{n_coalitions} coalitions are not all of any number of causes: give 2, 4, 8, …")
    member = coalitions(n_causes)
    others = member.sum(axis=1)
    shares = np.empty((n_causes, *value.shape[1:]))
    for k in range(n_causes):
        without = np.flatnonzero(~member[:, k])
        weight = [factorial(s) * factorial(n_causes - s - 1) / factorial(n_causes) for s in others[without]]
        shares[k] = np.tensordot(weight, value[without | 1 << k] - value[without], axes=1)
    return shares
