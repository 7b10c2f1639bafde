"""Can someone who left school early read the report? Every sentence meant for the person is measured."""

from __future__ import annotations

import re

import pytest

from unaji.report.words import catalogue

EXEMPT = ("pdf.", "column.", "neck.column.", "compare.column.", "trial.column.", "measured.", "signal.")
"""What is written for practitioners, and names of quantities."""

HARDEST_GRADE, HARDEST_ON_AVERAGE = 8.0, 5.0
LEAST_WORDS = 8
"""A shorter sentence is not hard, whatever one long word in it does to the formula."""

LONGEST_JA, LONGEST_JA_ON_AVERAGE = 60, 30
"""Characters of a sentence, every placeholder counted as one."""

MOST_KANJI = 0.35
"""Share of kanji in running text."""

SILENT = re.compile(r"(?:[^laeiouy]e|[^td]ed|[^aeiousxzcgh]es)$")
"""Endings whose e is not heard: "make", "passed" (but "needed"), "makes" (but "uses"); "table" keeps its last."""


def syllables(word: str) -> int:
    """Count the groups of vowels, less a silent ending; at least one."""
    word = re.sub(r"[^a-z]", "", word.lower())
    heard = SILENT.sub("", word) if len(word) > 3 else word
    return max(1, len(re.findall(r"[aeiouy]+", heard)))


def sentences(text: str) -> list[str]:
    """Part a text at full stops, colons and semicolons, each of which ends a thought of its own."""
    return [one for one in re.split(r"(?<=[.:;?])\s+|(?<=[。:])", text) if re.search(r"\w", one)]


def kincaid_grade(text: str) -> float:
    """Return the Flesch-Kincaid grade: school years needed to read it.

    Notes
    -----
    0.39 words per sentence + 11.8 syllables per word − 15.59.

    References
    ----------
    Kincaid JP, Fishburne RP, Rogers RL, Chissom BS. Derivation of new readability formulas (Automated Readability
    Index, Fog Count and Flesch Reading Ease Formula) for Navy enlisted personnel. Research Branch Report 8-75,
    Naval Technical Training Command, 1975.
    """
    words = re.findall(r"[A-Za-z0-9][A-Za-z0-9'’.]*", text)
    spoken = sum(syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences(text)) + 11.8 * spoken / len(words) - 15.59


def told(language):
    """Each sentence for the person with its key, a number in the place of what is filled in."""
    for key, text in catalogue(language).texts.items():
        if not key.startswith(EXEMPT):
            for one in sentences(re.sub(r"\{\w+\}", "3", text)):
                yield key, one


@pytest.mark.parametrize(
    ("word", "heard"),
    [
        ("heat", 1), ("warm", 1), ("make", 1), ("passed", 1), ("needed", 2), ("table", 2), ("doctor", 2), ("makes", 1),
        ("uses", 2), ("episode", 3), ("certain", 2), ("temperature", 4), ("probability", 5), ("the", 1), ("3", 1),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_a_dictionary_parts_them(word, heard):
    assert syllables(word) == heard


def test_the_grade_is_that_of_a_sentence_worked_by_hand():
    """Ten words, twelve syllables, one sentence: 0.39 × 10 + 11.8 × 1.2 − 15.59 = 2.47."""
    assert kincaid_grade("The cat sat on the mat and looked at us.") == pytest.approx(0.39 * 10 + 11.8 - 15.59)
    assert kincaid_grade("The doctor sat on the table and looked at us.") == pytest.approx(2.47)


def test_no_english_sentence_for_the_person_is_above_eighth_grade():
    long = [(key, one) for key, one in told("en") if len(one.split()) >= LEAST_WORDS]
    assert len(long) > 150
    assert [(key, one) for key, one in long if round(kincaid_grade(one), 1) > HARDEST_GRADE] == []
    assert kincaid_grade(" ".join(f"{one.rstrip('.:;')}." for _, one in long)) <= HARDEST_ON_AVERAGE


def test_no_japanese_sentence_for_the_person_is_too_long_and_kanji_stay_few():
    full = [(key, one) for key, one in told("ja") if one.endswith("。")]
    assert len(full) > 150
    assert [(key, one) for key, one in full if len(one) > LONGEST_JA] == []
    assert sum(len(one) for _, one in full) / len(full) <= LONGEST_JA_ON_AVERAGE
    text = "".join(one for _, one in full)
    assert sum("一" <= sign <= "鿿" for sign in text) / len(text) <= MOST_KANJI
