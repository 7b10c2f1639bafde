"""The findings on four pages of A4, for a doctor or a practitioner: page 1 alone answers everything.

Typst sets the pages (decision 0011): its fonts are embedded, its text can be selected and read out (PDF/UA-1), and
everything a person wrote reaches it as data, never as mark-up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst
from markupsafe import Markup

from unaji.causes.attribution import SignalState, Verdict
from unaji.errors import OutputError
from unaji.findings import Findings
from unaji.report.figures._neck_words import Language
from unaji.report.figures.days import days_figure
from unaji.report.figures.ink import on_paper
from unaji.report.figures.svg import DESKTOP, Figure, dot, rect, root
from unaji.report.html import drawn_figures, full_table
from unaji.report.neck_scene import draw_section
from unaji.report.rounding import half_up
from unaji.report.story.episodes import Card, cards
from unaji.report.story.factors import Factor, Square
from unaji.report.story.story import Story, tell
from unaji.report.typefaces import GOTHIC, first_of, installed
from unaji.report.words import Catalogue, catalogue
from unaji.report.written import PAPER, put_bytes

MOST_ROWS = 9
"""Causes on page 1; the table of all of them is on page 2."""
MOST_EPISODES = 60
"""Episodes on page 2, the latest first."""
MOST_REMARKS = 12
COLUMNS = (("rises", "one", "weeks"), ("lags", "autonomic", "whole"))
"""Figures on page 3, where there is something to draw."""
DAYS_PX = 130
"""Height of the 24 hours on page 1."""


def to_pdf(findings: Findings, language: str = "ja") -> bytes:
    """Return the four pages.

    Parameters
    ----------
    findings : Findings
        What there is to say.
    language : str
        "ja" or "en".

    Returns
    -------
    bytes
        A PDF (PDF/UA-1); the same findings and fonts give the same bytes.

    Raises
    ------
    OutputError
        No font for it is installed.
    """
    words = catalogue(language)
    font = _font(language)
    source = files("unaji.report").joinpath("templates", "report.typ").read_bytes()
    data = json.dumps(_pages(findings, words, font), ensure_ascii=False)
    return typst.compile(source, sys_inputs={"data": data}, font_paths=installed(), pdf_standards=["ua-1"])


def write_pdf(path: Path, pdf: bytes) -> None:
    """Write the pages beside their place and move them there.

    Raises
    ------
    OutputError
        The name does not end in .pdf, or it cannot be written.
    """
    put_bytes(path, pdf, PAPER)


def _font(language: str) -> str:
    found = first_of(GOTHIC[language])
    if found is None:
        raise OutputError(
            "a PDF needs a font with Japanese characters, and none is installed; on Debian: "
            f"apt install fonts-morisawa-bizud-gothic (any of these will do: {', '.join(GOTHIC[language])})"
        )
    return found


# -- what stands on the pages ------------------------------------------------------------------------------------------


def _pages(findings: Findings, words: Catalogue, font: str) -> dict[str, Any]:
    story = tell(findings, words)
    told = cards(findings, story.candidates, words)
    figures = drawn_figures(findings, story, words)
    return {
        "lang": words.language,
        "font": [font, *(one for one in GOTHIC[words.language] if one != font)],
        "words": {key: words(key) for key in _LABELS},
        "head": _head(findings, story, words),
        "doctor": _doctor(story, words),
        "warm": _warm(story, words, font),
        "behind": _behind(findings, story, words, font),
        "days": _days(findings, story, words, font),
        "treatment": _treatment(story),
        "next": [step.what for step in story.open.steps],
        "open": {"heading": _stopped(story.open.heading, words), "missing": story.open.missing},
        "not_behind": [
            _stopped(one, words) for one in (story.not_behind.heading, story.not_behind.kept_heading) if one
        ],
        "table": full_table(findings, story, words),
        "episodes": _episodes(told, words),
        "figures": [[_picture(figures[name], font) for name in column if name in figures] for column in COLUMNS],
        "neck": _neck(story, figures, words, font),
        "how": _how(findings, story, words),
    }


_LABELS = (
    "not_a_diagnosis", "grade.A", "grade.B", "grade.C", "grade.D", "grade.heading", "open.next", "open.next_none",
    "how.tables", "how.method", "how.data", "how.remarks", "how.claims", "section.doctor", "section.warm",
    "section.behind", "section.neck", "section.open", "section.treatment", "section.how", "treatment.crude",
    "treatment.adjusted", "pdf.kind", "pdf.more", "pdf.grades", "flag.still", "flag.not_safe_short",
    "not_behind.keep_advice", "column.factor", "column.verdict", "column.p", "column.of_ten", "column.interval",
    "column.lag", "column.grade",
)  # fmt: skip


def _sentence(text: str) -> str:
    return text.rstrip("。.")


def _stopped(text: str, words: Catalogue) -> str:
    return _sentence(text) + words("pdf.stop")


def _head(findings: Findings, story: Story, words: Catalogue) -> dict[str, Any]:
    person = findings.timeline.person
    decade = 0 if person.birth_year is None else _decade(findings, person.birth_year)
    age = words("pdf.decade", n=decade) if decade else ""
    observed = words("pdf.observed", days=words.count("days", story.period.observed_days))
    episodes = words("pdf.episodes_counted", episodes=words.count("episodes", len(findings.episodes)))
    symptom, length = findings.claims.symptom.in_(words.language), words.count("days", half_up(story.period.days))
    title = words("pdf.title", symptom=symptom, length=length)
    short = words(f"enough.short.{findings.enough.verdict}")
    enough = words("enough.told", label=story.enough_label, value=short)
    return {
        "title": title[:1].upper() + title[1:],
        "simulated": story.simulated,
        "who": [one for one in (age, story.period.text) if one],
        "facts": [episodes, observed, enough],
        "made_by": words("made_by", version=findings.unaji),
    }


def _decade(findings: Findings, birth_year: int) -> int:
    age = findings.observed.period.end.year - birth_year
    return 10 * (age // 10)


def _doctor(story: Story, words: Catalogue) -> dict[str, Any]:
    safety = story.safety
    return {
        "heading": _sentence(safety.heading),
        "active": safety.active,
        "signs": [
            {
                "name": sign.name,
                "say": sign.say if sign.active else "",
                "when": words("list.detail").join(one for one in (sign.when, sign.value) if one),
                "thinks_of": sign.thinks_of,
            }
            for sign in safety.signs
        ],
        "rows": [
            words("pdf.row", name=words("flag.fever_row"), value=safety.fever_row),
            words("pdf.row", name=words("flag.signs_row"), value=safety.signs_row),
        ],
        "fever_days": safety.fever_days,
    }


def _warm(story: Story, words: Catalogue, font: str) -> dict[str, Any]:
    counts = {kind: n for kind, n in story.warmths.counts.items() if n}
    return {
        "heading": _sentence(story.warmths.heading),
        "dots": _dots([str(kind) for kind, n in counts.items() for _ in range(n)], font, _DOTS_A_ROW),
        "alt": words("list.separator").join(f"{words(f'warm.dot.{kind}')} {n}" for kind, n in counts.items()),
        "legend": [
            {"mark": _dots([str(kind)], font, 1), "text": f"{words(f'warm.dot.{kind}')} {n}"}
            for kind, n in counts.items()
        ],
        "not_imagined": story.warmths.not_imagined,
    }


_DOT_LOOKS = {"warm": "dot-warm", "felt": "dot-felt", "around": "dot-warm", "unmeasured": "dot-unmeasured"}
_DOTS_A_ROW = 22


def _dots(kinds: Sequence[str], font: str, a_row: int) -> str:
    """Draw one mark an episode, so many a row: round, and square where it was only warm around."""
    marks = []
    for i, kind in enumerate(kinds):
        x, y = 8 + 16 * (i % a_row), 8 + 16 * (i // a_row)
        look = _DOT_LOOKS[kind]
        marks.append(rect(x - 5, y - 5, 10, 10, look) if kind == "around" else dot(x, y, 6, look))
    rows = -(-len(kinds) // a_row)
    return on_paper(root(*marks, width=16 * a_row, height=16 * rows, class_="figure"), font) if kinds else ""


def _behind(findings: Findings, story: Story, words: Catalogue, font: str) -> dict[str, Any]:
    compared = [one for one in story.candidates.factors if one.result.signal is SignalState.OK]
    shown = compared[:MOST_ROWS] if story.ranked else []
    others = [one for one in compared if one not in shown] if story.ranked else []
    return {
        "heading": _sentence(story.answer.sentence),
        "squares": [_square(one, words, font) for one in story.squares],
        "said": [*story.left_over, *([] if story.ranked else [story.enough])],
        "rows": [_row(one, words) for one in shown],
        "others": words("pdf.others", names=words.join([one.name for one in others])) if others else "",
        "pairs": [pair.sentence for pair in story.candidates.either],
    }


def _square(one: Square, words: Catalogue, font: str) -> dict[str, Any]:
    look = {"either": "band"}.get(one.kind, f"layer f-{one.kind} {one.kind}")
    boxes = [rect(1 + 44 * i, 1, 38, 20, look, 3) for i in range(one.n)]
    edges = [rect(1 + 44 * i, 1, 38, 20, "badge", 3) for i in range(one.n)]
    picture = on_paper(root(*boxes, *edges, width=44 * one.n, height=22, class_="figure"), font)
    return {"n": one.n, "name": one.name, "count": words("of_ten.short", n=one.n), "picture": picture}


def _row(one: Factor, words: Catalogue) -> dict[str, Any]:
    unlikely = one.result.verdict is Verdict.UNLIKELY
    lag = f"{one.lag} ({one.lag_range})" if one.lag else words("unknown")
    count = "" if one.tens is None else words.short_of_ten(one.tens)
    cells = (one.word, one.p, count, one.interval, words("unknown") if unlikely else lag)
    return {"name": one.name, "cells": [cell or words("unknown") for cell in cells], "grade": one.grade.value}


def _treatment(story: Story) -> dict[str, Any]:
    return {
        "heading": _sentence(story.treatment_heading),
        "courses": [
            {
                "name": course.heading if i else "",
                "crude": f"{course.crude} {course.before_after}",
                "adjusted": f"{course.adjusted} {course.adjusted_range}",
                "said": course.sentences,
            }
            for i, course in enumerate(story.courses)
        ],
    }


def _episodes(told: Sequence[Card], words: Catalogue) -> dict[str, Any]:
    shown = told[:MOST_EPISODES]
    key = "pdf.latest" if len(told) > len(shown) else "pdf.all"
    return {
        "heading": words(key, n=words("unit.bare", n=len(shown))),
        "head": [words(f"column.{name}") for name in ("date", "intensity", "kind", "sources")],
        "rows": [[one.when, one.intensity, words(f"pdf.warmth.{one.warmth}"), _strongest(one, words)] for one in shown],
    }


def _strongest(one: Card, words: Catalogue) -> str:
    if one.fever or not one.sources:
        return one.verdict
    return words("list.separator").join(f"{source.name} {source.p}" for source in one.sources[:2])


def _neck(story: Story, figures: dict[str, Figure], words: Catalogue, font: str) -> dict[str, Any]:
    """Give the person's own neck before and during the heat; the five ways side by side where none stands out."""
    language: Language = "ja" if words.language == "ja" else "en"
    if story.neck.scenes:
        scene = story.neck.scenes[0]
        picture, alt = Markup(draw_section(scene.played, language, DESKTOP)), scene.heading
    else:
        ways = figures.get("ways")
        picture, alt = (Markup(""), "") if ways is None else (ways.desktop, ways.aria)
    return {
        "heading": _sentence(story.neck.heading),
        "said": [one for one in (story.neck.paragraph, story.neck.computed) if one],
        "picture": on_paper(picture, font) if picture else "",
        "alt": alt,
        "tag": words("neck.tag"),
    }


def _how(findings: Findings, story: Story, words: Catalogue) -> dict[str, Any]:
    method = story.method
    return {
        "heading": _sentence(method.heading),
        "paragraphs": method.paragraphs,
        "data": [*method.data, story.enough],
        "remarks": method.remarks[:MOST_REMARKS],
        "claims": [
            {"name": one.name.in_(words.language), "claim": one.claim.in_(words.language), "grade": one.grade.value}
            for one in findings.claims.causes
        ],
    }


def _days(findings: Findings, story: Story, words: Catalogue, font: str) -> dict[str, Any] | None:
    factor = story.candidates.strongest
    figure = days_figure(findings, factor, words, hours_px=DAYS_PX) if factor and story.ranked else None
    return None if figure is None else _picture(replace(figure, phone=figure.desktop), font)


def _picture(figure: Figure, font: str) -> dict[str, Any]:
    svg = on_paper(figure.phone, font)  # two stand beside each other
    return {"title": figure.title, "caption": figure.caption, "alt": figure.aria, "svg": svg}
