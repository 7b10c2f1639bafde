from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from unaji.report.rounding import Tens
from unaji.report.story.story import tell
from unaji.report.terminal import interval_bar, print_summary
from unaji.report.words import catalogue

GOLDEN = Path(__file__).parents[1] / "golden"


def summary(findings, language, width=80):
    out = io.StringIO()
    print_summary(findings, Console(file=out, width=width, color_system=None), language)
    return out.getvalue()


def test_summary_of_the_rich_person_is_the_stored_one(people, language):
    stored = (GOLDEN / f"rich.{language}.txt").read_text(encoding="utf-8")
    assert summary(people["rich"](), language) == stored


def test_no_line_is_wider_than_80_cells(findings, language):
    wide = [line for line in summary(findings, language).splitlines() if cell_len(line) > 80]
    assert wide == []


def test_the_doctor_comes_before_the_answer(findings, language):
    words = catalogue(language)
    text = summary(findings, language)
    assert text.index(words("section.doctor")) < text.index(f"\n{words('answer.label')}\n")


def test_a_fever_is_named_before_the_answer(people, language):
    words = catalogue(language)
    before = summary(people["fever"](), language).split(f"\n{words('answer.label')}\n")[0]
    assert words("flag.today") in before
    assert "38.6℃" in before


def test_a_simulated_person_is_labelled_in_the_first_line(people, language):
    label = catalogue(language)("simulated")
    assert label in summary(people["rich"](), language).splitlines()[0]
    assert label not in summary(people["null"](), language)


def test_it_says_that_it_is_no_diagnosis(findings, language):
    flat = re.sub(r"\s+", "", summary(findings, language))
    assert re.sub(r"\s+", "", catalogue(language)("not_a_diagnosis")) in flat


def test_finding_no_sign_is_never_called_safe(people):
    text = summary(people["rich"](), "ja")
    assert "今回の質問では見つかりませんでした" in text
    assert "「安全」という意味ではありません" in text


@pytest.mark.parametrize(
    ("tens", "bar"),
    [(Tens(4, 2, 6), "..==o==...."), (Tens(0, 0, 1), "o=........."), (Tens(10, 9, 10), ".........=o")],
)
def test_interval_bar(tens, bar):
    assert interval_bar(tens) == bar


RATED = {
    "ja": ("首・肩のこり(0〜10)は、前の2週間の5.8から、終わりの2週間の3.9になりました", "意味のある変化とは言えません"),
    "en": ("stiffness of neck and shoulders, 0 to 10: 5.8 in the two weeks before, 3.9", "too small, or too uncertain"),
}


def test_ratings_stand_beside_a_treatment_with_what_would_have_come_anyway(people, language):
    told, unsure = RATED[language]
    (course,) = tell(people["rich"](), catalogue(language)).courses
    stiffness, pain = (s for s in course.sentences if "0〜10" in s or "0 to 10" in s)
    assert told in stiffness
    assert "−1.9" in stiffness
    assert "−2.6" in stiffness
    assert "−0.7" in stiffness
    assert unsure in pain
    assert "−0.7" not in pain  # too short a record to say what would have come anyway
