"""How are several signals of the sympathetic system made into one number?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray

PRIOR_STEPS = 30.0
"""Steps worth of belief that two signals are unrelated, set against the steps on which both were measured."""

LEAST_VARIANCE_SHARE = 0.25
"""Least variance of a sum of signals, as a share of what unrelated ones would give.

Signals that contradict each other cancel; without a floor their small sum would be blown up to a deviation of 1.
"""


def combine(z: Sequence[FloatArray], n_steps: int) -> FloatArray:
    """Add up standardised signals so that the sum has a standard deviation near 1 whichever of them are there.

    Parameters
    ----------
    z : sequence of ndarray, each of shape (n_steps,)
        Signals in standard deviations, up meaning more sympathetic; NaN where one is missing.

    Returns
    -------
    ndarray, shape (n_steps,)
        At each step Σ z / √(1ᵀ R 1) over the signals measured there, R being their correlations in this record; NaN
        where none was measured. For k unrelated signals that is the mean times √k, and for k identical ones the mean.
    """
    index = np.full(n_steps, np.nan)
    if not z:
        return index
    table = np.stack(z)
    measured = np.isfinite(table)
    correlation = _correlations(np.where(measured, table, 0.0), measured)
    there = measured.astype(np.float64)
    variance = np.einsum("it,ij,jt->t", there, correlation, there)
    count = there.sum(axis=0)
    some = count > 0
    total = np.where(measured, table, 0.0).sum(axis=0)
    index[some] = total[some] / np.sqrt(np.maximum(variance, LEAST_VARIANCE_SHARE * count)[some])
    return index


def _correlations(z: FloatArray, measured: BoolArray) -> FloatArray:
    """Correlate each two signals over the steps both have, with outliers drawn in and short records drawn to zero."""
    drawn_in = np.clip(z, -3.0, 3.0)
    products = drawn_in @ drawn_in.T
    squares = drawn_in**2 @ measured.T.astype(np.float64)  # of signal i over the steps that j has too
    joint_steps = measured.astype(np.float64) @ measured.T.astype(np.float64)
    scale = np.sqrt(squares * squares.T)
    correlation = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    correlation *= joint_steps / (joint_steps + PRIOR_STEPS)
    np.fill_diagonal(correlation, 1.0)
    return correlation
