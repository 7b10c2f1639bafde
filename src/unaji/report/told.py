"""The findings as the report tells them, in both languages side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from unaji.claims.model import Words
from unaji.findings import EpisodeFinding, Findings
from unaji.report.story.episodes import Card, cards
from unaji.report.story.story import Story, tell
from unaji.report.words import catalogue

T = TypeVar("T")
JA, EN = catalogue("ja"), catalogue("en")


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """Everything that is told of one person.

    Attributes
    ----------
    cards : mapping of int to (Card, Card)
        What is told of each episode, by its place in `Findings.episodes`.
    """

    findings: Findings
    ja: Story
    en: Story
    cards: Mapping[int, tuple[Card, Card]]

    @classmethod
    def of(cls, findings: Findings) -> Told:
        """Tell them."""
        stories = {words.language: tell(findings, words) for words in (JA, EN)}
        told = (reversed(cards(findings, stories[words.language].candidates, words)) for words in (JA, EN))
        return cls(findings, stories["ja"], stories["en"], dict(enumerate(zip(*told, strict=True))))

    def both(self, part: Callable[[Story], str]) -> Words:
        """Return one text of the story in both languages."""
        return Words(part(self.ja), part(self.en))

    def each(self, parts: Callable[[Story], tuple[T, ...]]) -> list[tuple[T, T]]:
        """Return parts of the story in both languages side by side."""
        return list(zip(parts(self.ja), parts(self.en), strict=True))


def assessed(one: EpisodeFinding) -> str:
    """Return the code of what is said of an episode."""
    if one.fever:
        return "fever"
    if not one.p:
        return "not_fitted"
    return "named" if one.named else "not_attributable"


def in_both(key: str) -> Words:
    """Return a text of the report in both languages."""
    return Words(JA(key), EN(key))
