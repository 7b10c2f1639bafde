"""The page: a person's timeline and an article's claims in, findings out. Everything else calls this."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

import unaji
from unaji.body.hypotheses import Hypotheses
from unaji.body.pathways import Judgement, judge
from unaji.care.more_data import MoreData, more_data
from unaji.care.next_observation import NextObservation, next_observations
from unaji.care.outcomes import item_courses
from unaji.care.treatment import TreatmentEffect, treatment_effects
from unaji.care.weeks import ExpectedWeek, expected_weeks
from unaji.causes.attribution import Attribution, SignalState
from unaji.causes.design import Design
from unaji.causes.engine import Progress, attribute
from unaji.causes.exposures import design_of
from unaji.causes.grid import MERGE_MIN
from unaji.causes.nearby import Nearby, around, known_body, nearby
from unaji.causes.observed import ObservedTime, observed_time
from unaji.causes.own_neck import own_neck
from unaji.causes.table import read_tables
from unaji.causes.verdicts import SATURATED
from unaji.claims.model import Claims, RedFlag, Urgency
from unaji.errors import InputError
from unaji.findings import Enough, EpisodeFinding, Findings, RaisedFlag
from unaji.records.clock import now_utc
from unaji.records.timeline import Episode, Problem, Timeline, Zones, from_utc_ms
from unaji.signals.recorded_ecg import with_ecg_beats
from unaji.signals.state import autonomic_state

CONCLUDE, RANK = (40, 12.0), (15, 6.0)
"""Episodes and weeks that are enough to conclude, and to rank."""
ENGINE_SHARE = 0.8
"""Share of the work that is the engine's; the rest is working out what to do next."""
MOSTLY_FILLED = 0.3
"""Share of filled time from which a warning names the signal."""


def explain(timeline: Timeline, claims: Claims, *, seed: int = 0, progress: Progress | None = None) -> Findings:
    """Explain one person's episodes.

    Parameters
    ----------
    timeline : Timeline
        Everything known of the person.
    claims : Claims
        What an article says may be behind the symptom.
    seed : int
        Same input and seed give the same findings, to the byte.
    progress : callable, optional
        Called with the share of the work done.

    Raises
    ------
    InputError
        If nothing at all was recorded.
    """
    timeline = with_ecg_beats(timeline)
    observed = _observed(timeline)
    state = autonomic_state(timeline)
    design = design_of(timeline, claims, state, observed)
    early, late = _parts(progress)
    attribution = attribute(design, seed=seed, progress=early)
    return Findings(
        unaji=unaji.__version__,
        claims=claims,
        timeline=timeline,
        seed=seed,
        enough=enough(attribution, observed),
        red_flags=raised_flags(timeline, claims),
        attribution=attribution,
        design=design,
        observed=observed,
        episodes=_episodes(timeline, attribution, observed, seed),
        treatments=treatment_effects(design, attribution),
        outcomes=item_courses(timeline),
        weeks=_weeks(attribution, observed, seed),
        more_data=more_data(design, attribution, seed=seed),
        next_observation=next_observations(design, attribution, timeline.zones, seed=seed, progress=late),
        state=state,
        neck=own_neck(known_body(timeline), attribution.causes),
        warnings=_warnings(timeline, attribution, observed),
    )


def _parts(progress: Progress | None) -> tuple[Progress | None, Progress | None]:
    """Part the work between the engine and what to do next."""
    if progress is None:
        return None, None
    return lambda share: progress(ENGINE_SHARE * share), lambda share: progress(
        ENGINE_SHARE + (1 - ENGINE_SHARE) * share
    )


def design_for(timeline: Timeline, claims: Claims) -> Design:
    """Give the engine's view of a person alone, for whoever fits many of them together.

    Raises
    ------
    InputError
        If nothing at all was recorded.
    """
    timeline = with_ecg_beats(timeline)
    observed = _observed(timeline)
    return design_of(timeline, claims, autonomic_state(timeline), observed)


def _observed(timeline: Timeline) -> ObservedTime:
    observed = observed_time(timeline)
    if observed is None:
        raise InputError(f"{timeline.person.id}: there is nothing to explain: no episode, no diary, no measurement")
    return observed


def enough(attribution: Attribution, observed: ObservedTime) -> Enough:
    """Say whether there is enough to conclude, to rank, or not yet: fitted episodes, first to last observed day."""
    days = observed.grid.day[observed.grid.observed]
    weeks = (int(days[-1]) - int(days[0]) + 1) / 7 if days.size else 0.0
    return Enough(enough_verdict(attribution.n_episodes, weeks), attribution.n_episodes, weeks)


def enough_verdict(episodes: int, weeks: float) -> str:
    """Return "conclude", "rank", "more" or "none"."""
    for verdict, (least_episodes, least_weeks) in (("conclude", CONCLUDE), ("rank", RANK)):
        if episodes >= least_episodes and weeks >= least_weeks:
            return verdict
    return "more" if episodes else "none"


def raised_flags(timeline: Timeline, claims: Claims) -> tuple[RaisedFlag, ...]:
    """Return the red flags found in the records, the most urgent first."""
    found = [raised for flag in claims.red_flags if (raised := _raised(flag, timeline)) is not None]
    return tuple(sorted(found, key=lambda raised: list(Urgency).index(raised.flag.urgency)))


def _raised(flag: RedFlag, timeline: Timeline) -> RaisedFlag | None:
    times = [e.start for e in timeline.exposures_of(flag.id)]
    values = []
    if flag.threshold is not None:
        for series in timeline.series:
            if series.quantity in flag.threshold.quantities:
                over = series.value >= flag.threshold.at_least
                times += [from_utc_ms(stamp) for stamp in series.time[over]]
                values += [float(value) for value in series.value[over]]
    return RaisedFlag(flag, tuple(sorted(times)), max(values, default=None)) if times else None


def _episodes(
    timeline: Timeline, attribution: Attribution, observed: ObservedTime, seed: int
) -> tuple[EpisodeFinding, ...]:
    """Every episode as logged; one that was merged shares the sources of the one it was merged with."""
    signals = around(timeline, observed.grid)
    near = [nearby(e, signals, timeline, observed.grid, observed.fever) for e in timeline.episodes]
    ways = _pathways(timeline, near, seed)
    return tuple(_episode(e, n, way, attribution) for e, n, way in zip(timeline.episodes, near, ways, strict=True))


def _pathways(timeline: Timeline, near: list[Nearby], seed: int) -> list[Judgement]:
    """Judge each episode by which way its heat came: what was measured against what the simulated neck would show."""
    if not near:
        return []
    hypotheses = Hypotheses.of(known_body(timeline), np.random.default_rng(seed))
    predicted = hypotheses.around([one.context for one in near])
    return [judge(one.measured, p) for one, p in zip(near, predicted, strict=True)]


def _weeks(attribution: Attribution, observed: ObservedTime, seed: int) -> tuple[ExpectedWeek, ...]:
    posterior = attribution.posterior
    return () if posterior is None else expected_weeks(posterior, observed.period, np.random.default_rng(seed))


def _episode(episode: Episode, near: Nearby, way: Judgement, attribution: Attribution) -> EpisodeFinding:
    onsets, sources = attribution.episodes.onset, attribution.episodes.sources
    i = bisect_right(onsets, episode.start) - 1
    fitted = i >= 0 and episode.start - onsets[i] < timedelta(minutes=MERGE_MIN) and not near.fever
    return EpisodeFinding(
        episode=episode,
        p=dict(zip(sources, map(float, attribution.episodes.p[i]), strict=True)) if fitted else {},
        named=attribution.episodes.named(i) if fitted else (),
        pathway=way.probabilities,
        measured=near.shown,
        fever=near.fever,
        p_mcse=float(attribution.episodes.mcse[i].max()) if fitted else None,
        would_tell={str(one.sensor): one.bits for one in way.next_measurement},
        skin=near.skin,
    )


def _warnings(timeline: Timeline, attribution: Attribution, observed: ObservedTime) -> tuple[str, ...]:
    """Codes of what to keep in mind, with their numbers."""
    codes = []
    if observed.every_day_assumed:
        codes.append("every_day_assumed")
    if observed.nights_assumed:
        codes.append(f"nights_assumed:{observed.nights_assumed}")
    if observed.fever:
        codes.append(f"fever_left_out:{len(observed.fever)}")
    for check in ("onsets_merged", "onsets_in_unobserved_time", "onsets_off_the_grid"):
        if attribution.checks.get(check):
            codes.append(f"{check}:{attribution.checks[check]}")
    codes += [
        f"filled:{cause.id}:{cause.filled_share:.2f}"
        for cause in attribution.causes
        if cause.signal is SignalState.OK and cause.filled_share > MOSTLY_FILLED
    ]
    if float(attribution.checks.get("near_onset_share") or 0) >= SATURATED:
        codes.append("saturated")
    elif attribution.checks.get("nothing_tracked_explains"):
        codes.append("nothing_tracked_explains")
    rejected = sum(problem.count for problem in timeline.problems if problem.rejected and problem.lost)
    if rejected:
        codes.append(f"rows_rejected:{rejected}")
    return tuple(codes)


@dataclass(frozen=True, eq=False, slots=True)
class EngineResult:
    """What the engine says of any symptom and any exposures."""

    design: Design
    attribution: Attribution
    treatments: tuple[TreatmentEffect, ...]
    more_data: tuple[MoreData, ...]
    next_observation: tuple[NextObservation, ...]
    zones: Zones
    problems: tuple[Problem, ...]


def explain_tables(
    episodes: Path,
    exposures: Path,
    treatments: Path | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> EngineResult:
    """Run the engine alone, for any symptom and any exposures; see `unaji.causes.table` for the tables.

    Parameters
    ----------
    now : datetime, optional
        The present moment (aware); what lies more than 48 h after it is rejected. Default: the machine's clock.
    """
    read = read_tables(episodes, exposures, treatments, now or now_utc())
    early, late = _parts(progress)
    attribution = attribute(read.design, seed=seed, progress=early)
    return EngineResult(
        read.design,
        attribution,
        treatment_effects(read.design, attribution),
        more_data(read.design, attribution, seed=seed),
        next_observations(read.design, attribution, read.zones, seed=seed, progress=late),
        read.zones,
        read.problems,
    )
