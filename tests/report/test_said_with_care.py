"""What is only a companion, or only an anecdote, is never said to cause anything: in no output, in neither language."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html import unescape

import pypdf
import pytest
from rich.console import Console

from unaji.claims.graph import load_claims
from unaji.claims.model import Grade
from unaji.errors import OutputError
from unaji.report import pdf
from unaji.report.html import to_html
from unaji.report.terminal import print_summary
from unaji.report.words import catalogue

CAUSING = {
    "ja": r"原因|引き起こ|ひきおこ|起こします|起こしました|のせいで|招(?:く|き|い)|もたら",
    "en": r"\bcaus\w*|\bdue to\b|\bbrings? (?:it |them )?about\b|\btrigger\w*|\bleads? to\b|\bresponsible\b",
}
"""Words that say that one thing brings the other about."""


def html_text(findings, language):
    """The page as it is read, less what the article and its sources say and the names of the engine's checks."""
    page = to_html(findings, language).partition("<body")[2]
    page = re.sub(r"</?bdi>|</?ruby>|<rp>.*?</rp>|<rt>.*?</rt>|<script.*?</script>", "", page, flags=re.DOTALL)
    said_by_others = rf"<summary><span>{catalogue(language)('how.claims')}</span>.*?</details>"
    page = re.sub(said_by_others, "", page, flags=re.DOTALL)
    page = re.sub(r'<details class="row"><summary><span>[^<]*</span></summary>\s*<div class="lines">.*?</details>', "",
                  page, flags=re.DOTALL)  # fmt: skip
    page = re.sub(r'<(dl|li)[^>]* lang="en".*?</\1>', "", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "\n", page.replace('<span class="n">', "").replace("</span>", "")))


def terminal_text(findings, language):
    out = io.StringIO()
    print_summary(findings, Console(file=out, width=200, color_system=None), language)
    return out.getvalue()


def pdf_text(findings, language):
    try:
        pdf._font(language)
    except OutputError as error:  # pragma: no cover
        pytest.skip(str(error))
    pages = pypdf.PdfReader(io.BytesIO(pdf.to_pdf(findings, language))).pages[
        :3
    ]  # the fourth lists the article's claims
    return "\n".join(page.extract_text() for page in pages)


OUTPUTS = {"html": html_text, "terminal": terminal_text, "pdf": pdf_text}


@pytest.fixture(scope="module")
def companion(people):
    """A person whose strongest factor is almost certain, of grade D, and fits the heat before it still better."""
    rich = people["rich"]()
    first, *others = rich.attribution.causes
    first = replace(first, p_backwards=0.99)
    assert first.may_be_companion
    assert rich.claims.cause(first.id).grade is Grade.D
    return replace(rich, attribution=replace(rich.attribution, causes=(first, *others)))


def without_blanks(text):
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("output", sorted(OUTPUTS))
def test_a_companion_of_grade_d_is_not_said_to_cause_anything(companion, language, output):
    text = OUTPUTS[output](companion, language)
    name = companion.claims.cause("pressure_drop").name.in_(language)
    assert without_blanks(name) in without_blanks(text)
    assert re.findall(rf".*(?:{CAUSING[language]}).*", text, re.IGNORECASE) == []


@pytest.mark.parametrize("output", ["html", "terminal"])
def test_a_companion_is_said_to_go_along_or_to_follow(companion, people, language, output):
    note = without_blanks(catalogue(language)("behind.note_companion"))
    assert note in without_blanks(OUTPUTS[output](companion, language))
    assert note not in without_blanks(OUTPUTS[output](people["rich"](), language))


@pytest.mark.parametrize("output", ["html", "pdf"])  # the terminal has room for the letter only
def test_grade_d_is_called_anecdote_or_guess_however_clear_the_records_are(companion, language, output):
    text = without_blanks(OUTPUTS[output](companion, language))
    assert without_blanks(catalogue(language)("grade.D")) in text


@pytest.mark.parametrize("output", ["html", "terminal"])
def test_a_clear_record_of_a_weakly_proven_factor_says_that_medicine_has_not_settled_it(companion, language, output):
    note = without_blanks(catalogue(language)("behind.note_solid_weak"))
    assert note in without_blanks(OUTPUTS[output](companion, language))


def test_the_articles_own_names_of_its_factors_say_nothing_of_causing(language):
    names = [cause.name.in_(language) for cause in load_claims("neck_heat").causes]
    assert [name for name in names if re.search(CAUSING[language], name, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    ("tongue", "sentence"),
    [
        ("ja", "気圧が熱さを引き起こします。"),
        ("ja", "原因は気圧です。"),
        ("en", "Pressure caused it."),
        ("en", "It leads to heat."),
    ],
)
def test_the_words_looked_for_are_found_where_they_stand(tongue, sentence):
    assert re.search(CAUSING[tongue], sentence, re.IGNORECASE)
