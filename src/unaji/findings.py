"""All that unaji has to say about one person: what the report, the web page and the cohort read.

Plain facts and numbers, no sentences except those an article's claims carry: wording is the report's work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from unaji.care.more_data import MoreData
from unaji.care.next_observation import NextObservation
from unaji.care.outcomes import ItemCourse
from unaji.care.treatment import TreatmentEffect
from unaji.care.weeks import ExpectedWeek
from unaji.causes.attribution import Attribution
from unaji.causes.design import Design
from unaji.causes.nearby import SkinCourse
from unaji.causes.observed import ObservedTime
from unaji.causes.own_neck import OwnNeck
from unaji.claims.model import Claims, RedFlag
from unaji.records.timeline import Episode, Timeline
from unaji.signals.state import AutonomicState


@dataclass(frozen=True, slots=True)
class RaisedFlag:
    """A red flag found in the records.

    Attributes
    ----------
    times : tuple of datetime
        When it was measured or logged, UTC, ascending.
    value : float or None
        The most extreme measured value, in the unit of the flag's quantity; None when it was logged by hand.
    """

    flag: RedFlag
    times: tuple[datetime, ...]
    value: float | None = None


@dataclass(frozen=True, slots=True)
class EpisodeFinding:
    """One episode as logged, what may have set it off, and the way the heat came about.

    Attributes
    ----------
    p : dict of str to float
        Probability of each source: cause ids, "background", "echo"; sums to 1. Empty when nothing was fitted.
    named : tuple of str
        The causes that may be named: one with probability ≥ 0.6, two with ≥ 0.8 together, else none.
    pathway : dict of str to float
        Probability of each pathway and "undetermined"; sums to 1.
    measured : dict of str to float
        What was measured near it, by name with unit (``neck_skin_rise_k``, ``core_temp_c`` …), for the card.
    fever : bool
        True when it lies within half a day of a body temperature of 38.0 °C or more; such episodes take no part in
        the fit.
    p_mcse : float or None
        Largest Monte-Carlo standard error of `p`; None when nothing was fitted.
    would_tell : dict of str to float
        What a measurement that was not made would be expected to tell of the pathway [bits], the best first: "nape",
        "core", "finger", "pulse", "pressure_pain".
    skin : SkinCourse or None
        The nape's skin temperature around it against what was expected, behind ``neck_skin_rise_k``; None where that is
        not known.
    """

    episode: Episode
    p: dict[str, float]
    named: tuple[str, ...]
    pathway: dict[str, float]
    measured: dict[str, float]
    fever: bool = False
    p_mcse: float | None = None
    would_tell: dict[str, float] = field(default_factory=dict)
    skin: SkinCourse | None = None


@dataclass(frozen=True, slots=True)
class Enough:
    """Whether there is enough to conclude (≥ 40 episodes and ≥ 12 weeks), to rank (≥ 15 and ≥ 6), or not yet."""

    verdict: str  # "conclude" | "rank" | "more" | "none"
    episodes: int
    weeks: float


@dataclass(frozen=True, eq=False, slots=True)
class Findings:
    """The whole result for one person.

    Attributes
    ----------
    attribution : Attribution
        What the engine found: causes, background, echo, pairs, checks.
    design : Design
        The exposures on the grid, for the pictures and for whoever wants to look.
    observed : ObservedTime
        The period, and when an episode would have been logged.
    state : AutonomicState or None
        None when nothing that the autonomic signals need was recorded.
    neck : OwnNeck
        The person's neck as computed under each way to a hot nape and each named cause.
    next_observation : tuple of NextObservation
        What could be done in the coming four weeks, what teaches most first.
    outcomes : tuple of ItemCourse
        How each rating went before and after each kind of treatment.
    weeks : tuple of ExpectedWeek
        What the fitted model expects of each week on record; empty when nothing was fitted.
    warnings : tuple of str
        Codes of what to keep in mind, with their numbers, such as "awake_assumed" or "filled:stress:0.62".
    """

    unaji: str
    claims: Claims
    timeline: Timeline
    seed: int
    enough: Enough
    red_flags: tuple[RaisedFlag, ...]
    attribution: Attribution
    design: Design
    observed: ObservedTime
    episodes: tuple[EpisodeFinding, ...]
    treatments: tuple[TreatmentEffect, ...]
    more_data: tuple[MoreData, ...]
    state: AutonomicState | None
    neck: OwnNeck
    warnings: tuple[str, ...] = field(default=())
    outcomes: tuple[ItemCourse, ...] = ()
    weeks: tuple[ExpectedWeek, ...] = ()
    next_observation: tuple[NextObservation, ...] = ()
