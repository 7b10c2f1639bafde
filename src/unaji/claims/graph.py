"""What does the article claim, how does it lead to the symptom, and who says so? Loads, checks and draws the graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from unaji.claims.article import read_article
from unaji.claims.model import Claims, Grade, Route, Source
from unaji.claims.model_file import read_model
from unaji.errors import ClaimsError

SYMPTOM = "symptom"
"""The end of every way through the causal graph."""

_SHIPPED = Path(__file__).parent


def available_articles() -> tuple[str, ...]:
    """Return the names of the articles that ship with unaji."""
    return tuple(sorted(folder.parent.name for folder in _SHIPPED.glob("*/model.toml")))


def load_claims(article: str | Path) -> Claims:
    """Load an article's claims and check everything in them.

    Parameters
    ----------
    article : str or Path
        Name of a shipped article ("neck_heat"), or a folder with ``model.toml``, ``ja.md`` and ``en.md``.

    Raises
    ------
    ClaimsError
        Naming the file, the key and the reason of the first rule that is broken.
    """
    folder = _folder(article)
    claims = read_model(folder / "model.toml")
    return replace(claims, article=read_article(folder, tuple(claim.id for claim in claims.claims)))


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow of the causal graph: a cause to a pathway, or a pathway to `SYMPTOM`.

    Attributes
    ----------
    grade : Grade
        That of the best proven route along this arrow.
    sources : tuple of str
        Those of every route along it, each once.
    """

    start: str
    end: str
    grade: Grade
    sources: tuple[str, ...]


def causal_graph(claims: Claims) -> tuple[Edge, ...]:
    """Draw the claims as arrows: every cause to its pathways, then every pathway in use to the symptom.

    A route's grade already speaks of the whole way from the cause to the symptom; so the last arrow carries the grade
    of the best proven route that runs through it.
    """
    first: dict[tuple[str, str], list[Route]] = {}
    last: dict[tuple[str, str], list[Route]] = {}
    for cause in claims.causes:
        for route in cause.routes:
            first.setdefault((cause.id, route.pathway.value), []).append(route)
            last.setdefault((route.pathway.value, SYMPTOM), []).append(route)
    return tuple(_edge(*ends, routes) for ends, routes in (first | last).items())


def citations(claims: Claims, claim_ids: Iterable[str]) -> tuple[Source, ...]:
    """Return the sources behind some claims, each once, in the order in which the claims name them.

    Parameters
    ----------
    claim_ids : iterable of str
        Ids of causes, treatments or red flags.

    Raises
    ------
    KeyError
        When the article has no such claim.
    """
    named = {claim.id: claim.sources for claim in claims.claims}
    return tuple(claims.sources[source] for source in _each_once(named[claim_id] for claim_id in claim_ids))


def _edge(start: str, end: str, routes: list[Route]) -> Edge:
    return Edge(start, end, min(route.grade for route in routes), _each_once(route.sources for route in routes))


def _each_once(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))


def _folder(article: str | Path) -> Path:
    if isinstance(article, str) and article in available_articles():
        return _SHIPPED / article
    folder = Path(article)
    if not folder.is_dir():
        shipped = ", ".join(available_articles())
        raise ClaimsError(f"{article}: no such article or folder; articles that ship with unaji: {shipped}")
    return folder
