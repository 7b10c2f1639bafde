"""Who wrote an article, who checked it and when: what has to be known of it before it is shown to the public.

An article that is to be published has an ``article.toml`` beside its ``model.toml``: ``slug``, ``category``,
``summary``, the days ``published``, ``updated``, ``last_reviewed`` and ``next_review``, ``author`` and ``reviewer``
(ids of ``people.toml``, which lies beside the articles), ``[figure]`` with the scenarios of `unaji.body` its mechanism
is shown by, and ``[[corrections]]`` where something had to be put right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

from unaji.claims.graph import load_claims
from unaji.claims.model import Claims, Words
from unaji.claims.table import Table, read_table

SHIPPED = Path(__file__).parent
"""Folder of the articles that ship with unaji, and of the people behind them."""
LONGEST_REVIEW = timedelta(days=366)
"""Within how long an article is looked at again."""
SENTENCES = 2
"""Of how many sentences a summary is made."""

NATIONAL: Mapping[str, str] = MappingProxyType(
    {
        "医師": "physician",
        "歯科医師": "dentist",
        "薬剤師": "pharmacist",
        "看護師": "nurse",
        "保健師": "public health nurse",
        "助産師": "midwife",
        "はり師": "licensed acupuncturist",
        "きゅう師": "licensed moxibustion practitioner",
        "あん摩マッサージ指圧師": "licensed massage practitioner",
        "柔道整復師": "judo therapist",
        "理学療法士": "physical therapist",
        "作業療法士": "occupational therapist",
        "言語聴覚士": "speech-language-hearing therapist",
        "視能訓練士": "orthoptist",
        "義肢装具士": "prosthetist and orthotist",
        "臨床検査技師": "clinical laboratory technologist",
        "診療放射線技師": "radiological technologist",
        "臨床工学技士": "clinical engineer",
        "救急救命士": "emergency life-saving technician",
        "歯科衛生士": "dental hygienist",
        "管理栄養士": "registered dietitian",
        "公認心理師": "certified public psychologist",
        "社会福祉士": "certified social worker",
        "介護福祉士": "certified care worker",
        "精神保健福祉士": "mental health social worker",
    }
)
"""Licences of the Japanese state, with their names in English; any other title is no licence."""

_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc\u30fb\s]+")
_SENTENCE_ENDS = {"ja": re.compile(r"。"), "en": re.compile(r"[.?](?=\s|$)")}


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence of the state.

    Attributes
    ----------
    kind : str
        One of `NATIONAL`.
    verified : bool
        Whether somebody saw the certificate; one that was not verified is shown to nobody.
    """

    kind: str
    verified: bool

    @property
    def name(self) -> Words:
        """Its name in both languages."""
        return Words(self.kind, NATIONAL[self.kind])


@dataclass(frozen=True, slots=True)
class Reference:
    """A page elsewhere that tells more of a person."""

    name: Words
    url: str


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody who writes or checks articles.

    Attributes
    ----------
    kana : str
        How the name is read.
    invented : bool
        There is no such person; said wherever the name is shown.
    role : Words
        What they do.
    titles : tuple of Words
        Qualifications that are no licence of the state.
    """

    id: str
    name: Words
    kana: str
    invented: bool
    role: Words
    licences: tuple[Licence, ...]
    titles: tuple[Words, ...]
    societies: tuple[Words, ...]
    profile: Words
    links: tuple[Reference, ...]

    @property
    def shown_licences(self) -> tuple[Licence, ...]:
        """Those that may be shown."""
        return tuple(one for one in self.licences if one.verified)


@dataclass(frozen=True, slots=True)
class Correction:
    """Something in an article that was wrong, and what it was changed to."""

    day: date
    what: Words


@dataclass(frozen=True, slots=True)
class Publication:
    """An article with all that is shown around it.

    Attributes
    ----------
    situations : tuple of str
        Scenarios of `unaji.body` by which its mechanism is shown, the one shown first in front; may be empty.
    situations_after : str
        Id of the section below which they stand.
    corrections : tuple of Correction
        Newest first.
    """

    claims: Claims
    slug: str
    category: Words
    summary: Words
    published: date
    updated: date
    last_reviewed: date
    next_review: date
    author: Contributor
    reviewer: Contributor
    situations: tuple[str, ...]
    situations_after: str
    corrections: tuple[Correction, ...]

    def is_overdue(self, today: date) -> bool:
        """Say whether it should have been looked at again by now."""
        return today > self.next_review


def read_shelf(folder: Path = SHIPPED) -> tuple[Publication, ...]:
    """Read every article of a folder that is to be published, and the people behind them.

    Parameters
    ----------
    folder : Path, optional
        Holds ``people.toml`` and a folder an article. Default: the articles that ship with unaji.

    Raises
    ------
    ClaimsError
        Naming the file, the key and the reason of the first rule that is broken.
    """
    files = sorted(folder.glob("*/article.toml"))
    people = read_people(folder / "people.toml") if files else {}
    found = tuple(read_publication(file.parent, people) for file in files)
    counted = Counter(one.slug for one in found)
    for file, one in zip(files, found, strict=True):
        if counted[one.slug] > 1:
            Table(file, {}).fail(f"another article has the address {one.slug!r} too", "slug")
    return found


def read_people(file: Path) -> dict[str, Contributor]:
    """Read ``people.toml``: a table for each person, by id."""
    whole = read_table(file)
    people = {one: _person(one, table) for one, table in whole.tables("people").items()}
    whole.finish()
    return people


def read_publication(folder: Path, people: Mapping[str, Contributor]) -> Publication:
    """Read an article's folder with its ``article.toml``.

    Raises
    ------
    ClaimsError
        Naming the file, the key and the reason of the first rule that is broken.
    """
    table, claims = read_table(folder / "article.toml"), load_claims(folder)
    situations, after = _figure(table, claims)
    found = Publication(
        claims=claims,
        slug=_slug(table),
        category=table.words("category"),
        summary=_summary(table),
        published=table.day("published"),
        updated=table.day("updated"),
        last_reviewed=table.day("last_reviewed"),
        next_review=table.day("next_review"),
        author=_contributor(table, "author", people),
        reviewer=_contributor(table, "reviewer", people),
        situations=situations,
        situations_after=after,
        corrections=_corrections(table),
    )
    table.finish()
    _check_days(table, found)
    if found.reviewer.id == found.author.id:
        table.fail("nobody checks what they wrote themselves; name another person", "reviewer")
    return found


def _person(person_id: str, table: Table) -> Contributor:
    person = Contributor(
        id=person_id,
        name=table.words("name"),
        kana=table.text("kana"),
        invented=table.flag("invented", False),
        role=table.words("role"),
        licences=tuple(_licence(one) for one in _each(table, "licences")),
        titles=tuple(one.as_words() for one in _each(table, "titles")),
        societies=tuple(one.as_words() for one in _each(table, "societies")),
        profile=table.words("profile"),
        links=tuple(_reference(one) for one in _each(table, "links")),
    )
    if not _KANA.fullmatch(person.kana):
        table.fail(f"must be written in hiragana or katakana, got {person.kana!r}", "kana")
    table.finish()
    return person


def _licence(table: Table) -> Licence:
    licence = Licence(table.text("kind"), table.flag("verified"))
    if licence.kind not in NATIONAL:
        table.fail(f"{licence.kind!r} is no licence of the state; put it under titles (known: {', '.join(NATIONAL)})",
                   "kind")  # fmt: skip
    table.finish()
    return licence


def _reference(table: Table) -> Reference:
    reference = Reference(table.words("name"), table.text("url"))
    if not reference.url.startswith("https://"):
        table.fail(f"must start with https://, got {reference.url!r}", "url")
    table.finish()
    return reference


def _correction(table: Table) -> Correction:
    correction = Correction(table.day("day"), table.words("what"))
    table.finish()
    return correction


def _corrections(table: Table) -> tuple[Correction, ...]:
    found = [_correction(one) for one in _each(table, "corrections")]
    return tuple(sorted(found, key=lambda one: one.day, reverse=True))


def _each(table: Table, name: str) -> list[Table]:
    return table.array(name) if name in table else []


def _figure(table: Table, claims: Claims) -> tuple[tuple[str, ...], str]:
    if "figure" not in table:
        return (), ""
    figure = table.table("figure")
    situations, after = figure.texts("situations"), figure.text("after")
    sections = [section.id for section in claims.article["ja"]]
    if after not in sections:
        figure.fail(f"{after!r} is no section of this article; choose one of {', '.join(sections)}", "after")
    figure.finish()
    return situations, after


def _slug(table: Table) -> str:
    slug = table.text("slug")
    if not _SLUG.fullmatch(slug):
        table.fail(f"an address is made of small ASCII letters, digits and single hyphens, got {slug!r}", "slug")
    return slug


def _summary(table: Table) -> Words:
    summary = table.words("summary")
    for language, ends in _SENTENCE_ENDS.items():
        n = len(ends.findall(summary.in_(language)))
        if n != SENTENCES:
            table.fail(f"must be {SENTENCES} sentences, found {n}", f"summary.{language}")
    return summary


def _contributor(table: Table, name: str, people: Mapping[str, Contributor]) -> Contributor:
    person = table.text(name)
    if person not in people:
        table.fail(f"{person!r} is nobody in people.toml; known: {', '.join(people)}", name)
    return people[person]


def _check_days(table: Table, found: Publication) -> None:
    if found.updated < found.published:
        table.fail(f"lies before the article was published ({found.published})", "updated")
    if found.last_reviewed < found.published:
        table.fail(f"lies before the article was published ({found.published})", "last_reviewed")
    if not timedelta(0) < found.next_review - found.last_reviewed <= LONGEST_REVIEW:
        table.fail(f"must come after last_reviewed ({found.last_reviewed}), within a year", "next_review")
    for correction in found.corrections:
        if not found.published <= correction.day <= found.updated:
            table.fail(f"{correction.day} does not lie between published and updated", "corrections")
