"""Did a 0–10 rating really get better, by how much, and how much of it would have come anyway?

**Minimal important difference.** unaji's own 0–10 items (heat felt at the nape, stiffness and the others) have never
been validated; what is known is of the 0–10 numerical rating of pain, which they copy. There, one point (15 %) was what
people called "slightly better" and two points (33 %) "much better" (Salaffi); two points or 30 % marked a clinically
important improvement by consensus (Ostelo), and changes were related to how people judged them in ten trials (Farrar).
Hence: a difference of one point (`MINIMAL_POINTS`) matters; a person has responded when the item got better by 30 % of
its baseline (`RESPONSE_SHARE`) and by one point at least.

**Regression to the mean.** People seek help when it is bad, and bad spells pass. What would have passed by itself is
shown beside the change that was seen.

References
----------
Farrar et al., "Clinical importance of changes in chronic pain intensity measured on an 11-point numerical pain rating
scale", Pain, 2001. doi:10.1016/S0304-3959(01)00349-9
Salaffi et al., "Minimal clinically important changes in chronic musculoskeletal pain intensity measured on a numerical
rating scale", Eur J Pain, 2004. doi:10.1016/j.ejpain.2003.09.004
Ostelo et al., "Interpreting change scores for pain and functional status in low back pain", Spine, 2008.
doi:10.1097/BRS.0b013e31815e3a10
Barnett, van der Pols and Dobson, "Regression to the mean: what it is and how to deal with it", Int J Epidemiol, 2005.
doi:10.1093/ije/dyh299
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import numpy as np
from scipy.special import ndtr, stdtrit

from unaji.care.treatment import began_at_worst
from unaji.care.trial import BETTER_WHEN_HIGHER, MINIMAL_POINTS
from unaji.records.timeline import FloatArray, Timeline

RESPONSE_SHARE = 0.30
"""Improvement, as a share of the baseline, from which a person counts as having responded."""
WINDOW_D = 14
"""Days before the first session, and days that end the record, whose means are compared."""
FEWEST_DAYS = 5
"""Days with a rating that either window needs."""
FEWEST_EARLIER_DAYS = 21
"""Days with a rating before the first session from which a person's own usual level can be told."""
RELIABLE_Z = 1.645
"""A change beyond this many standard errors is called reliable (90 %, two-sided)."""


@dataclass(frozen=True, slots=True)
class ItemCourse:
    """One item before and after the sessions; changes are after minus before, in points.

    Attributes
    ----------
    item, kind : str
        Name of the rating, and of the treatment.
    before, after : float
        Mean of the 14 days before the first session, and of the last 14 days on record.
    days_before, days_after : int
        Days with a rating among them.
    change : float
    important : bool
        Whether it got better by at least the minimal important difference.
    responded : bool
        Whether it got better by 30 % of the baseline and by one point.
    reliable : bool
        Whether the change exceeds what days that resemble their neighbours would make it (90 %).
    standard_error : float
        Of the change [points].
    regression : float
        Change to expect without any treatment, given how things were when it began; NaN where the earlier record is
        too short to tell the usual level.
    beyond_regression : float
        What is left of the change; NaN as above.
    after_worst_fortnight : bool
        Whether the course began within or right after the worst two weeks: part of any improvement is then regression
        to the mean.
    """

    item: str
    kind: str
    before: float
    after: float
    days_before: int
    days_after: int
    change: float
    important: bool
    responded: bool
    reliable: bool
    standard_error: float
    regression: float
    beyond_regression: float
    after_worst_fortnight: bool

    @property
    def low(self) -> float:
        """Lower end of the 90 % interval of the change [points]."""
        return self.change - RELIABLE_Z * self.standard_error

    @property
    def high(self) -> float:
        """Upper end of it."""
        return self.change + RELIABLE_Z * self.standard_error


def item_courses(timeline: Timeline) -> tuple[ItemCourse, ...]:
    """Compare every item that was rated often enough around the first session of every kind of treatment."""
    kinds, items = ({t.kind for t in timeline.treatments}, {r.quantity for r in timeline.ratings})
    courses = (item_course(timeline, item, kind) for kind in sorted(kinds) for item in sorted(items))
    return tuple(course for course in courses if course is not None)


def item_course(timeline: Timeline, item: str, kind: str) -> ItemCourse | None:
    """Compare an item before the first session of a kind and at the end of the record.

    Parameters
    ----------
    item : str
        Name of `unaji.quantities.RATINGS`.
    kind : str
        Of the sessions, as in ``treatments.csv``.

    Returns
    -------
    ItemCourse or None
        None without a session, or with fewer than 5 rated days in either window.
    """
    zones = timeline.zones
    sessions = [zones.local(t.time).date() for t in timeline.treatments if t.kind == kind]
    rated = sorted((zones.local(r.time).date(), r.value) for r in timeline.ratings_of(item))
    if not sessions or not rated:
        return None
    daily = {day: float(np.mean([v for _, v in rows])) for day, rows in groupby(rated, key=lambda row: row[0])}
    first, last = min(sessions), max(daily)
    series = _by_day(daily, min(daily), last)
    start = (first - min(daily)).days
    earlier, after = series[: max(start, 0)], series[max(series.size - WINDOW_D, start + 1) :]
    before = earlier[-WINDOW_D:]
    n_before, n_after = int(np.isfinite(before).sum()), int(np.isfinite(after).sum())
    if min(n_before, n_after) < FEWEST_DAYS:
        return None
    better = 1.0 if item in BETTER_WHEN_HIGHER else -1.0
    change = float(np.nanmean(after) - np.nanmean(before))
    error = float(np.hypot(error_of_mean(before, series), error_of_mean(after, series)))
    expected = expected_regression(earlier, days_ahead=series.size - after.size - start, window_d=after.size)
    return ItemCourse(
        item=item,
        kind=kind,
        before=float(np.nanmean(before)),
        after=float(np.nanmean(after)),
        days_before=n_before,
        days_after=n_after,
        change=change,
        important=better * change >= MINIMAL_POINTS,
        responded=has_responded(float(np.nanmean(before)), float(np.nanmean(after)), higher_is_better=better > 0),
        reliable=abs(change) > RELIABLE_Z * error,
        standard_error=error,
        regression=expected,
        beyond_regression=change - expected,
        after_worst_fortnight=began_at_worst(np.nan_to_num(-better * series), np.isfinite(series).astype(float), start),
    )


def has_responded(before: float, after: float, *, higher_is_better: bool = False) -> bool:
    """Whether an item got better by 30 % of its baseline and by one point at least; False where a value is missing."""
    gain = (after - before) if higher_is_better else (before - after)
    return bool(gain >= max(RESPONSE_SHARE * before, MINIMAL_POINTS))


def responder_share(before: FloatArray, after: FloatArray, share: float) -> float:
    """Share of the people whose score fell by at least `share` of its baseline, of those whose later score is known.

    Parameters
    ----------
    before, after : ndarray, shape (n_people,)
        Scores, lower is better; NaN where missing.
    """
    known = np.isfinite(before) & np.isfinite(after)
    if not known.any():
        return float("nan")
    return float((before[known] - after[known] >= share * before[known]).mean())


def reliable_change(before: float, after: float, *, sd: float, reliability: float) -> float:
    """Change over its standard error of measurement: beyond ±1.96 it is hardly an error of measurement.

    Parameters
    ----------
    sd : float
        Standard deviation of the score among people before treatment.
    reliability : float
        Test-retest reliability, 0 to 1.

    Notes
    -----
    RC = (after − before) / √(2 sd² (1 − reliability)).

    References
    ----------
    Jacobson and Truax, "Clinical significance: a statistical approach to defining meaningful change in psychotherapy
    research", J Consult Clin Psychol, 1991. doi:10.1037/0022-006X.59.1.12
    """
    return (after - before) / float(np.sqrt(2 * sd**2 * (1 - reliability)))


# -- regression to the mean --------------------------------------------------------------------------------------------


def regression_of_selected(
    cut: float, *, mean: float, between_sd: float, within_sd: float, above: bool = True, n_baseline: int = 1
) -> float:
    """Expected change of people who were let in because their baseline lay beyond a cut, nothing else happening.

    Parameters
    ----------
    cut : float
        Baselines above it (below it with ``above=False``) were let in.
    mean, between_sd, within_sd : float
        Of the whole population: mean, spread of the people's true values, and of one person's measurements.
    n_baseline : int
        Measurements whose mean is the baseline.

    Returns
    -------
    float
        Later minus baseline: negative where high values were let in.

    Notes
    -----
    Equation (1) of Barnett: (σ_w²/n) / √(σ_b² + σ_w²/n) · φ(z) / (1 − Φ(z)), z the cut in standard deviations of the
    baseline.
    """
    noise = within_sd**2 / n_baseline
    total = float(np.sqrt(between_sd**2 + noise))
    z = (cut - mean) / total if above else (mean - cut) / total
    hazard = float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / ndtr(-z))
    return (-1.0 if above else 1.0) * noise / total * hazard


def expected_regression(earlier: FloatArray, *, days_ahead: int, window_d: int) -> float:
    """Change of one person's mean to expect by itself, from the fortnight before a course to a later window.

    Parameters
    ----------
    earlier : ndarray, shape (n_days,)
        Daily rating up to the day before the course; NaN on days without one.
    days_ahead : int
        Days from the start of the course to the first of the later window.
    window_d : int
        Length of the later window.

    Returns
    -------
    float
        Later mean minus the fortnight's; NaN with fewer than 21 rated days, of which a usual level cannot be told.

    Notes
    -----
    The days are taken as a first-order autoregression about the person's own mean μ, with ρ the correlation of
    neighbouring days. From the last rated day x the expected value h days on is μ + ρ^h (x − μ); its mean over the
    later window, less the mean of the last fortnight, is the regression. The usual level is taken from the same days,
    the bad spell among them, so that the regression is told a little too small: of simulated people who began right
    after their worst fortnight, four fifths of what passed by itself was expected.
    """
    known = np.isfinite(earlier)
    if int(known.sum()) < FEWEST_EARLIER_DAYS or not known[-WINDOW_D:].any():
        return float("nan")
    usual, rho = float(earlier[known].mean()), neighbour_correlation(earlier)
    last = int(np.flatnonzero(known)[-1])
    ahead = (earlier.size - last) + days_ahead + np.arange(window_d)
    later = usual + float((rho**ahead).mean()) * (float(earlier[last]) - usual)
    return later - float(np.nanmean(earlier[-WINDOW_D:]))


def neighbour_correlation(daily: FloatArray) -> float:
    """Correlation of a day with the next, 0 to 0.95, from the pairs of rated days; 0 with fewer than ten pairs."""
    both = np.isfinite(daily[:-1]) & np.isfinite(daily[1:])
    spread = float(np.nanvar(daily))
    if int(both.sum()) < 10 or spread == 0:
        return 0.0
    off = daily - np.nanmean(daily)
    return float(np.clip(np.mean(off[:-1][both] * off[1:][both]) / spread, 0.0, 0.95))


def error_of_mean(window: FloatArray, daily: FloatArray) -> float:
    """Standard error of a window's mean [points] where days resemble their neighbours.

    Notes
    -----
    sd² / n · (1 + ρ) / (1 − ρ), with sd the spread of the whole series about its own slow level and ρ its correlation
    of neighbouring days: the large-sample variance of the mean of a first-order autoregression.

    References
    ----------
    Bayley and Hammersley, "The effective number of independent observations in an autocorrelated time series", Suppl J
    R Stat Soc, 1946. doi:10.2307/2983560
    """
    n = int(np.isfinite(window).sum())
    halves = [part - np.nanmean(part) for part in np.array_split(daily, 2) if np.isfinite(part).any()]
    level = np.concatenate(halves)
    rho = neighbour_correlation(level)
    return float(np.sqrt(np.nanvar(level, ddof=1) / n * (1 + rho) / (1 - rho)))


def _by_day(daily: dict[date, float], first: date, last: date) -> FloatArray:
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    return np.array([daily.get(day, np.nan) for day in days])


# -- a group trial -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AdjustedDifference:
    """Treated minus control at the same baseline.

    Attributes
    ----------
    estimate, standard_error, low, high : float
        In the score's unit, with the ends of the interval.
    slope : float
        Follow-up per unit of baseline; 1 − slope is the regression to the mean within the groups.
    n : int
        People whose follow-up is known.
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    slope: float
    n: int


def adjusted_difference(
    baseline: FloatArray, follow_up: FloatArray, treated: FloatArray, *, level: float = 0.95
) -> AdjustedDifference:
    """Difference between the groups of a trial, adjusted for the baseline (analysis of covariance).

    Parameters
    ----------
    baseline, follow_up : ndarray, shape (n_people,)
        Score before and after; people with NaN in either are left out (complete cases).
    treated : ndarray, shape (n_people,)
        1 in the treated group, 0 in the control group.

    Notes
    -----
    Least squares of follow-up = a + b · treated + c · baseline; b is returned. Regression to the mean befalls both
    groups alike and drops out.

    References
    ----------
    Vickers and Altman, "Analysing controlled trials with baseline and follow up measurements", BMJ, 2001.
    doi:10.1136/bmj.323.7321.1123
    """
    known = np.isfinite(baseline) & np.isfinite(follow_up) & np.isfinite(treated)
    x = np.column_stack([np.ones(int(known.sum())), treated[known], baseline[known]])
    y = follow_up[known]
    if y.size <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError(f"{y.size} complete cases, both groups and more than one baseline value are needed")
    coefficients, *_ = np.linalg.lstsq(x, y, rcond=None)
    degrees = y.size - x.shape[1]
    variance = float(((y - x @ coefficients) ** 2).sum()) / degrees
    error = float(np.sqrt(variance * np.linalg.inv(x.T @ x)[1, 1]))
    reach = float(stdtrit(degrees, (1 + level) / 2)) * error
    estimate = float(coefficients[1])
    return AdjustedDifference(estimate, error, estimate - reach, estimate + reach, float(coefficients[2]), int(y.size))
