"""What cannot be told, why, how much more it takes, and what to do next; and what is probably not behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unaji.care.more_data import MoreData
from unaji.care.next_observation import NextObservation
from unaji.causes.attribution import SignalState, Verdict
from unaji.findings import EpisodeFinding, Findings
from unaji.report.rounding import half_up, percent_up
from unaji.report.story.factors import Candidates, Factor, can_rank
from unaji.report.story.warmth import Warmth, warmth_of
from unaji.report.words import Catalogue

WEEKS_A_YEAR = 52
MOST_TRIALS = 1
"""One experiment at a time: two at once could not be told apart."""
UNMEASURED_SHARE = 0.3
"""Measuring skin temperature is proposed from this share of unmeasured episodes on."""


MEASURABLE = ("nape", "core", "finger", "pulse")
"""What may be proposed, the first where nothing tells them apart. Pressure pain has no column to be recorded in yet."""


@dataclass(frozen=True, slots=True)
class Line:
    """One factor with one sentence."""

    factor: Factor
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next, and what it brings."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class NotBehind:
    """Section 4; the heading only, with fewer episodes than it takes to say anything.

    Attributes
    ----------
    lines : tuple of Line
        What need not be avoided on account of this heat.
    kept_heading, kept : str, tuple of Line
        What has little link with it but must never be told as "no need to avoid": medicine, sleep, heat, …
    """

    heading: str
    lines: tuple[Line, ...] = ()
    kept_heading: str = ""
    kept: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Section 5."""

    heading: str
    lines: tuple[Line, ...]
    missing: str
    steps: tuple[Step, ...]


def not_behind(findings: Findings, chosen: Candidates, words: Catalogue) -> NotBehind:
    """Say what has little or no link, always with its bound; never "no need to avoid" for medicine and its like."""
    if not can_rank(findings.enough):
        n = words.count("episodes", findings.enough.episodes)
        return NotBehind(words("not_behind.few", episodes=n))
    unlikely = chosen.of(Verdict.UNLIKELY)
    free = tuple(Line(one, _bound(one, words)) for one in unlikely if one.cause.avoidable)
    kept = tuple(Line(one, _bound(one, words)) for one in unlikely if not one.cause.avoidable)
    told = words("not_behind.unavoidable", names=words.some([line.factor.name for line in kept])) if kept else ""
    if free:
        names = words.some([line.factor.name for line in free])
        return NotBehind(words("not_behind.avoidable", names=names), free, told, kept)
    return NotBehind(told or words("not_behind.none"), (), "", kept)


def _bound(factor: Factor, words: Catalogue) -> str:
    up = percent_up(factor.result.share.p95)
    percent = words("percent.plain", n=up) if up else words("percent.under")
    if factor.result.share.p95 < 0.1:
        return words("not_behind.bound_under_one", percent=percent)
    assert factor.tens is not None
    return words("not_behind.bound", n=factor.tens.high, percent=percent)


def still_open(findings: Findings, chosen: Candidates, words: Catalogue) -> Open:
    """Say what cannot be told yet, why, and what would settle it."""
    verdicts = (Verdict.OPEN, Verdict.CANNOT_TELL)
    told = chosen.of(*verdicts) if can_rank(findings.enough) else chosen.factors
    answered = (*findings.design.missing, *findings.design.told_apart)
    undecided = tuple(one for one in told if one.id not in answered)
    more = {one.id: one for one in findings.more_data}
    lines = tuple(Line(one, _why_open(one, more.get(one.id), findings, words)) for one in undecided)
    # What is best known to matter in people at large is the first worth recording.
    unrecorded = sorted(findings.design.missing, key=lambda cause_id: findings.claims.cause(cause_id).grade)
    missing = [_cause_name(findings, cause_id, words) for cause_id in unrecorded]
    return Open(
        heading=_heading([one.name for one in undecided], findings, words),
        lines=lines,
        missing=words("open.missing", names=words.join(missing)) if missing else "",
        steps=_steps(findings, undecided, more, missing, words),
    )


def _heading(names: list[str], findings: Findings, words: Catalogue) -> str:
    if not names:
        judged = any(cause.signal is SignalState.OK for cause in findings.attribution.causes)
        return words("open.heading_none" if judged else "open.heading_no_records")
    return words("open.heading", names=words.some(names))


def _why_open(factor: Factor, more: MoreData | None, findings: Findings, words: Catalogue) -> str:
    result = factor.result
    if result.signal is SignalState.INSUFFICIENT:
        return words("open.insufficient", filled=words.percent(result.filled_share))
    if result.signal is SignalState.NO_CONTRAST:
        return words("open.no_contrast")
    reach = ""
    if result.verdict is Verdict.CANNOT_TELL:
        tens = factor.tens  # what is too seldom to tell has a bound of nothing, which says nothing
        reach = words("open.wide", n=tens.high) if tens and tens.high else words("open.wide_few")
    need = _need(more, words) if more and findings.attribution.fitted else ""
    return words("list.space").join(text for text in (reach, need) if text)


def _need(more: MoreData, words: Catalogue) -> str:
    if not more.settles:
        return words("open.never")
    if half_up(more.episodes_high) < 1:
        return words("open.enough_soon")
    if more.weeks_high > WEEKS_A_YEAR:
        episodes, weeks = math.ceil(more.episodes_mid), math.ceil(more.weeks_mid)
        return words("open.need_wide", episodes=words.count("episodes", episodes), weeks=words.count("weeks", weeks))
    return words(
        "open.need",
        episodes=words.range("episodes", math.floor(more.episodes_low), math.ceil(more.episodes_high)),
        weeks=words.range("weeks", math.floor(more.weeks_low), math.ceil(more.weeks_high)),
    )


def _steps(
    findings: Findings,
    undecided: tuple[Factor, ...],
    more: dict[str, MoreData],
    missing: list[str],
    words: Catalogue,
) -> tuple[Step, ...]:
    """Order: log at all, close the gaps, measure temperature, say "nothing today", draw lots, keep going."""
    steps = []
    if not findings.episodes:
        steps.append(Step(words("open.step_episode"), words("open.step_episode_why")))
    steps += [_gap(one, words) for one in undecided if one.result.signal is SignalState.INSUFFICIENT][:2]
    if missing:
        steps.append(Step(words("open.step_start", names=words.join(missing[:2])), words("open.step_start_why")))
    steps += _measure(findings, words)
    if not findings.timeline.exposures_of("check_in") and findings.timeline.observed is None:
        steps.append(Step(words("open.step_check_in"), words("open.step_check_in_why")))
    steps += [_worth_trying(one, findings, words) for one in findings.next_observation if one.worth_it][:MOST_TRIALS]
    soonest = min(
        (more[one.id] for one in undecided if one.id in more and more[one.id].settles),
        key=lambda one: one.weeks_mid,
        default=None,
    )
    if soonest is not None and findings.attribution.fitted:
        weeks = words.count("weeks", max(1, math.ceil(soonest.weeks_mid)))
        name = _cause_name(findings, soonest.id, words)
        steps.append(Step(words("open.step_keep"), words("open.step_keep_why", weeks=weeks, name=name)))
    return tuple(steps)


def _worth_trying(one: NextObservation, findings: Findings, words: Catalogue) -> Step:
    """Propose what would teach more than going on as before, with the chance that it settles its question."""
    assert one.settles is not None
    assert one.settles_if_going_on is not None
    chance, otherwise = words.percent(one.settles), words.percent(one.settles_if_going_on)
    return Step(
        words(f"open.try_{one.do}", name=_cause_name(findings, one.id, words)),
        words(f"open.try_{one.do}_why", chance=chance, otherwise=otherwise),
    )


def _gap(factor: Factor, words: Catalogue) -> Step:
    filled = words.percent(factor.result.filled_share)
    return Step(words("open.step_record", name=factor.name), words("open.step_record_why", filled=filled))


def _measure(findings: Findings, words: Catalogue) -> list[Step]:
    plain = [one for one in findings.episodes if not one.fever]
    unmeasured = [one for one in plain if warmth_of(one) is Warmth.UNMEASURED]
    if not plain or len(unmeasured) / len(plain) < UNMEASURED_SHARE:
        return []
    what, episodes = _tells_most(unmeasured), words.count("episodes", len(unmeasured))
    return [Step(words(f"open.step_{what}"), words(f"open.step_{what}_why", episodes=episodes))]


def _tells_most(undecided: list[EpisodeFinding]) -> str:
    """Return the one measurement that would tell most of how the heat of these episodes came about."""
    bits = {what: sum(one.would_tell.get(what, 0.0) for one in undecided) for what in MEASURABLE}
    return max(MEASURABLE, key=lambda what: bits[what])


def _cause_name(findings: Findings, cause_id: str, words: Catalogue) -> str:
    return findings.claims.cause(cause_id).name.in_(words.language)
