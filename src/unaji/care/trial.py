"""Which question is to be settled on which days? The plan of a trial on one person (N-of-1), its order dealt by chance.

A plan is settled before its first day: what is changed, what is looked at, how large a difference would matter, and the
order of the periods, drawn from a stored seed. What was registered cannot be altered unseen: `TrialPlan.fingerprint` is
a hash of all of it.

References
----------
Vohra et al., "CONSORT extension for reporting N-of-1 trials (CENT) 2015 statement", BMJ, 2015. doi:10.1136/bmj.h1738
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np

from unaji.care.trial_effect import Better
from unaji.errors import UsageError
from unaji.quantities import EXPOSURES, RATINGS
from unaji.records.timeline import Zones

EPISODES, INTENSITY = "episodes", "intensity"
"""Outcomes besides the ratings: how often, and how strong on the days on which it came."""
BETTER_WHEN_HIGHER = ("sleep_quality",)
MINIMAL_POINTS = 1.0
"""Smallest difference of a 0–10 rating taken as important; see `unaji.care.outcomes`."""
MINIMAL_REDUCTION = 0.30
"""Smallest reduction of the episodes taken as important: our choice, alike the 30 % for ratings; none was published."""
DAYS_A_TREATMENT_PERIOD, DAYS_OF_WASHOUT = 14, 7
"""Defaults for treatments, whose effect fades over days; an exposure is changed day by day."""
BLOCKS_OF_DAYS, BLOCKS_OF_WEEKS = 14, 4
"""Defaults for what is changed day by day, and for treatments."""
LARGEST_SEED = 2**31
MOST_BLOCKS = 200
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Far from where the calendar of Python ends, so that a day more or another zone never leaves it."""
LONGEST_GAP_D = 7
"""From one period's last day to the next one's first at the most: a day may wait for the next of its own kind."""

NEVER_SOUGHT = {
    "alcohol": "more alcohol harms",
    "sun": "more sun on the neck harms the skin",
    "hot_flush": "a hot flush is a symptom",
    "medication": "a medicine is changed by a doctor only",
}
"""Exposures of which no trial may ask for more."""
NEVER_CHANGED = {"medication": "a medicine is changed by a doctor only", "sleep": "going without sleep harms"}
"""Exposures of which no trial may ask for less."""


class Change(StrEnum):
    """What is done in the changed condition; the other one is "usual"."""

    AVOID = "avoid"
    SEEK = "seek"
    TREAT = "treat"


class Strata(StrEnum):
    """Which days may share a block."""

    NONE = "none"
    WEEKDAY_WEEKEND = "weekday_weekend"


USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Period:
    """Days in a row under one condition.

    Attributes
    ----------
    block : int
        From 1; every block has one changed and one usual period.
    first, last : date
        On the person's calendar, both ends included.
    changed : bool
        Whether the change is made; else all is as usual.
    """

    block: int
    first: date
    last: date
    changed: bool

    @property
    def days(self) -> int:
        """Days it lasts."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """All that is settled before the first day.

    Attributes
    ----------
    question : str
        In the person's own words.
    change, kind : Change, str
        What is done, and to which exposure or with which treatment.
    outcome : str
        The one thing looked at: "episodes", "intensity", or a name of `unaji.quantities.RATINGS`.
    minimal_important : float
        Share of the episodes (0.3 is 30 % fewer) or points of the rating that would matter.
    timezone : str
        IANA name; where a day begins.
    period_days, washout_days : int
        Length of a period, and its first days that are left out of the comparison. They are left out of every period,
        also where the condition stays the same, so that what is compared does not hang on the order that was drawn.
    seed : int
        Of the order, and of everything random in the analysis.
    registered_at : datetime
        When the plan was settled, UTC, to the second.
    periods : tuple of Period
        In order of time.
    """

    question: str
    change: Change
    kind: str
    outcome: str
    better: Better
    minimal_important: float
    timezone: str
    period_days: int
    washout_days: int
    strata: Strata
    blocks: int
    seed: int
    registered_at: datetime
    periods: tuple[Period, ...] = field(default=())

    @property
    def counts(self) -> bool:
        """Whether the outcome is a count of episodes, compared by a ratio; else a mean, compared by a difference."""
        return self.outcome == EPISODES

    @property
    def first_day(self) -> date:
        """First day of the first period."""
        return self.periods[0].first

    @property
    def last_day(self) -> date:
        """Last day of the last period."""
        return max(period.last for period in self.periods)

    @property
    def registered_late(self) -> bool:
        """Whether the plan was settled only after its first day had begun, when something was known already."""
        local = self.registered_at.astimezone(Zones((self.timezone,)).at(self.registered_at))
        return local.date() > self.first_day

    def condition(self, changed: bool) -> str:
        """Name a condition: "avoid", "seek" or "treat"; "usual"."""
        return self.change.value if changed else USUAL

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything in the plan, as hexadecimal digits."""
        settled = {
            "question": self.question,
            "change": self.change.value,
            "kind": self.kind,
            "outcome": self.outcome,
            "better": self.better.value,
            "minimal_important": float(self.minimal_important),
            "timezone": self.timezone,
            "period_days": self.period_days,
            "washout_days": self.washout_days,
            "strata": self.strata.value,
            "blocks": self.blocks,
            "seed": self.seed,
            "registered_at": self.registered_at.astimezone(UTC).isoformat(),
            "periods": [[p.block, p.first.isoformat(), p.last.isoformat(), p.changed] for p in self.periods],
        }
        return hashlib.sha256(json.dumps(settled, sort_keys=True).encode()).hexdigest()


def design_trial(
    *,
    question: str,
    change: Change,
    kind: str,
    outcome: str,
    start: date,
    timezone: str,
    registered_at: datetime,
    blocks: int,
    seed: int,
    period_days: int | None = None,
    washout_days: int | None = None,
    minimal_important: float | None = None,
    unsafe: Collection[str] = (),
) -> TrialPlan:
    """Lay out a trial: `blocks` pairs of periods, the order within each dealt by chance.

    An exposure is by default changed day by day, in blocks of two days of the same kind (two working days, or two days
    off); a treatment in periods of two weeks of which the first week is left out of the comparison.

    Parameters
    ----------
    unsafe : collection of str
        Exposures this person must not have more of: no plan that asks for them is made.

    Returns
    -------
    TrialPlan
        The same for the same arguments.

    Raises
    ------
    UsageError
        The plan would ask for something harmful, or its parts do not fit together.
    """
    _check_kind(change, kind, unsafe)
    by_day = change is not Change.TREAT
    period_days = period_days if period_days is not None else (1 if by_day else DAYS_A_TREATMENT_PERIOD)
    default_washout = DAYS_OF_WASHOUT if not by_day and period_days > DAYS_OF_WASHOUT else 0
    washout_days = default_washout if washout_days is None else washout_days
    if minimal_important is None:
        minimal_important = MINIMAL_REDUCTION if outcome == EPISODES else MINIMAL_POINTS
    _check_numbers(outcome, minimal_important, period_days, washout_days, blocks)
    strata = Strata.WEEKDAY_WEEKEND if period_days == 1 else Strata.NONE
    return TrialPlan(
        question=" ".join(question.split()),
        change=change,
        kind=kind,
        outcome=outcome,
        better=Better.HIGHER if outcome in BETTER_WHEN_HIGHER else Better.LOWER,
        minimal_important=minimal_important,
        timezone=timezone,
        period_days=period_days,
        washout_days=washout_days,
        strata=strata,
        blocks=blocks,
        seed=seed,
        registered_at=registered_at.astimezone(UTC).replace(microsecond=0),
        periods=deal(start, period_days, blocks, strata, seed),
    )


def deal(start: date, period_days: int, blocks: int, strata: Strata, seed: int) -> tuple[Period, ...]:
    """Deal out the order: in every block a coin decides which of its two periods is the changed one.

    With strata, a day joins the open block of its own kind (working day or day off), so that the two days of a block
    are never a Friday and a Saturday; near the end a day may stay free when no block is left to open.
    """
    changed_first = np.random.default_rng(seed).integers(0, 2, blocks).astype(bool)
    open_block: dict[bool, int] = {}
    periods: list[Period] = []
    opened, day = 0, start
    while len(periods) < 2 * blocks:
        stratum = strata is Strata.WEEKDAY_WEEKEND and day.weekday() >= 5
        last = day + timedelta(days=period_days - 1)
        if stratum in open_block:
            block = open_block.pop(stratum)
            periods.append(Period(block, day, last, changed=not changed_first[block - 1]))
        elif opened < blocks:
            opened += 1
            open_block[stratum] = opened
            periods.append(Period(opened, day, last, changed=bool(changed_first[opened - 1])))
        day = last + timedelta(days=1)
    return tuple(periods)


def check_plan(plan: TrialPlan, unsafe: Collection[str] = ()) -> None:
    """Hold a plan that was read against the rules by which plans are made; its fingerprint says nothing of them.

    Parameters
    ----------
    unsafe : collection of str
        Exposures this person must not have more of.

    Raises
    ------
    UsageError
        The plan asks for something harmful, or its parts do not fit together.
    """
    _check_kind(plan.change, plan.kind, unsafe)
    _check_numbers(plan.outcome, plan.minimal_important, plan.period_days, plan.washout_days, plan.blocks)
    if len(plan.periods) != 2 * plan.blocks:
        raise UsageError(f"{plan.blocks} blocks have {2 * plan.blocks} periods, got {len(plan.periods)}")
    days = (plan.registered_at.date(), *(day for one in plan.periods for day in (one.first, one.last)))
    if not (min(days).year >= FIRST_YEAR and max(days).year <= LAST_YEAR):
        raise UsageError(f"a plan lies in the years {FIRST_YEAR} to {LAST_YEAR}, got {min(days)} to {max(days)}")
    if any(one.days != plan.period_days for one in plan.periods):
        raise UsageError(f"not every period lasts {plan.period_days} days, as the plan says")
    for one, following in pairwise(plan.periods):
        if not 0 < (following.first - one.last).days <= LONGEST_GAP_D:
            raise UsageError(f"the period that begins on {following.first} does not follow the one before it")


def _check_kind(change: Change, kind: str, unsafe: Collection[str]) -> None:
    if change is Change.TREAT:
        if not kind.strip():
            raise UsageError("the treatment has no name; give the kind that treatments.csv uses, such as acupuncture")
        return
    known = [e.name for e in EXPOSURES.values() if e.shape != "mark" and e.name not in NEVER_CHANGED]
    if kind in NEVER_CHANGED:
        raise UsageError(f"{change} {kind}: {NEVER_CHANGED[kind]}; no trial is made of it")
    if kind not in known:
        raise UsageError(f"{change} {kind}: not an exposure that can be changed; known are {', '.join(known)}")
    if change is Change.SEEK and kind in NEVER_SOUGHT:
        raise UsageError(f"seek {kind}: {NEVER_SOUGHT[kind]}; try avoiding it instead")
    if change is Change.SEEK and kind in unsafe:
        raise UsageError(f"seek {kind}: marked as unsafe for this person; try avoiding it instead")


def _check_numbers(outcome: str, minimal: float, period_days: int, washout_days: int, blocks: int) -> None:
    if outcome not in (EPISODES, INTENSITY, *RATINGS):
        raise UsageError(f"outcome {outcome!r} is not known; take one of {', '.join((EPISODES, INTENSITY, *RATINGS))}")
    if outcome == EPISODES and not 0 < minimal < 1:
        raise UsageError(f"the smallest important reduction is a share between 0 and 1, got {minimal:g}")
    if outcome != EPISODES and not 0 < minimal <= 10:
        raise UsageError(f"the smallest important difference is between 0 and 10 points, got {minimal:g}")
    if not 1 <= period_days <= 366:
        raise UsageError(f"a period lasts 1 to 366 days, got {period_days}")
    if not 0 <= washout_days < period_days:
        raise UsageError(f"the days left out (wash-out, {washout_days}) must be fewer than a period's ({period_days})")
    if not 2 <= blocks <= MOST_BLOCKS:
        raise UsageError(f"a trial has 2 to {MOST_BLOCKS} blocks, got {blocks}")
