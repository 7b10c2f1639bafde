"""The whole story of one person's findings, in the order in which it is told."""

from __future__ import annotations

from dataclasses import dataclass

from unaji.findings import Findings
from unaji.report.story import treatment
from unaji.report.story.answer import Answer, answer
from unaji.report.story.factors import Candidates, Square, can_rank, candidates, left_over, squares, whole_weeks
from unaji.report.story.method import Method, method
from unaji.report.story.neck import NeckStory, neck_story
from unaji.report.story.period import Period, period
from unaji.report.story.questions import NotBehind, Open, not_behind, still_open
from unaji.report.story.safety import Safety, safety
from unaji.report.story.warmth import Warmths, warmths
from unaji.report.words import Catalogue


@dataclass(frozen=True, slots=True)
class Story:
    """Sections 1 to 8 in words; the numbers behind them stay in `Findings`."""

    title: str
    simulated: str
    period: Period
    enough_label: str
    enough: str
    ranked: bool
    safety: Safety
    warmths: Warmths
    answer: Answer
    candidates: Candidates
    squares: tuple[Square, ...]
    left_over: tuple[str, ...]
    neck: NeckStory
    not_behind: NotBehind
    open: Open
    courses: tuple[treatment.Course, ...]
    treatment_heading: str
    method: Method


def tell(findings: Findings, words: Catalogue) -> Story:
    """Put the findings into words."""
    chosen = candidates(findings, words)
    told = treatment.courses(findings, words)
    when = period(findings, words)
    enough = findings.enough
    dealt = squares(findings, chosen, words)
    return Story(
        title=words("head.title", symptom=findings.claims.symptom.in_(words.language)),
        simulated=words("simulated") if findings.timeline.person.simulated else "",
        period=when,
        enough_label=words(f"enough.label.{enough.verdict}"),
        enough=enough_sentence(findings, words),
        ranked=can_rank(enough),
        safety=safety(findings, words),
        warmths=warmths(findings, words),
        answer=answer(findings, chosen, words),
        candidates=chosen,
        squares=dealt,
        left_over=left_over(findings, dealt, words),
        neck=neck_story(findings, chosen, words),
        not_behind=not_behind(findings, chosen, words),
        open=still_open(findings, chosen, words),
        courses=told,
        treatment_heading=treatment.heading(findings, told, words),
        method=method(findings, when, words),
    )


def enough_sentence(findings: Findings, words: Catalogue) -> str:
    """Say whether there is enough to conclude, to rank, or not yet."""
    enough = findings.enough
    return words(
        f"enough.say.{enough.verdict}",
        episodes=words.count("episodes", enough.episodes),
        weeks=words.count("weeks", whole_weeks(enough.weeks)),
    )
