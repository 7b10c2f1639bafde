"""The answer in one sentence, with its certainty."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unaji.causes.attribution import Verdict
from unaji.findings import Findings
from unaji.report.story.factors import Candidates, Factor, can_rank, explains_nothing, whole_weeks
from unaji.report.words import Catalogue


class AnswerKind(StrEnum):
    """What sort of answer the records allow."""

    NONE = "none"  # no episode
    FEW = "few"  # too few to rank
    NAMED = "named"
    PAIR = "pair"
    OPEN = "open"
    NULL = "null"  # nothing on record explains it


@dataclass(frozen=True, slots=True)
class Answer:
    """One sentence, and the pill beside it ("" where no certainty goes with it)."""

    kind: AnswerKind
    sentence: str
    pill: str = ""

    def full(self, words: Catalogue) -> str:
        """Return the sentence with its certainty in brackets."""
        return words("answer.certain", sentence=self.sentence, pill=self.pill) if self.pill else self.sentence


def answer(findings: Findings, chosen: Candidates, words: Catalogue) -> Answer:
    """Say in one sentence what is behind the heat, or that it cannot be said."""
    if not findings.attribution.fitted or findings.enough.verdict == "none":
        return Answer(AnswerKind.NONE, _nothing(findings, words))
    if not can_rank(findings.enough):
        return Answer(AnswerKind.FEW, _few(findings, words))
    if chosen.named:
        return _named(chosen.named[0], words)
    if chosen.either:
        pair = chosen.either[0]
        return Answer(AnswerKind.PAIR, pair.heading, pair.p)
    if explains_nothing(chosen):
        return Answer(AnswerKind.NULL, words("answer.null"))
    return Answer(AnswerKind.OPEN, words("answer.open"))


def _named(factor: Factor, words: Catalogue) -> Answer:
    key = "answer.cause" if factor.result.verdict is Verdict.CAUSE else "answer.likely"
    return Answer(AnswerKind.NAMED, words(key, count=factor.count, name=factor.name), factor.pill)


def _nothing(findings: Findings, words: Catalogue) -> str:
    rate = findings.attribution.rate_upper_per_week
    return words("answer.none") if rate is None else words("answer.none_bound", rate=f"{rate:.1f}")


def _few(findings: Findings, words: Catalogue) -> str:
    enough = findings.enough
    episodes = words.count("episodes", enough.episodes)
    if enough.episodes < 15:
        return words("answer.few", episodes=episodes)
    return words("answer.short", episodes=episodes, weeks=words.count("weeks", whole_weeks(enough.weeks)))
