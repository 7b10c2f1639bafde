"""The result of a trial on one person as a screen tells it: in words and one picture, ready to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from unaji.care.trial_analysis import TrialResult
from unaji.findings import RaisedFlag
from unaji.report.figures.trial import trial_figure
from unaji.report.trial import (
    COLUMNS,
    effect_lines,
    matters,
    outcome_name,
    planned_and_done,
    present_line,
)
from unaji.report.why import WhyFigure, why_figure
from unaji.report.words import Catalogue, catalogue


@dataclass(frozen=True, slots=True)
class TrialTold:
    """A result in one language.

    Attributes
    ----------
    signs : tuple of str
        What to do first, where the records hold warning signs.
    verdict : str
        Its code, as `unaji trial analyse --json` gives it.
    answer : str
        The verdict in words.
    compared : tuple of str
        What was looked at, and from which size on a difference would matter.
    effect, as_treated : tuple of str
        How large the difference is, by the days as they were drawn and by what was really done.
    head, rows : tuple
        What was planned and what was done.
    remarks : tuple of str
        What to keep in mind; the last is that the person knew which days were which.
    """

    language: str
    question: str
    signs: tuple[str, ...]
    verdict: str
    answer: str
    finished: bool
    compared: tuple[str, ...]
    effect: tuple[str, ...]
    as_treated: tuple[str, ...]
    followed: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]
    figure: WhyFigure

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def trial_told(result: TrialResult, flags: Sequence[RaisedFlag], name: str, language: str = "ja") -> TrialTold:
    """Put a result into the words of `unaji trial analyse`; `name` is what was changed, in that language."""
    words, plan = catalogue(language), result.plan
    what = words(f"trial.what.{plan.change}", name=name)
    answer = words(f"trial.verdict.{result.verdict}", what=what)
    effect = tuple(effect_lines(plan, result.effect, words))
    return TrialTold(
        language=language,
        question=plan.question,
        signs=tuple(one.flag.say.in_(language) for one in flags),
        verdict=result.verdict.value,
        answer=answer,
        finished=result.finished,
        compared=(words("trial.look_at", outcome=outcome_name(plan, words)), matters(plan, words)),
        effect=effect,
        as_treated=tuple(effect_lines(plan, result.as_treated, words)),
        followed=present_line(result, name, words),
        head=tuple(words(f"trial.column.{name}") for name in COLUMNS),
        rows=tuple(planned_and_done(result, words)),
        remarks=(*(words(f"trial.remark.{code}") for code in result.warnings), words("trial.knew")),
        figure=why_figure(trial_figure(result, _aria(answer, effect, words), words)),
    )


def _aria(answer: str, effect: Sequence[str], words: Catalogue) -> str:
    return words("trial.figure.aria", answer=answer, size=effect[0])
