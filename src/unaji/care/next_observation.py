"""What to do next, so that the coming four weeks teach most about what is still open?

Candidates are: going on as before; recording fully what was recorded with gaps; avoiding an exposure, or seeking it,
on days dealt out by chance. Each is played many times with what is known of the person (`unaji.causes.foresight`), and
they are ranked by how far the causes' probabilities would move away from "may be, may be not". More of an exposure is
never proposed where that harms, or where the person has marked it as unsafe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from unaji.care.trial import NEVER_CHANGED, NEVER_SOUGHT, Strata, deal
from unaji.causes.attribution import FEW_EPISODES, Attribution, CauseResult, SignalState
from unaji.causes.design import Design, Trigger
from unaji.causes.foresight import DAYS, Foresight, Scenario, can_be_recorded, foresee
from unaji.causes.verdicts import P_CAUSE, P_OPEN, SATURATED
from unaji.records.timeline import BoolArray, FloatArray, Zones, from_utc_ms

MOST_SCENARIOS = 8
"""Of more candidates than this, those of the causes nearest to "may be, may be not" are played."""
GAPS = 0.1
"""From this share of missing time on, recording fully is a candidate."""
LEAST_BITS = 0.1
"""A way that would teach less than this more than going on as before is not worth the trouble [A]."""


@dataclass(frozen=True, slots=True)
class NextObservation:
    """One way to spend the coming four weeks, and what it would teach.

    Attributes
    ----------
    do : {"go_on", "record", "avoid", "seek"}
    id : str
        Which cause it asks about; "" for going on as before.
    bits, bits_mcse : float
        Expected fall of the summed entropy of the causes' probabilities [bits], and its Monte-Carlo standard error.
    more_bits, more_bits_mcse : float
        How much that is above going on as before (courses of the weeks compared in pairs), and its standard error.
    settles, settles_if_going_on : float or None
        Probability that this cause is settled after it (its probability ≥ 0.9 or < 0.1), and after going on as before;
        None for going on.
    days : tuple of date
        On which it is avoided or sought, dealt by lot with `seed`.
    first_day : date
        First of the 28 days.
    seed : int
    """

    do: str
    id: str
    bits: float
    bits_mcse: float
    more_bits: float
    more_bits_mcse: float
    settles: float | None
    settles_if_going_on: float | None
    days: tuple[date, ...]
    first_day: date
    seed: int

    @property
    def worth_it(self) -> bool:
        """Whether it would surely teach more than going on as before."""
        return self.more_bits > max(LEAST_BITS, 2 * self.more_bits_mcse)


def next_observations(
    design: Design,
    attribution: Attribution,
    zones: Zones,
    *,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> tuple[NextObservation, ...]:
    """Rank what could be done in the coming four weeks, what teaches most first.

    Empty with fewer than five episodes, where hardly any time is free of them, and where no cause is open.
    """
    posterior = attribution.posterior
    saturated = float(attribution.checks.get("near_onset_share") or 0) >= SATURATED
    if posterior is None or attribution.n_episodes < FEW_EPISODES or saturated:
        return ()
    first_day = zones.local(from_utc_ms(design.grid.time[-1])).date() + timedelta(days=1)
    lot = _days_by_lot(first_day, seed)
    candidates = list(_candidates(design, attribution.causes, lot))[:MOST_SCENARIOS]
    if not candidates:
        return ()
    rng = np.random.default_rng(seed)
    plain, *others = foresee(posterior, [Scenario("go_on"), *candidates], rng, progress)
    days = tuple(first_day + timedelta(days=int(d)) for d in np.flatnonzero(lot))
    told = [_observation(one, plain, days, first_day, seed) for one in (plain, *others)]
    return tuple(sorted(told, key=lambda one: -one.bits))


def _days_by_lot(first_day: date, seed: int) -> BoolArray:
    """Deal the days in blocks of two of the same kind, working days and days off; the order is that of a trial."""
    changed = np.zeros(DAYS, dtype=bool)
    for period in deal(first_day, 1, DAYS // 2, Strata.WEEKDAY_WEEKEND, seed):
        if period.changed and (period.first - first_day).days < DAYS:
            changed[(period.first - first_day).days] = True
    return changed


def _candidates(design: Design, causes: Iterable[CauseResult], lot: BoolArray) -> Iterable[Scenario]:
    """Give the ways worth playing, those of the most open causes first."""
    triggers = {trigger.id: trigger for trigger in design.triggers}
    for cause in sorted(causes, key=_distance_from_even):
        trigger = triggers[cause.id]
        if cause.told_apart or cause.alias_of is not None or cause.signal is SignalState.NO_CONTRAST:
            continue
        unmeasured = cause.signal is SignalState.INSUFFICIENT
        if not (unmeasured or P_OPEN <= cause.p_cause < P_CAUSE):
            continue
        if cause.filled_share >= GAPS and can_be_recorded(trigger, design.grid):
            yield Scenario("record", cause.id)
        if not unmeasured:
            yield from (Scenario(do, cause.id, lot) for do in _may(trigger))


def _distance_from_even(cause: CauseResult) -> float:
    return abs(cause.p_cause - 0.5) if np.isfinite(cause.p_cause) else 0.5


def _may(trigger: Trigger) -> Iterable[str]:
    """Return what may be proposed: never more of what harms, never less of what is needed."""
    if trigger.id in NEVER_CHANGED:
        return ()
    return tuple(do for do in trigger.may if do != "seek" or trigger.id not in NEVER_SOUGHT)


def _observation(
    one: Foresight, plain: Foresight, days: tuple[date, ...], first_day: date, seed: int
) -> NextObservation:
    bits, bits_mcse = _mean_of_halves(one.fall)
    more, more_mcse = _mean_of_halves(one.fall - plain.fall)
    name = one.scenario.trigger
    return NextObservation(
        do=one.scenario.do,
        id=name,
        bits=bits,
        bits_mcse=bits_mcse,
        more_bits=more,
        more_bits_mcse=more_mcse,
        settles=_settled(one, name) if name else None,
        settles_if_going_on=_settled(plain, name) if name else None,
        days=days if one.scenario.days is not None else (),
        first_day=first_day,
        seed=seed,
    )


def _mean_of_halves(fall: FloatArray) -> tuple[float, float]:
    """Return mean and standard error of numbers of which each half was weighed by the draws of one chain.

    The chains' draws are few too: where the halves differ more than their numbers tell, that counts.
    """
    one, other = np.split(fall, 2)
    return float(fall.mean()), max(
        float(fall.std(ddof=1) / np.sqrt(fall.size)), abs(float(one.mean() - other.mean())) / 2
    )


def _settled(foresight: Foresight, name: str) -> float:
    p = foresight.p_after[:, foresight.triggers.index(name)]
    return float(((p >= P_CAUSE) | (p < P_OPEN)).mean())
