"""What the app says: texts by key in the language of the request, for templates (`{% say "key" n=3 %}`) and for code.

Every text lies in ``locale/ja/*.toml`` and ``locale/en/*.toml`` under the same key with the same placeholders.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from django import template
from django.conf import settings
from django.utils import translation
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from unaji.records.reasons import Told
from unaji.report.words import Catalogue, flat
from unaji.report.words import catalogue as report_words

LANGUAGES = ("ja", "en")
FOLDER = Path(__file__).parent / "locale"

register = template.Library()


@cache
def catalogue(language: str) -> Catalogue:
    """Return all texts of "ja" or "en"; a key that stands in two files is a mistake."""
    texts: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.toml")):
        for key, text in flat(tomllib.loads(file.read_text(encoding="utf-8"))):
            if key in texts:
                raise ValueError(f"{file}: {key} stands in another file too")
            texts[key] = text
    return Catalogue(language, texts)


def spoken() -> str:
    """Return the language of this request: "ja" or "en"."""
    return (translation.get_language() or "ja")[:2]


def words() -> Catalogue:
    """Return the texts in the language of this request."""
    return catalogue(spoken())


@register.simple_tag
def say(key: str, **values: object) -> SafeString:
    """Say a text; what fills its placeholders is escaped."""
    text = words().texts[key]
    return format_html(text, **values) if values else mark_safe(conditional_escape(text))


@register.filter
def said(key: str, prefix: str = "") -> str:
    """Say a text whose key is put together: ``{{ kind|said:"add.kind." }}``."""
    return words()(f"{prefix}{key}")


@register.filter
def may_be_said(key: str, prefix: str = "") -> str:
    """Say a text where there is one under this key, and nothing otherwise."""
    say = words()
    return say(f"{prefix}{key}") if f"{prefix}{key}" in say else ""


def in_its_language(told: Told) -> str:
    """Return a sentence for a page, marked with its language where that is not the page's."""
    return (
        told.text if told.language == spoken() else format_html('<span lang="{}">{}</span>', told.language, told.text)
    )


@register.simple_tag
def language_now() -> str:
    """Return the language of the page, for its ``lang``."""
    return spoken()


@register.filter
def times(n: int) -> range:
    """Give something to loop over n times."""
    return range(n)


@register.filter
def bars(grade: str) -> list[bool]:
    """Give the four bars of an evidence grade: filled or not."""
    return [i < 4 - "ABCD".index(grade) for i in range(4)]


@register.filter
def job_error(code: str) -> str:
    """Say why a job failed, as far as that is known."""
    key = f"job.error.{code}"
    return words()(key) if key in words() else words()("job.error.unexpected")


@register.simple_tag
def chart_patterns() -> SafeString:
    """Give the hatchings that the charts of the report refer to."""
    source = files("unaji.report").joinpath("templates", "patterns.svg").read_text(encoding="utf-8")
    return mark_safe(f'<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>{source}</defs></svg>')


@register.filter
def grade_aloud(grade: str) -> str:
    """Say an evidence grade in words, for those who listen."""
    report = report_words(spoken())
    return report("grade.aloud", grade=grade, text=report(f"grade.{grade}"))


@register.simple_tag
def example_offered() -> bool:
    """Say whether visitors may look around as the invented person."""
    return bool(settings.EXAMPLE)
