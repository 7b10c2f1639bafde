"""Did the sessions change anything? The crude comparison beside the adjusted one, never the one without the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from unaji.care.outcomes import ItemCourse
from unaji.care.treatment import TreatmentEffect
from unaji.findings import Findings
from unaji.quantities import RATINGS
from unaji.records.timeline import utc_ms
from unaji.report.story.factors import can_rank
from unaji.report.words import Catalogue, plain, signed

SYMPTOM_ITEMS = ("felt_heat", "neck_stiffness", "neck_pain")
"""Ratings that are told beside a treatment; the others stand in the JSON."""


@dataclass(frozen=True, slots=True)
class Course:
    """One kind of treatment in words."""

    name: str
    heading: str
    crude: str
    before_after: str
    adjusted: str
    adjusted_range: str
    sentences: tuple[str, ...]
    grade: str
    grade_text: str


def courses(findings: Findings, words: Catalogue) -> tuple[Course, ...]:
    """Put each kind of treatment into words; empty while there are too few episodes to say anything."""
    if not can_rank(findings.enough):
        return ()
    return tuple(_course(effect, findings, words) for effect in findings.treatments)


def heading(findings: Findings, told: tuple[Course, ...], words: Catalogue) -> str:
    """Return section 6's answer."""
    if told:
        return told[0].heading
    if not findings.timeline.treatments:
        return words("treatment.none")
    return words("treatment.few", episodes=words.count("episodes", findings.enough.episodes))


def treatment_name(findings: Findings, kind: str, words: Catalogue) -> str:
    """Return the article's name of a kind of treatment, else the word the person used."""
    for claim in findings.claims.treatments:
        if kind in claim.kinds:
            return claim.name.in_(words.language)
    return kind


def _course(effect: TreatmentEffect, findings: Findings, words: Catalogue) -> Course:
    name = treatment_name(findings, effect.kind, words)
    claim = next((one for one in findings.claims.treatments if effect.kind in one.kinds), None)
    sentences = [
        words("treatment.sessions", n=words("unit.bare", n=effect.sessions)),
        words("treatment.p_better", better=words.percent(effect.p_better), worse=words.percent(effect.p_worse)),
    ]
    rated = (one for one in findings.outcomes if one.kind == effect.kind and one.item in SYMPTOM_ITEMS)
    sentences += [_outcome(one, words) for one in rated]
    if effect.after_worst_fortnight and _verdict(effect) not in ("rose", "worse"):
        sentences.append(words("treatment.worst"))
    if claim:
        sentences.append(words("treatment.grade", name=name, grade=claim.grade, text=words(f"grade.{claim.grade}")))
    return Course(
        name=name,
        heading=words(f"treatment.{_verdict(effect)}", name=name),
        crude=words.change(effect.before_after_ratio),
        before_after=_before_after(effect, words),
        adjusted=words.change(effect.ratio.mean),
        adjusted_range=words("treatment.range", range=words.change_range(effect.ratio)),
        sentences=tuple(sentences),
        grade=claim.grade if claim else "",
        grade_text=words(f"grade.{claim.grade}") if claim else "",
    )


def _outcome(course: ItemCourse, words: Catalogue) -> str:
    """Say how a rating went, what of it would have come anyway, and whether it is a change that matters."""
    scale = RATINGS[course.item]
    told = words(
        "treatment.outcome",
        item=scale.ja if words.language == "ja" else scale.en,
        before=plain(course.before),
        after=plain(course.after),
        change=signed(round(course.after, 1) - round(course.before, 1), 1),  # as the two numbers told give it
        low=signed(course.low, 1),
        high=signed(course.high, 1),
    )
    anyway = ""
    if math.isfinite(course.regression):
        anyway = words("treatment.outcome_anyway", n=signed(course.regression, 1))
    matters = words("treatment.outcome_matters" if course.important and course.reliable else "treatment.outcome_unsure")
    return words("list.space").join(part for part in (told, anyway, matters) if part)


def verdict(low: float, high: float, before_after_ratio: float) -> str:
    """Return the key of what may be said: from the 90 % interval of the adjusted ratio, and from the crude ratio."""
    if high < 1:
        return "better"
    if low > 1:
        return "worse"
    if not math.isfinite(before_after_ratio):
        return "unclear"
    return "fell" if before_after_ratio < 1 else "rose"


def _verdict(effect: TreatmentEffect) -> str:
    return verdict(effect.ratio.p5, effect.ratio.p95, effect.before_after_ratio)


def _before_after(effect: TreatmentEffect, words: Catalogue) -> str:
    before, after = (
        words("treatment.count_in", episodes=words("unit.bare", n=n), days=words.count("days", days))
        for n, days in (
            (effect.episodes_before, effect.days_before),
            (effect.episodes_after, effect.days_after),
        )
    )
    return words("treatment.before_after", before=before, after=after)


def first_session(kind: str, findings: Findings) -> datetime | None:
    """Return the first session of a kind within the record, UTC; None when there is none."""
    grid = findings.design.grid
    times = [one.time for one in findings.timeline.treatments if one.kind == kind]
    inside = [time for time in times if grid.n_bins and utc_ms(time) >= grid.time[0]]
    return min(inside, default=None)
