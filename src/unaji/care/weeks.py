"""How many episodes were to be expected in each week, with the treatment there was and without any?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from unaji.causes.attribution import Estimate
from unaji.causes.grid import bin_of
from unaji.causes.posterior import Posterior
from unaji.records.timeline import BoolArray, FloatArray, Interval

DAYS = 7


@dataclass(frozen=True, slots=True)
class ExpectedWeek:
    """What the fitted model says of one week, counted from the first day of the period.

    All numbers are for the time on record alone, so that they compare with what was counted in it.

    Attributes
    ----------
    number : int
        1 for the first.
    fitted : float
        Mean number of episodes, weather, work, sessions and all else being as they were.
    without : Estimate
        The same without any session: mean, and the central 90 % of the counts such a week would bring. The ends are
        whole numbers, so the interval holds 90 % or somewhat more.
    treated : bool
        Whether any session, of that week or before, still acts in it.
    """

    number: int
    fitted: float
    without: Estimate
    treated: bool


def expected_weeks(posterior: Posterior, period: Interval, rng: Generator) -> tuple[ExpectedWeek, ...]:
    """Work out each week that has any time on record; the others are left out.

    Parameters
    ----------
    posterior : Posterior
        Draws of one person's parameters.
    period : Interval
        From the first local midnight to the last; weeks are counted from its start.
    rng : Generator
        For the counts that are drawn.

    Notes
    -----
    In draw s, day d has the mean Λ_d = Σ_c a_c X_dc, times exp(−δ_m D_dm) for each damper m: a kind of treatment, or an
    exposure that protects. Without treatment only the latter are left. Earlier episodes stay as they were, so echoes of
    episodes that the sessions may have prevented are not added. A count of a week is drawn from the posterior
    predictive distribution, N ~ Poisson(Σ_d u_d Λ_d) with new day multipliers u_d ~ Gamma(ν, ν): not an interval of the
    mean but one in which nine of ten such counts lie (Gelman et al., Bayesian Data Analysis, 3rd ed., section 1.3).
    """
    week, recorded = _week_of_day(posterior, period)
    load = _daily_load(posterior)
    treatments = len(posterior.design.courses)
    without = load * _kept(posterior, range(treatments, len(posterior.dampers)))
    fitted = (without * _kept(posterior, range(treatments))).mean(axis=0)
    u = rng.gamma(posterior.nu[:, None], 1 / posterior.nu[:, None], load.shape)
    first_treated = _first_treated_day(posterior)
    found = []
    for index in np.unique(week[recorded]):
        days = recorded & (week == index)
        counts = rng.poisson((without * u)[:, days].sum(axis=1))
        low, high = np.quantile(counts, [0.05, 0.95], method="inverted_cdf")
        mean = float(without[:, days].sum(axis=1).mean())
        treated = bool(np.flatnonzero(week == index)[-1] >= first_treated)
        found.append(
            ExpectedWeek(int(index) + 1, float(fitted[days].sum()), Estimate(mean, float(low), float(high)), treated)
        )
    return tuple(found)


def _week_of_day(posterior: Posterior, period: Interval) -> tuple[NDArray[np.int64], BoolArray]:
    """Return the week of each local day, 0 for the first, and whether it is in the period and on record at all."""
    grid = posterior.design.grid
    first = int(grid.day[max(0, bin_of(grid, period.start))])
    last = int(grid.day[min(grid.n_bins, bin_of(grid, period.end)) - 1])
    day = np.arange(grid.n_days)
    observed = np.bincount(grid.day, weights=grid.observed, minlength=grid.n_days) > 0
    return (day - first) // DAYS, observed & (day >= first) & (day <= last)


def _daily_load(posterior: Posterior) -> FloatArray:
    """Mean episodes of each day before any multiplier, shape (n_draws, n_days)."""
    day_x = posterior.tables.day_x
    load = np.zeros((len(posterior.z), day_x.shape[0]))
    for c in range(day_x.shape[1]):
        on = posterior.z[:, c]
        load[on] += posterior.amplitude[on, c, None] * day_x[:, c, :].T[posterior.entry[on, c]]
    return load


def _kept(posterior: Posterior, dampers: range) -> FloatArray:
    """Return what some of the dampers leave of each day's rate, shape (n_draws, n_days)."""
    log_kept = np.zeros((len(posterior.z), posterior.tables.day_x.shape[0]))
    for m in dampers:
        log_kept -= posterior.delta[:, m, None] * posterior.dampers[m].dose[posterior.tau[:, m]]
    return np.exp(log_kept)


def _first_treated_day(posterior: Posterior) -> int:
    """Return the first day with any dose of treatment; beyond the last where there is none."""
    doses = [damper.dose.any(axis=0) for damper in posterior.dampers[: len(posterior.design.courses)]]
    days = np.flatnonzero(np.any(doses, axis=0)) if doses else np.zeros(0, dtype=np.int64)
    return int(days[0]) if days.size else posterior.design.grid.n_days
