"""Did the change help? A registered plan against what the person then did and wrote down.

The primary comparison is by the condition that was dealt, whatever was done (intention to treat); beside it stands the
comparison by what was done (as treated), which chance did not deal and which a good or a bad day may have steered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

import numpy as np

from unaji.care.trial import INTENSITY, Change, Period, TrialPlan
from unaji.care.trial_effect import Effect, TrialVerdict, mean_difference, rate_ratio, verdict_of
from unaji.causes.design import BIN_MIN, Grid, Onset
from unaji.causes.grid import merge_onsets, open_for_onsets
from unaji.causes.observed import ObservedTime, in_fever, observed_time
from unaji.errors import InputError
from unaji.records.timeline import FloatArray, Interval, Timeline, Zones, from_utc_ms

FEW_BLOCKS = 5
"""Below this the randomisation test cannot reach p ≤ 0.10 two-sided, and nothing more than "probably" can be said."""
POOR_ADHERENCE = 0.8
LITTLE_CONTRAST = 0.3
"""Difference of the share of days with the exposure below which the two conditions were hardly different."""
MANY_MISSING, UNEQUALLY_MISSING = 0.2, 0.15
"""Share of the days without record, and difference of it between the conditions, that are told."""


@dataclass(frozen=True, slots=True)
class TrialDay:
    """One local day of a trial.

    Attributes
    ----------
    compared : bool
        False on a day of wash-out, and on one of which nothing was recorded that the outcome needs.
    observed_h : float
        Time in which an episode would have been logged [h].
    episodes : int
        Episodes that began on it, those of a fever left out.
    value : float
        Mean of the day's ratings, or of the intensity of its episodes; NaN where there is none or it is a count.
    present : bool
        Whether the exposure, or a session, was logged on it.
    """

    day: date
    block: int
    changed: bool
    compared: bool
    observed_h: float
    episodes: int
    value: float
    present: bool


@dataclass(frozen=True, slots=True)
class TrialPeriod:
    """One period as planned and as it went.

    Attributes
    ----------
    compared_days : int
        Days after the wash-out with what the outcome needs.
    observed_h : float
        Observed time on them [h].
    value : float
        Episodes on them, or their mean; NaN where there is nothing.
    present_days : int
        Days of the whole period on which the exposure, or a session, was logged.
    """

    planned: Period
    compared_days: int
    observed_h: float
    value: float
    present_days: int


@dataclass(frozen=True, slots=True)
class Adherence:
    """How far the plan was followed, counted in days for an exposure and in periods for a treatment.

    Attributes
    ----------
    changed, usual : int
        Days (periods) of that condition with any record.
    changed_present, usual_present : int
        Of them, those with the exposure (a session).
    """

    changed: int
    changed_present: int
    usual: int
    usual_present: int

    def kept(self, change: Change) -> float:
        """Share of the changed days (periods) on which the change was made; NaN without any."""
        if not self.changed:
            return float("nan")
        present = self.changed_present / self.changed
        return 1 - present if change is Change.AVOID else present


@dataclass(frozen=True, slots=True)
class TrialResult:
    """All that a trial says.

    Attributes
    ----------
    effect : Effect
        By the condition that was dealt.
    as_treated : Effect
        By what was done; its `randomisation_p` is NaN.
    finished : bool
        Whether the records reach the last day. Before, "helps" is not said: looking early finds too much.
    warnings : tuple of str
        What to keep in mind: "registered_late", "unfinished", "stopped", "few_blocks", "poor_adherence", "no_contrast",
        "days_missing", "days_missing_unequally".
    """

    plan: TrialPlan
    days: tuple[TrialDay, ...]
    periods: tuple[TrialPeriod, ...]
    effect: Effect
    as_treated: Effect
    adherence: Adherence
    verdict: TrialVerdict
    finished: bool
    warnings: tuple[str, ...]


def analyse_trial(plan: TrialPlan, timeline: Timeline, *, until: date | None = None) -> TrialResult:
    """Analyse a trial as it was planned.

    Parameters
    ----------
    until : date, optional
        Last day that counts, where the trial was stopped before its end: on the days after it nobody followed the lot.

    Raises
    ------
    InputError
        The records hold no day of the trial.
    """
    observed = observed_time(timeline)
    dealt = () if observed is None else _days(plan, timeline, observed)
    days = tuple(day for day in dealt if until is None or day.day <= until)
    if observed is None or not any(day.observed_h > 0 or np.isfinite(day.value) for day in days):
        raise InputError(
            f"the records of {timeline.person.id} hold no day of this trial, which runs from {plan.first_day} to "
            f"{plan.last_day}; is it the right person, and were episodes, ratings or check-ins logged?"
        )
    effect = _effect(plan, days, lambda day: day.changed, seed=plan.seed)
    done = _done(plan, days)
    as_treated = _effect(plan, days, lambda day: done[day.day], seed=None)
    adherence = _adherence(plan, days)
    last = timeline.zones.local(observed.period.end - timedelta(minutes=1)).date()
    finished = min(last, until or last) >= plan.last_day
    verdict = verdict_of(effect)
    if not finished and verdict is TrialVerdict.HELPS:
        verdict = TrialVerdict.PROBABLY_HELPS
    return TrialResult(
        plan=plan,
        days=days,
        periods=tuple(_period(plan, period, days) for period in plan.periods),
        effect=effect,
        as_treated=as_treated,
        adherence=adherence,
        verdict=verdict,
        finished=finished,
        warnings=tuple(_warnings(plan, days, effect, adherence, end="" if finished else _end(plan, until))),
    )


# -- the days ----------------------------------------------------------------------------------------------------------


def _days(plan: TrialPlan, timeline: Timeline, observed: ObservedTime) -> Iterable[TrialDay]:
    """Give every day of the plan, on the clock the person lived by, what was recorded on it."""
    zones = timeline.zones
    onsets, _ = merge_onsets(
        Onset(e.start, e.end, whole_day=e.whole_day)
        for e in timeline.episodes
        if not in_fever(e.start, e.whole_day, observed.fever)
    )
    start, end = from_utc_ms(observed.grid.time[0]), from_utc_ms(observed.grid.time[-1]) + timedelta(minutes=BIN_MIN)
    grid, _ = open_for_onsets(observed.grid, [o for o in onsets if start <= o.time < end])
    hours = _hours(grid, zones)
    starts = [zones.local(onset.time).date() for onset in onsets]
    values = _values(plan, timeline, observed)
    present = _present(plan, timeline)
    for period in plan.periods:
        for number in range(period.days):
            day = period.first + timedelta(days=number)
            observed_h, value = hours.get(day, 0.0), values.get(day, float("nan"))
            there = observed_h > 0 if plan.counts else bool(np.isfinite(value))
            yield TrialDay(
                day=day,
                block=period.block,
                changed=period.changed,
                compared=there and number >= plan.washout_days,
                observed_h=observed_h,
                episodes=starts.count(day),
                value=value,
                present=day in present,
            )


def _hours(grid: Grid, zones: Zones) -> dict[date, float]:
    """Observed time of each local day [h]."""
    first = zones.local(from_utc_ms(grid.time[0])).date()
    bins = np.bincount(grid.day[grid.observed], minlength=grid.n_days)
    return {first + timedelta(days=k): float(n) * BIN_MIN / 60 for k, n in enumerate(bins)}


def _values(plan: TrialPlan, timeline: Timeline, observed: ObservedTime) -> dict[date, float]:
    """Mean of each day's ratings, or of the intensity of its episodes."""
    if plan.counts:
        return {}
    if plan.outcome == INTENSITY:
        rows = [
            (e.start, e.intensity)
            for e in timeline.episodes
            if e.intensity is not None and not in_fever(e.start, e.whole_day, observed.fever)
        ]
    else:
        rows = [(r.time, r.value) for r in timeline.ratings_of(plan.outcome)]
    dated = sorted((timeline.zones.local(moment).date(), value) for moment, value in rows)
    return {day: float(np.mean([value for _, value in group])) for day, group in groupby(dated, key=lambda row: row[0])}


def _present(plan: TrialPlan, timeline: Timeline) -> set[date]:
    """Local days with a session, or touched by the exposure."""
    zones = timeline.zones
    if plan.change is Change.TREAT:
        return {zones.local(t.time).date() for t in timeline.treatments if t.kind == plan.kind}
    touched: set[date] = set()
    for exposure in timeline.exposures_of(plan.kind):
        if exposure.none:
            continue
        touched |= set(_dates(exposure.start, exposure.end, zones))
    return touched


def _dates(start: datetime, end: datetime | None, zones: Zones) -> Iterable[date]:
    stretch = Interval(start, end) if end is not None and end > start else Interval(start, start + timedelta(minutes=1))
    day, last = zones.local(stretch.start), zones.local(stretch.end - timedelta(milliseconds=1))
    for number in range((last.date() - day.date()).days + 1):
        yield day.date() + timedelta(days=number)


def _period(plan: TrialPlan, period: Period, days: tuple[TrialDay, ...]) -> TrialPeriod:
    inside = [day for day in days if period.first <= day.day <= period.last]
    compared = [day for day in inside if day.compared]
    hours = sum(day.observed_h for day in compared)
    return TrialPeriod(period, len(compared), hours, _value(plan, compared), sum(day.present for day in inside))


def _value(plan: TrialPlan, days: list[TrialDay]) -> float:
    """Episodes of the days, or the mean of their values; NaN without days."""
    if not days:
        return float("nan")
    return float(sum(d.episodes for d in days)) if plan.counts else float(np.mean([d.value for d in days]))


# -- the comparison ----------------------------------------------------------------------------------------------------


def _effect(
    plan: TrialPlan, days: tuple[TrialDay, ...], is_changed: Callable[[TrialDay], bool], *, seed: int | None
) -> Effect:
    """Compare the two conditions within the blocks; `is_changed` says under which one a day counts."""
    compared = [day for day in days if day.compared]

    def of(changed: bool, what: Callable[[list[TrialDay]], float]) -> FloatArray:
        sides = [[d for d in compared if d.block == b and is_changed(d) == changed] for b in range(1, plan.blocks + 1)]
        return np.array([what(side) for side in sides])

    minimal, better = plan.minimal_important, plan.better
    if not plan.counts:
        means = [of(changed, lambda side: _value(plan, side)) for changed in (True, False)]
        return mean_difference(*means, minimal=minimal, better=better, seed=seed)
    counts = [of(changed, lambda side: float(sum(d.episodes for d in side))) for changed in (True, False)]
    hours = [of(changed, lambda side: sum(d.observed_h for d in side)) for changed in (True, False)]
    return rate_ratio(*counts, *hours, minimal=minimal, better=better, seed=seed)


def _done(plan: TrialPlan, days: tuple[TrialDay, ...]) -> dict[date, bool]:
    """Whether the change was made: on the day itself, or with a treatment anywhere in the period."""
    if plan.change is Change.TREAT:
        return {
            day.day: any(d.present for d in days if period.first <= d.day <= period.last)
            for period in plan.periods
            for day in days
            if period.first <= day.day <= period.last
        }
    return {day.day: day.present is (plan.change is Change.SEEK) for day in days}


def _adherence(plan: TrialPlan, days: tuple[TrialDay, ...]) -> Adherence:
    if plan.change is Change.TREAT:
        done = _done(plan, days)
        recorded = {day.day for day in days if _recorded(day)}
        met = [
            (period.changed, done[period.first])
            for period in plan.periods
            if any(period.first + timedelta(days=k) in recorded for k in range(period.days))
        ]
    else:
        met = [(day.changed, day.present) for day in days if _recorded(day)]
    return Adherence(
        changed=sum(changed for changed, _ in met),
        changed_present=sum(changed and there for changed, there in met),
        usual=sum(not changed for changed, _ in met),
        usual_present=sum(there and not changed for changed, there in met),
    )


def _recorded(day: TrialDay) -> bool:
    return day.observed_h > 0 or day.present or bool(np.isfinite(day.value))


def _warnings(
    plan: TrialPlan, days: tuple[TrialDay, ...], effect: Effect, adherence: Adherence, *, end: str
) -> Iterable[str]:
    if plan.registered_late:
        yield "registered_late"
    if end:
        yield end
    if effect.n_blocks < FEW_BLOCKS:
        yield "few_blocks"
    if adherence.kept(plan.change) < POOR_ADHERENCE:
        yield "poor_adherence"
    shares = [
        present / n if n else float("nan")
        for present, n in (
            (adherence.changed_present, adherence.changed), (adherence.usual_present, adherence.usual),
        )
    ]  # fmt: skip
    if abs(shares[0] - shares[1]) < LITTLE_CONTRAST:
        yield "no_contrast"
    missing = [
        float(np.mean([not d.compared for d in days if d.changed is changed and _after_washout(plan, d)] or [False]))
        for changed in (True, False)
    ]
    if max(missing) > MANY_MISSING:
        yield "days_missing"
    if abs(missing[0] - missing[1]) > UNEQUALLY_MISSING:
        yield "days_missing_unequally"


def _end(plan: TrialPlan, until: date | None) -> str:
    """Say why the records do not reach the last day: it was stopped before, or they do not go on so far yet."""
    return "unfinished" if until is None or until >= plan.last_day else "stopped"


def _after_washout(plan: TrialPlan, day: TrialDay) -> bool:
    period = next(p for p in plan.periods if p.first <= day.day <= p.last)
    return (day.day - period.first).days >= plan.washout_days
