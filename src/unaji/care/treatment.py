"""Did the treatment help? The adjusted effect beside the crude one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unaji.causes.attribution import Attribution, Estimate, TreatmentDraws
from unaji.causes.design import Course, Design
from unaji.causes.grid import bin_of
from unaji.records.timeline import FloatArray

FORTNIGHT_D = 14
SLACK_D = 3
"""A course begun up to this long after the worst fortnight counts as begun in it [A]."""


@dataclass(frozen=True, slots=True)
class TreatmentEffect:
    """What the sessions changed, the exposures being the same.

    Attributes
    ----------
    ratio : Estimate
        Episodes with the sessions over episodes without them; below 1 is better.
    p_better, p_worse : float
        Probability that they helped, and that they harmed.
    before_after_ratio : float
        Crude rate after the first session over the rate before it; NaN when there is no time before it.
    episodes_before, episodes_after : int
        Fitted episodes before and from the first session on.
    days_before, days_after : int
        Local days with observed time before and from the first session on; its own day counts on both sides.
    sessions : int
        Sessions inside the period.
    after_worst_fortnight : bool
        True when the first session fell within or right after the worst two weeks: part of any improvement is then
        regression to the mean.
    """

    kind: str
    ratio: Estimate
    p_better: float
    p_worse: float
    before_after_ratio: float
    episodes_before: int
    episodes_after: int
    days_before: int
    days_after: int
    sessions: int
    after_worst_fortnight: bool


def treatment_effects(design: Design, attribution: Attribution) -> tuple[TreatmentEffect, ...]:
    """Summarise what each kind of treatment changed; empty when there was none, or nothing to fit.

    The ratio is the mean over the observed days after the first session of exp(−δ D_d(τ)), with D the treatment dose
    of the day, in every posterior draw.
    """
    courses = {course.kind: course for course in design.courses}
    effects = (_effect(design, courses[draws.kind], draws) for draws in attribution.treatments)
    return tuple(effect for effect in effects if effect is not None)


def _effect(design: Design, course: Course, draws: TreatmentDraws) -> TreatmentEffect | None:
    """Summarise one kind of treatment; None when no time was observed from its first session on."""
    grid = design.grid
    first_bin = min(bin_of(grid, s) for s in course.sessions)
    days = np.unique(grid.day[max(first_bin, 0) :][grid.observed[max(first_bin, 0) :]])
    if days.size == 0:
        return None
    # One row per time constant and per distinct δ would do; the draws are few enough to take them as they are.
    dose = draws.dose[:, days][draws.tau_index]
    ratio = np.exp(-draws.delta[:, None] * dose).mean(axis=1)
    p5, p95 = np.quantile(ratio, [0.05, 0.95])
    counts, observed = _by_day(design)
    first_bin = min(max(first_bin, 0), grid.n_bins)
    first_day = int(grid.day[min(first_bin, grid.n_bins - 1)])
    onsets = np.array([bin_of(grid, o.time) for o in design.onsets])
    before, after = int((onsets < first_bin).sum()), int((onsets >= first_bin).sum())
    time_before, time_after = grid.observed[:first_bin].sum(), grid.observed[first_bin:].sum()
    return TreatmentEffect(
        kind=draws.kind,
        ratio=Estimate(float(ratio.mean()), float(p5), float(p95)),
        p_better=float((draws.delta > 0).mean()),
        p_worse=float((draws.delta < 0).mean()),
        before_after_ratio=_rate_ratio(before, float(time_before), after, float(time_after)),
        episodes_before=before,
        episodes_after=after,
        days_before=int(np.unique(grid.day[:first_bin][grid.observed[:first_bin]]).size),
        days_after=int(days.size),
        sessions=sum(0 <= bin_of(grid, s) < grid.n_bins for s in course.sessions),
        after_worst_fortnight=bool(counts.any()) and began_at_worst(counts, observed, first_day),
    )


def _by_day(design: Design) -> tuple[FloatArray, FloatArray]:
    """Episodes and observed share of each local day."""
    grid = design.grid
    onset_days = [grid.day[b] for o in design.onsets if 0 <= (b := bin_of(grid, o.time)) < grid.n_bins]
    counts = np.bincount(np.array(onset_days, dtype=np.int64), minlength=grid.n_days).astype(float)
    observed = np.bincount(grid.day, weights=grid.observed.astype(float), minlength=grid.n_days)
    return counts, observed / np.maximum(np.bincount(grid.day, minlength=grid.n_days), 1)


def _rate_ratio(before: int, time_before: float, after: int, time_after: float) -> float:
    """Crude rate after over rate before; NaN when there is no episode or no time before."""
    if before == 0 or time_before == 0 or time_after == 0:
        return float("nan")
    return (after / time_after) / (before / time_before)


def began_at_worst(total: FloatArray, weight: FloatArray, start: int) -> bool:
    """Say whether a course began within, or within three days after, the fortnight that was worst.

    Parameters
    ----------
    total : ndarray, shape (n_days,)
        What is bad, summed over each day: episodes, or a rating where there is one.
    weight : ndarray, shape (n_days,)
        What that is the sum over: observed share of the day, or 1 where there is a rating; fortnights with less than a
        quarter of it are left out.
    start : int
        Index of the first session's day.
    """
    if total.size < 2 * FORTNIGHT_D:
        return False
    window = np.ones(FORTNIGHT_D)
    over = np.convolve(weight, window, "valid")
    badness = np.where(over >= FORTNIGHT_D / 4, np.convolve(total, window, "valid") / np.maximum(over, 1e-9), -np.inf)
    worst = int(np.argmax(badness))
    return worst <= start <= worst + FORTNIGHT_D + SLACK_D
