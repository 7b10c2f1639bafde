"""Other ways to look for causes in the same records, each as a careful analyst would set it up with ordinary libraries.

Every method gives each exposure one score; the higher, the more of a cause. All of them see signals filled like the
engine's, know each exposure's plausible range of lags, and count only observed time. NaN: could not be scored.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import shap
from scipy.optimize import minimize
from scipy.stats import pearsonr, spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GroupKFold
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.duration.hazard_regression import PHReg

from unaji.causes.design import BIN_MIN, Design, Trigger
from unaji.causes.features import build_tables
from unaji.causes.grid import bin_of

ROW_BINS = 6
"""Regressions on time take rows of half an hour."""
STRATUM_D = 28
FOLDS = 5
PENALTIES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Prices of one expected episode in the Poisson lasso, in units of log likelihood."""


@dataclass(frozen=True, eq=False)
class Records:
    """One person's records. Shapes: k exposures, n onsets, b bins of five minutes.

    Attributes
    ----------
    exposure : ndarray, shape (k, b)
        Filled.
    recent : ndarray, shape (3, k, b)
        Mean (of a dose: sum) over a trailing window of twice the lowest, the middle and the highest plausible mean lag.
    onset : ndarray of int, shape (n,)
        Bins of the onsets.
    """

    exposure: np.ndarray
    recent: np.ndarray
    dose: np.ndarray
    onset: np.ndarray
    observed: np.ndarray
    hour: np.ndarray
    day: np.ndarray
    day_off: np.ndarray
    design: Design


def prepare(design: Design) -> Records:
    """Fill the signals and take trailing means."""
    grid = design.grid
    onset = np.array([bin_of(grid, o.time) for o in design.onsets], dtype=np.int64)
    observed = grid.observed.copy()
    observed[onset] = True
    exposure = np.stack([_filled(t, grid.local_hour, grid.day_off) for t in design.triggers])
    recent = np.stack([[_trailing(e, 2 * lag(t.lag_min)) for t, e in zip(design.triggers, exposure, strict=True)]
                       for lag in (min, lambda r: np.sqrt(r[0] * r[1]), max)])  # fmt: skip
    dose = np.array([t.kind == "dose" for t in design.triggers])
    return Records(exposure, recent, dose, onset, observed, grid.local_hour, grid.day, grid.day_off, design)


def daily_pearson(records: Records) -> np.ndarray:
    """Correlate the day's mean exposure with its rate of episodes; scored by Fisher's z over its standard error."""
    return _daily(records, lambda x, y: pearsonr(x, y).statistic)


def daily_spearman(records: Records) -> np.ndarray:
    """Correlate the ranks of the same."""
    return _daily(records, lambda x, y: spearmanr(x, y).statistic)


def case_crossover_single(records: Records) -> np.ndarray:
    """Conditional logistic regression of onsets against the same clock time on like days, one exposure at a time."""
    x, y, group = _matched(records)
    return np.array([_conditional(x[:, [k]], y, group)[0] for k in range(x.shape[1])])


def case_crossover_joint(records: Records) -> np.ndarray:
    """Conditional logistic regression with all exposures together."""
    x, y, group = _matched(records)
    score = np.full(x.shape[1], np.nan)
    varies = np.ptp(x, axis=0) > 0
    score[varies] = _conditional(x[:, varies], y, group)
    return score


def cox_by_day(records: Records) -> np.ndarray:
    """Recurrent-event Cox regression (Andersen, Gill) on the clock: each day is a subject with its mean exposures."""
    daily, _, days = _by_day(records)
    start, stop, event, row = [], [], [], []
    for r, day in enumerate(days):
        bins = np.flatnonzero((records.day == day) & records.observed)
        edges = np.unique([bins[0], *(records.onset[records.day[records.onset] == day] + 1), bins[-1] + 1])
        onsets = set(records.onset + 1)
        for a, b in pairwise(edges):
            start.append(records.hour[a])
            stop.append(records.hour[a] + (b - a) * BIN_MIN / 60)
            event.append(b in onsets)
            row.append(r)
    x = _standard(daily.T)[row]
    score = np.full(x.shape[1], np.nan)
    varies = np.ptp(x, axis=0) > 0
    model = PHReg(np.array(stop), x[:, varies], np.array(event, dtype=float), entry=np.array(start))
    fit = _quietly(lambda: model.fit(disp=0))
    if fit is not None:
        score[varies] = _wald(fit.params, fit.bse)
    return score


def l1_logistic(records: Records) -> np.ndarray:
    """L1 logistic regression of half hours on exposures over three windows and the clock, penalty by cross-validation.

    Scored by the sum of the positive standardised coefficients of an exposure.
    """
    x, y, days = _rows(records)
    if y.sum() < FOLDS:
        return np.full(records.exposure.shape[0], np.nan)
    clock = _clock(records)
    model = LogisticRegressionCV(
        Cs=np.logspace(-3, 0.5, 12), l1_ratios=(1.0,), solver="liblinear", scoring="neg_log_loss",
        cv=list(GroupKFold(FOLDS).split(x, y, days)), use_legacy_attributes=False, max_iter=500,
    )  # fmt: skip
    fit = _quietly(lambda: model.fit(np.hstack([_standard(x), _standard(clock)]), y))
    if fit is None:
        return np.full(records.exposure.shape[0], np.nan)
    coefficients = np.ravel(fit.coef_)[: x.shape[1]].reshape(3, -1)
    return np.maximum(coefficients, 0.0).sum(axis=0)


def boosted_trees(records: Records) -> np.ndarray:
    """Boosted trees on the same rows; scored by the mean SHAP value of an exposure at onsets it was not trained on."""
    x, y, days = _rows(records)
    if y.sum() < FOLDS:
        return np.full(records.exposure.shape[0], np.nan)
    full = np.hstack([x, _clock(records)])
    values = np.zeros_like(full)
    for train, test in GroupKFold(FOLDS).split(full, y, days):
        model = HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.05,
            max_leaf_nodes=6,
            min_samples_leaf=20,
            l2_regularization=1.0,
            random_state=0,
        ).fit(full[train], y[train])
        values[test] = shap.TreeExplainer(model).shap_values(full[test])
    by_exposure = values[:, : x.shape[1]].reshape(y.size, 3, -1).sum(axis=1)
    return by_exposure[y].mean(axis=0) - by_exposure[~y].mean(axis=0)


def poisson_lasso(records: Records) -> np.ndarray:
    """Non-negative lasso of a Poisson process on the engine's own features.

    Penalties are weighed by the likelihood of days left out: the best one alone leaves most exposures at nothing.

    No library fits a penalised Poisson process with identity link and bounds; the log likelihood is concave.
    Scored by the expected episodes of an exposure.
    """
    tables = build_tables(records.design)
    n, components, entries = tables.onset_e.shape
    used = np.isfinite(tables.log_prior).ravel()
    at_onset = tables.onset_e.reshape(n, -1)[:, used]
    by_day = tables.day_x.reshape(-1, components * entries)[:, used]
    owner = np.repeat(np.arange(components), entries)[used]
    priced = owner >= tables.n_background
    fold = np.arange(by_day.shape[0]) % FOLDS
    held = np.zeros(len(PENALTIES))
    for p, penalty in enumerate(PENALTIES):
        held[p] = np.mean(
            [_held_out(at_onset, by_day, tables.onset_day, fold == f, penalty * priced) for f in range(FOLDS)]
        )
    weight = np.exp(held - held.max())
    amplitude = np.average(
        [_poisson(at_onset, by_day.sum(axis=0), p * priced) for p in PENALTIES], axis=0, weights=weight
    )
    explained = np.bincount(owner, weights=amplitude, minlength=components)
    score = np.full(len(tables.state), np.nan)
    for k, name in enumerate(tables.state):
        standing = tables.alias.get(name, name)
        if standing in tables.triggers:
            score[k] = explained[tables.n_background + tables.triggers.index(standing)]
    return score


METHODS: dict[str, Callable[[Records], np.ndarray]] = {
    "daily Pearson": daily_pearson,
    "daily Spearman": daily_spearman,
    "case-crossover, one at a time": case_crossover_single,
    "case-crossover, jointly": case_crossover_joint,
    "recurrent-event Cox by day": cox_by_day,
    "L1 logistic": l1_logistic,
    "boosted trees with SHAP": boosted_trees,
    "non-negative Poisson lasso": poisson_lasso,
}


def _filled(trigger: Trigger, hour: np.ndarray, day_off: np.ndarray) -> np.ndarray:
    """Carry a level forward as long as it may be, then take the person's usual value of the hour and kind of day."""
    if trigger.kind == "dose":
        return np.nan_to_num(trigger.value)
    series = pd.Series(trigger.value).ffill(limit=int(trigger.hold_min // BIN_MIN))
    clock = hour.astype(int)
    series = series.fillna(series.groupby([clock, day_off]).transform("mean"))
    series = series.fillna(series.groupby(clock).transform("mean")).fillna(series.mean())
    return series.fillna(0.0).to_numpy()


def _trailing(exposure: np.ndarray, minutes: float) -> np.ndarray:
    window = max(3, round(minutes / BIN_MIN))
    return pd.Series(exposure).rolling(window, min_periods=1).mean().to_numpy()


def _by_day(records: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean exposures (k, d) and episodes per observed hour (d,) of the days with at least two observed hours."""
    hours = np.bincount(records.day, weights=records.observed) * BIN_MIN / 60
    days = np.flatnonzero(hours >= 2)
    count = np.bincount(records.day[records.onset], minlength=hours.size)
    weight = np.where(records.dose[:, None], 1.0, records.observed)
    total = np.stack([np.bincount(records.day, weights=e * w) for e, w in zip(records.exposure, weight, strict=True)])
    time = np.stack([np.bincount(records.day, weights=w) for w in weight])
    return (total / np.maximum(time, 1))[:, days], count[days] / hours[days], days


def _daily(records: Records, correlation: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    daily, rate, days = _by_day(records)
    if np.ptp(rate) == 0:
        return np.full(daily.shape[0], np.nan)
    r = np.array([correlation(x, rate) if np.ptp(x) > 0 else np.nan for x in daily])
    return np.arctanh(np.clip(r, -0.999, 0.999)) * np.sqrt(max(days.size - 3, 1))


def _matched(records: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return exposures over the middle window at each onset and at its clock time on like days of its four weeks."""
    recent = _standard(records.recent[1].T)
    like = records.day // STRATUM_D * 2 + records.day_off
    x, y, group = [], [], []
    per_day = 1440 // BIN_MIN
    for i, onset in enumerate(records.onset):
        same_time = np.arange(onset % per_day, records.day.size, per_day)
        control = same_time[(like[same_time] == like[onset]) & records.observed[same_time]]
        control = control[~np.isin(control, records.onset)]
        x.append(recent[[onset, *control]])
        y.append(np.r_[1, np.zeros(control.size, dtype=int)])
        group.append(np.full(control.size + 1, i))
    return np.concatenate(x), np.concatenate(y), np.concatenate(group)


def _conditional(x: np.ndarray, y: np.ndarray, group: np.ndarray) -> np.ndarray:
    nothing = np.full(x.shape[1], np.nan)
    if not x.size or (x.std(axis=0) == 0).any():
        return nothing
    fit = _quietly(lambda: ConditionalLogit(y, x, groups=group).fit(disp=0, method="bfgs"))
    return nothing if fit is None else _wald(fit.params, fit.bse)


def _rows(records: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return exposures (r, 3 k), onset or not (r,), and the day (r,) of the observed half hours."""
    kept, onset = _half_hours(records)
    middle = kept * ROW_BINS + ROW_BINS // 2
    x = records.recent[:, :, middle].reshape(-1, middle.size).T
    return x, onset[kept], records.day[middle]


def _half_hours(records: Records) -> tuple[np.ndarray, np.ndarray]:
    observed = records.observed.reshape(-1, ROW_BINS).mean(axis=1) >= 0.5
    onset = np.bincount(records.onset // ROW_BINS, minlength=observed.size) > 0
    return np.flatnonzero(observed | onset), onset


def _clock(records: Records) -> np.ndarray:
    kept, _ = _half_hours(records)
    angle = 2 * np.pi * records.hour[kept * ROW_BINS] / 24
    waves = [f(h * angle) for h in (1, 2) for f in (np.sin, np.cos)]
    return np.stack([*waves, records.day_off[kept * ROW_BINS].astype(float)], axis=1)


def _standard(x: np.ndarray) -> np.ndarray:
    sd = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(sd > 0, sd, 1.0))


def _wald(estimate: np.ndarray, error: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(error) & (error > 0), estimate / np.where(error > 0, error, 1.0), np.nan)


def _quietly(fit: Callable):
    """Fit; None when the likelihood has no maximum that the library can find (few episodes, collinear exposures)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return fit()
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError, OverflowError):
            return None


def _poisson(at_onset: np.ndarray, exposure: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Maximise Σ log(E a) − (X + price) · a over a ≥ 0."""
    cost = exposure + price

    def loss(a: np.ndarray) -> tuple[float, np.ndarray]:
        rate = np.maximum(at_onset @ a, 1e-300)
        return float(cost @ a - np.log(rate).sum()), cost - at_onset.T @ (1 / rate)

    start = np.full(cost.size, at_onset.shape[0] / cost.size) / np.maximum(cost, 1e-9)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * cost.size, options={"maxiter": 500})
    return np.asarray(found.x)


def _held_out(
    at_onset: np.ndarray, by_day: np.ndarray, onset_day: np.ndarray, out: np.ndarray, price: np.ndarray
) -> float:
    """Log likelihood of the days left out."""
    left = out[onset_day]
    a = _poisson(at_onset[~left], by_day[~out].sum(axis=0), price)
    return float(np.log(np.maximum(at_onset[left] @ a, 1e-12)).sum() - by_day[out].sum(axis=0) @ a)
