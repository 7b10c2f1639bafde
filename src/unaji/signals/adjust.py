"""What is left of a signal once movement, time of day, sleep and warmth are taken out?

A person's own signal is regressed on these over the whole record (Brown 2018: the whole day told stress apart better
than calibration on a part of it), robustly, so that the stressful hours that are looked for do not bend the line that
they are measured against. What is left is the "additional" heart rate of Myrtek and Verkuil, and likewise for the other
signals.

References
----------
Myrtek M, Brügner G, "Perception of emotions in everyday life", Biol Psychol, 1996;42:147-164.
Verkuil B et al., "Prolonged non-metabolic heart rate variability reduction as a physiological marker of psychological
stress in daily life", Ann Behav Med, 2016;50:704-714.
Brown SBRE et al., Int J Psychophysiol, 2018;131:30 (fits of the personal relation of RMSSD to movement compared).
Cornelissen G, "Cosinor-based rhythmometry", Theor Biol Med Model, 2014;11:16. doi:10.1186/1742-4682-11-16
"""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray

RIDGE_STEPS = 10.0
"""Strength of the pull towards no effect, as that many steps of data that speak against one.

It matters in records of an hour or two, where a dozen steps could be explained by anything, and not in records of days.
"""

HUBER_SD = 1.345
"""Residuals beyond this many robust standard deviations lose weight (95 % efficient where nothing stands out)."""

ROUNDS = 20
"""Most rounds of reweighting; it has settled long before."""

MIN_STEPS = 6
"""Fewest steps of a signal from which a person's own level and spread are taken."""

MAD_TO_SD = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


def lagged(x: FloatArray, steps: int) -> FloatArray:
    """Return x as it was `steps` ago; NaN before its start."""
    if steps == 0:
        return x
    return np.concatenate((np.full(min(steps, x.size), np.nan), x[:-steps]))


def day_waves(local_hour: FloatArray) -> list[FloatArray]:
    """Return the 24-hour and 12-hour waves of a cosinor at each local time of day [h]."""
    angle = 2.0 * np.pi * local_hour / 24.0
    return [np.cos(angle), np.sin(angle), np.cos(2.0 * angle), np.sin(2.0 * angle)]


def unexplained(y: FloatArray, covariates: list[FloatArray]) -> FloatArray:
    """Return how far a signal stands above what the covariates explain, in the person's own standard deviations.

    Parameters
    ----------
    y : ndarray, shape (n,)
        The signal; NaN where it was not measured.
    covariates : list of ndarray, each of shape (n,)
        What it is adjusted for. Where one was not measured it is taken at its mean, and a column of its own says that
        it was not, so that steps without it are compared with each other.

    Returns
    -------
    ndarray, shape (n,)
        Residual over its robust standard deviation (1.4826 times the median absolute deviation); NaN where y is NaN,
        and everywhere when fewer than `MIN_STEPS` steps were measured or the signal never changes.
    """
    measured = np.isfinite(y)
    result = np.full(y.size, np.nan)
    if measured.sum() < MIN_STEPS:
        return result
    target = y[measured]
    residual = target - _robust_fit(target, _columns(covariates, measured))
    spread = _robust_sd(residual)
    if spread > 1e-9 * max(1.0, float(np.abs(target).max())):
        result[measured] = residual / spread
    return result


def _columns(covariates: list[FloatArray], measured: BoolArray) -> FloatArray:
    """Standardise the covariates at the measured steps; leave out what is constant there."""
    columns = []
    for covariate in covariates:
        x = covariate[measured]
        known = np.isfinite(x)
        if known.any():
            columns.append(np.where(known, x - x[known].mean(), 0.0))
            columns.append(known - known.mean())
    columns = [column / column.std() for column in columns if column.std() > 1e-9]
    # Lags of one covariate are missing together, but for the first steps: equal columns share one effect.
    return np.column_stack(columns) if columns else np.zeros((int(measured.sum()), 0))


def _robust_fit(y: FloatArray, x: FloatArray) -> FloatArray:
    """Fit y by x with Huber's weights and a ridge on all but the level; return the fitted values."""
    x = np.column_stack((np.ones(y.size), x))
    weight = np.ones(y.size)
    penalty = RIDGE_STEPS * np.eye(x.shape[1])
    penalty[0, 0] = 0.0
    fitted = np.full(y.size, np.median(y))
    for _ in range(ROUNDS):
        weighted = x * weight[:, None]
        previous, fitted = fitted, x @ np.linalg.solve(x.T @ weighted + penalty, weighted.T @ y)
        residual = y - fitted
        spread = _robust_sd(residual)
        if spread == 0.0 or np.abs(fitted - previous).max() < 1e-6 * spread:
            break
        weight = np.minimum(1.0, HUBER_SD * spread / np.maximum(np.abs(residual), 1e-300))
    return fitted


def _robust_sd(residual: FloatArray) -> float:
    mad = float(np.median(np.abs(residual - np.median(residual))))
    return MAD_TO_SD * mad if mad > 0.0 else float(residual.std())
