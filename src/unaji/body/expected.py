"""What would be usual here? Air against comfort, and a sensor against what air, activity and time of day explain."""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray

COMFORT_LIMIT_C = 26.0
"""Upper limit of comfort, summer clothing, 1.2 met: 24.5 ± 1.5 °C (ISO 7730:2005, category B) [R]."""
COMFORT_SHIFT_K_PER_MET = 4.0
"""The same table allows 1.5 K less at 1.6 met [R]."""
NEAR_BODY_SHARE_OF_SKIN = 0.3
"""A sensor worn on clothes or bag reads between air and skin (34 °C) [A]."""
NEAR_BODY_SKIN_C = 34.0
RESTING_MET = 1.2
MET_PER_100 = 1.8
"""100 steps a minute are 3 met (Tudor-Locke et al. 2018), so are 100 mg at the wrist (Hildebrand et al. 2014) [R]."""

MIN_REFERENCE_BINS = 288
"""A day of five-minute bins away from episodes is the least from which the usual value is learnt."""
MIN_QUIET_WINDOWS = 30
"""Fewer quiet moments than this teach no covariance."""
LARGEST_SD = 4.0
"""Quiet values beyond so many robust standard deviations are drawn in before their covariance is taken."""


def heat_excess_k(air_temp_c: FloatArray, met: FloatArray, *, near_body: bool) -> FloatArray:
    """Air temperature beyond the limit of comfort at the activity of the moment [K].

    Parameters
    ----------
    air_temp_c : ndarray
        Air temperature; of a sensor near the body where `near_body` is set.
    met : ndarray, same shape
        Metabolic rate [met]; NaN counts as rest.
    """
    limit = COMFORT_LIMIT_C
    if near_body:
        limit = (1 - NEAR_BODY_SHARE_OF_SKIN) * COMFORT_LIMIT_C + NEAR_BODY_SHARE_OF_SKIN * NEAR_BODY_SKIN_C
    active = np.maximum(np.nan_to_num(met, nan=RESTING_MET) - RESTING_MET, 0.0)
    return np.asarray(air_temp_c - limit + COMFORT_SHIFT_K_PER_MET * active)


def met_from_activity(activity: FloatArray) -> FloatArray:
    """Metabolic rate [met] from steps a minute or from movement at the wrist [mg]; both scales agree at 3 met."""
    return np.asarray(RESTING_MET + MET_PER_100 * activity / 100.0)


def expected_value(
    value: FloatArray, air_c: FloatArray, met: FloatArray, local_hour: FloatArray, reference: BoolArray
) -> tuple[FloatArray, float]:
    """Return what air, activity and time of day lead one to expect of a signal of this person.

    Parameters
    ----------
    value, air_c, met, local_hour : ndarray, shape (n_bins,)
        NaN where not measured; `air_c` and `met` may be NaN throughout.
    reference : ndarray of bool, shape (n_bins,)
        Times to learn from: those well away from any episode.

    Returns
    -------
    (ndarray, float)
        Expected value on the whole grid, also where nothing was measured, and the robust standard deviation of what was
        measured around it over the reference; all NaN when there is less than a day to learn from.

    Notes
    -----
    Least squares with the residuals beyond three robust standard deviations left out once. What is missing of air and
    activity is replaced by its mean, so that it neither explains nor excludes anything.
    """
    columns = [np.ones_like(value)]
    for covariate in (air_c, met):
        if np.isfinite(covariate).any():
            columns.append(np.nan_to_num(covariate - np.nanmean(covariate)))
    phase = 2 * np.pi * local_hour / 24
    x = np.column_stack([*columns, np.cos(phase), np.sin(phase)])
    use = reference & np.isfinite(value)
    for _ in range(2):
        if use.sum() < MIN_REFERENCE_BINS:
            return np.full_like(value, np.nan), float("nan")
        coefficients = np.linalg.lstsq(x[use], value[use], rcond=None)[0]
        expected = x @ coefficients
        difference = value - expected
        sd = _robust_sd(difference[use])
        use = use & (np.abs(difference) < 3 * max(sd, 1e-6))
    return np.asarray(expected), sd


def window_means(value: FloatArray, windows: tuple[tuple[int, int], ...], at: FloatArray | list[int]) -> FloatArray:
    """Return the mean of what is known in each window around each bin.

    Parameters
    ----------
    value : ndarray, shape (n_bins,)
    windows : tuple of (int, int)
        First bin and the one after the last, relative to the bin asked for.
    at : sequence of int, length n

    Returns
    -------
    ndarray, shape (n, n_windows)
        NaN where a window holds nothing.
    """
    known = np.isfinite(value)
    total = np.append(0.0, np.cumsum(np.where(known, value, 0.0)))
    count = np.append(0, np.cumsum(known))
    where = np.asarray(at, dtype=np.int64)[:, None]
    first, last = (np.clip(where + np.array([w[k] for w in windows]), 0, value.size) for k in (0, 1))
    n = count[last] - count[first]
    return np.asarray(np.where(n > 0, (total[last] - total[first]) / np.maximum(n, 1), np.nan))


def quiet_covariance(
    difference: FloatArray, windows: tuple[tuple[int, int], ...], reference: BoolArray
) -> FloatArray | None:
    """Return how the means over an episode's windows scatter together at quiet times, shape (n_windows, n_windows).

    None when there are too few quiet moments to learn it from. A gust of outliers is drawn in, not left out, so that
    a person's restless hours count.
    """
    low, high = min(w[0] for w in windows), max(w[1] for w in windows)
    at = np.flatnonzero(reference)
    at = at[(at + low >= 0) & (at + high <= difference.size)][:: max(1, (high - low) // 4)]
    means = window_means(difference, windows, list(at))
    means = means[np.isfinite(means).all(axis=1)]
    if len(means) < MIN_QUIET_WINDOWS:
        return None
    centred = means - np.median(means, axis=0)
    reach = LARGEST_SD * np.array([_robust_sd(column) for column in centred.T])
    return np.asarray(np.cov(np.clip(centred, -reach, reach), rowvar=False))


def _robust_sd(value: FloatArray) -> float:
    return 1.4826 * float(np.median(np.abs(value - np.median(value))))
