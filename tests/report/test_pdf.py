"""The four pages for a doctor: what they hold, that eye, ear and search can read them, and that they stay four."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import replace

import pypdf
import pytest

from unaji.errors import OutputError
from unaji.report import pdf, typefaces
from unaji.report.pdf import to_pdf, write_pdf
from unaji.report.story.story import tell
from unaji.report.words import catalogue

try:
    pdf._font("ja")
except OutputError as error:  # pragma: no cover
    pytest.skip(str(error), allow_module_level=True)


def read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def letters(text: str) -> str:
    """Without blanks and line ends, which belong to the setting; compatible characters alike."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def test_every_report_is_four_pages_and_the_first_answers(findings, language):
    words = catalogue(language)
    story = tell(findings, words)
    pages = read(to_pdf(findings, language)).pages
    first = letters(pages[0].extract_text())
    assert len(pages) == 4
    told = [story.safety.heading, story.warmths.heading, story.answer.sentence, story.treatment_heading]
    places = [first.index(letters(one.rstrip("。."))) for one in told]
    assert places == sorted(places)
    assert letters(words("not_a_diagnosis")) in first
    for one in story.candidates.named:
        assert letters(one.name) in first


def test_it_says_whose_tongue_it_is_in_and_is_tagged_for_the_ear(people, language):
    document = read(to_pdf(people["rich"](), language))
    root = document.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert document.metadata.title
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()


def test_all_fonts_are_inside(people):
    def fonts(resources) -> list:
        own = [font.get_object() for font in resources.get("/Font", {}).values()]
        forms = [x.get_object() for x in resources.get("/XObject", {}).values()]
        return own + [f for form in forms if "/Resources" in form for f in fonts(form["/Resources"])]

    found = [font for page in read(to_pdf(people["rich"]())).pages for font in fonts(page["/Resources"])]
    assert found
    for font in found:
        described = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        descriptor = described["/FontDescriptor"].get_object()
        assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        assert "/ToUnicode" in font


def test_the_same_findings_give_the_same_bytes(people):
    assert to_pdf(people["rich"]()) == to_pdf(people["rich"]())


def test_words_of_an_article_are_text_and_never_mark_up(people):
    """Typst's own signs stay signs: nothing in them is set, read or run."""
    findings = people["rich"]()
    signs = '#panic("x") *a* $b$ #read("/etc/passwd")'
    claims = replace(findings.claims, symptom=replace(findings.claims.symptom, ja=signs))
    first = read(to_pdf(replace(findings, claims=claims))).pages[0].extract_text()
    assert letters(signs) in letters(first).replace("“", '"').replace("”", '"')


def test_a_warning_sign_stands_first_in_a_box(people):
    words = catalogue("ja")
    first = letters(read(to_pdf(people["emergency"]())).pages[0].extract_text())
    assert first.index(letters(words("flag.emergency"))) < first.index(letters(words("section.warm")))


def test_without_a_font_for_japanese_it_says_what_to_install(people, monkeypatch):
    class Bare:
        def families(self) -> list[str]:
            return ["DejaVu Sans Mono"]

    monkeypatch.setattr(typefaces, "installed", Bare)
    with pytest.raises(OutputError, match="apt install fonts-morisawa-bizud-gothic"):
        to_pdf(people["rich"]())


def test_a_pdf_is_never_written_over_a_record(tmp_path):
    with pytest.raises(OutputError, match=r"must end in \.pdf"):
        write_pdf(tmp_path / "episodes.csv", b"%PDF")
    write_pdf(tmp_path / "report.pdf", b"%PDF")
    assert [one.name for one in tmp_path.iterdir()] == ["report.pdf"]
