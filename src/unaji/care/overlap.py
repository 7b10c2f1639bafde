"""How far do the days of two phases overlap? Measures for one person that need no model.

They describe; they carry no interval that holds when days resemble their neighbours, and in an unrandomised course a
difference may be drift or regression to the mean.
"""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import FloatArray


def nonoverlap_of_all_pairs(before: FloatArray, after: FloatArray, *, lower_is_better: bool = True) -> float:
    """Share of all pairs of days, one of each phase, of which the later phase's is better; ties count half (NAP).

    Parameters
    ----------
    before, after : ndarray, shape (n_before,) and (n_after,)
        Values of the two phases; NaN is left out.

    Returns
    -------
    float
        0.5 where the phases are alike, 1 where every later day is better; NaN where a phase is empty.

    References
    ----------
    Parker and Vannest, "An improved effect size for single-case research: nonoverlap of all pairs", Behav Ther, 2009.
    doi:10.1016/j.beth.2008.10.006
    """
    return (tau(before, after, lower_is_better=lower_is_better) + 1) / 2


def tau(before: FloatArray, after: FloatArray, *, lower_is_better: bool = True) -> float:
    """Pairs of which the later phase's is better, less those of which it is worse, over all pairs (A versus B).

    References
    ----------
    Parker, Vannest, Davis and Sauber, "Combining nonoverlap and trend for single-case research: Tau-U", Behav Ther,
    2011. doi:10.1016/j.beth.2010.08.006
    """
    a, b = _known(before), _known(after)
    if not a.size or not b.size:
        return float("nan")
    return _direction(lower_is_better) * float(np.sign(b[None, :] - a[:, None]).mean())


def tau_u(before: FloatArray, after: FloatArray, *, lower_is_better: bool = True) -> float:
    """Tau less the trend that the first phase had already (Tau-U, "A versus B minus trend A").

    Notes
    -----
    (S_AB − S_A) / (n_A n_B), with S_AB the better less the worse pairs between the phases and S_A the same of all pairs
    in order of time within the first. It can lie beyond ±1.

    References
    ----------
    Parker et al., 2011, as for `tau`.
    """
    a, b = _known(before), _known(after)
    if not a.size or not b.size:
        return float("nan")
    between = float(np.sign(b[None, :] - a[:, None]).sum())
    trend = float(np.triu(np.sign(a[None, :] - a[:, None])).sum())
    return _direction(lower_is_better) * (between - trend) / (a.size * b.size)


def _known(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _direction(lower_is_better: bool) -> float:
    return -1.0 if lower_is_better else 1.0
