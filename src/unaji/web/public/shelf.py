"""The articles that are published: read once from their files, found by the address they are shown under."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from unaji.body.scenario_file import shipped_scenarios
from unaji.claims.publication import Contributor, Publication, read_shelf
from unaji.errors import ClaimsError

TAKEN = ("people", "grades", "corrections")
"""Addresses of other public pages, which no article may have."""


def shelf() -> tuple[Publication, ...]:
    """Return every published article of the folder ``settings.ARTICLES``.

    Raises
    ------
    ClaimsError
        A file of theirs breaks a rule.
    """
    return _read(Path(settings.ARTICLES))


def find_article(slug: str) -> Publication | None:
    """Return the article under an address."""
    return next((one for one in shelf() if one.slug == slug), None)


def find_claims(article_id: str) -> Publication | None:
    """Return the published article with an id, which is the name of its folder."""
    return next((one for one in shelf() if one.claims.id == article_id), None)


def contributors() -> dict[str, Contributor]:
    """Return those who wrote or checked a published article, by id."""
    return {person.id: person for one in shelf() for person in (one.author, one.reviewer)}


@cache
def _read(folder: Path) -> tuple[Publication, ...]:
    articles = read_shelf(folder)
    for one in articles:
        if one.slug in TAKEN:
            raise ClaimsError(f"{folder / one.claims.id / 'article.toml'}: slug: {one.slug!r} is the address of a page")
        for name in one.situations:
            if name not in shipped_scenarios():
                raise ClaimsError(
                    f"{folder / one.claims.id / 'article.toml'}: figure.situations: {name!r} is no scenario; "
                    f"choose from {', '.join(shipped_scenarios())}"
                )
    return articles
