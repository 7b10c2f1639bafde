"""What machines read of an article: schema.org as JSON-LD, and nothing that the page does not show.

A person who does not exist is named as on the page and given no licence. No ratings and no reviews, and nobody here is
a clinic or a physician's practice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.utils.safestring import SafeString, mark_safe

from unaji.claims.model import Source
from unaji.claims.publication import Contributor, Publication
from unaji.web.words import words

CONTEXT = "https://schema.org"
_ESCAPES = {ord(one): f"\\u{ord(one):04X}" for one in "<>&"}
"""As Django's ``json_script`` does: no text can end the element, and JSON reads the same."""


class Answered(Protocol):
    """A question and its answer, as texts."""

    @property
    def asked_text(self) -> str:
        """The question."""

    @property
    def answered_text(self) -> str:
        """The answer."""


def of_article(
    article: Publication, language: str, url: str, index_url: str, sources: Iterable[Source],
    questions: Sequence[Answered], card: Mapping[str, Any] | None,
) -> SafeString:  # fmt: skip
    """Return the ``<script type="application/ld+json">`` of an article; its texts are those of the active language.

    Parameters
    ----------
    card : mapping, optional
        The page's picture: ``url``, ``width`` and ``height`` in pixels.
    """
    crumbs = _crumbs(article, language, url, index_url)
    page = _page(article, language, url, sources)
    if card is not None:
        page["image"] = {"@type": "ImageObject", "url": card["url"], "width": card["width"], "height": card["height"]}
    graph = [page, crumbs]
    if questions:
        graph.append(_questions(url, language, questions))
    return script({"@context": CONTEXT, "@graph": graph})


def of_questions(language: str, url: str, questions: Sequence[Answered]) -> SafeString:
    """Return the ``<script type="application/ld+json">`` of a page of questions."""
    return script({"@context": CONTEXT, "@graph": [_questions(url, language, questions)]})


def script(said: dict[str, Any]) -> SafeString:
    """Write JSON-LD so that no text in it can end the element."""
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')


def _page(article: Publication, language: str, url: str, sources: Iterable[Source]) -> dict[str, Any]:
    title = article.claims.title.in_(language)
    return {
        "@type": "MedicalWebPage",
        "@id": url,
        "url": url,
        "name": title,
        "headline": title,
        "description": article.summary.in_(language),
        "inLanguage": language,
        "datePublished": article.published.isoformat(),
        "dateModified": article.updated.isoformat(),
        "lastReviewed": article.last_reviewed.isoformat(),
        "about": {"@type": "MedicalSymptom", "name": article.claims.symptom.in_(language)},
        "audience": {"@type": "Patient"},
        "author": _person(article.author, language),
        "reviewedBy": _person(article.reviewer, language),
        "publisher": {"@type": "Organization", "name": "unaji"},
        "citation": [one.citation for one in sources],
        "isAccessibleForFree": True,
        "breadcrumb": {"@id": f"{url}#breadcrumb"},
    }


def _person(person: Contributor, language: str) -> dict[str, Any]:
    if person.invented:
        return {"@type": "Person", "name": person.name.in_(language), "description": words()("people.invented")}
    said: dict[str, Any] = {"@type": "Person", "name": person.name.in_(language)}
    licences = [one.name.in_(language) for one in person.shown_licences]
    if licences:
        said["hasCredential"] = [{"@type": "EducationalOccupationalCredential", "name": one} for one in licences]
    return said


def _crumbs(article: Publication, language: str, url: str, index_url: str) -> dict[str, Any]:
    steps = [(article.category.in_(language), index_url), (article.claims.symptom.in_(language), url)]
    return {
        "@type": "BreadcrumbList",
        "@id": f"{url}#breadcrumb",
        "itemListElement": [
            {"@type": "ListItem", "position": n, "name": name, "item": to}
            for n, (name, to) in enumerate(steps, start=1)
        ],
    }


def _questions(url: str, language: str, questions: Sequence[Answered]) -> dict[str, Any]:
    return {
        "@type": "FAQPage",
        "@id": f"{url}#questions",
        "inLanguage": language,
        "mainEntity": [
            {"@type": "Question", "name": one.asked_text,
             "acceptedAnswer": {"@type": "Answer", "text": one.answered_text}}
            for one in questions
        ],
    }  # fmt: skip
