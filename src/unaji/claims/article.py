"""The article's text: Markdown sections, each tied to the claims it speaks of."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import zip_longest
from pathlib import Path
from typing import NoReturn

from unaji.claims.model import Section
from unaji.claims.table import JAPANESE, LANGUAGES
from unaji.errors import ClaimsError

_HEADING = re.compile(r"^## (?P<heading>.+?)\s*\{#(?P<id>[a-z][a-z0-9-]*)\}\s*$")
_TIE = re.compile(r"\A\s*<!--\s*claims:(?P<ids>[^>]*)-->\s*", re.DOTALL)


def read_article(folder: Path, known: Collection[str]) -> dict[str, tuple[Section, ...]]:
    """Read ``ja.md`` and ``en.md`` and check that they tell the same story.

    A section is a line ``## Heading {#id}``, directly below it ``<!-- claims: one, another -->`` (empty where the
    section claims nothing), then its text up to the next such line.

    Parameters
    ----------
    known : collection of str
        Ids a section may be tied to; each must be tied to some section in each language.

    Raises
    ------
    ClaimsError
        Naming the file, the section and the rule it breaks.
    """
    article = {language: _read(folder / f"{language}.md", language, known) for language in LANGUAGES}
    _same_sections(folder, article["ja"], article["en"])
    return article


def _read(file: Path, language: str, known: Collection[str]) -> tuple[Section, ...]:
    sections = tuple(_section(file, language, *part) for part in _parts(file, _text(file)))
    for section in sections:
        for claim in section.claims:
            if claim not in known:
                _fail(file, section.id, f"is tied to {claim!r}, which model.toml does not define")
            if section.claims.count(claim) > 1:
                _fail(file, section.id, f"is tied to {claim!r} twice")
    for what, ids in (("section", [s.id for s in sections]), ("heading", [s.heading for s in sections])):
        for one in ids:
            if ids.count(one) > 1:
                _fail(file, one, f"this {what} is there twice")
    mentioned = {claim for section in sections for claim in section.claims}
    for claim in known:
        if claim not in mentioned:
            _fail(file, claim, "no section is tied to this claim; add it to a 'claims:' line")
    return sections


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ClaimsError(f"{file}: the file is missing; an article has a text in both languages") from None
    except UnicodeDecodeError as error:
        raise ClaimsError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _parts(file: Path, text: str) -> list[tuple[str, str, str]]:
    """Cut the text at its second-level headings: (heading, id, body) of each."""
    parts: list[tuple[str, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        heading = _HEADING.match(line)
        if heading:
            parts.append((heading["heading"], heading["id"], []))
        elif line.startswith(("# ", "## ")):
            _fail(file, f"line {number}", f"a heading is written '## Heading {{#id}}', got {line!r}")
        elif parts:
            parts[-1][2].append(line)
        elif line.strip():
            _fail(file, f"line {number}", f"text before the first heading belongs to no section: {line!r}")
    if not parts:
        _fail(file, "the whole file", "there is no section; one starts with '## Heading {#id}'")
    return [(heading, section_id, "\n".join(lines)) for heading, section_id, lines in parts]


def _section(file: Path, language: str, heading: str, section_id: str, body: str) -> Section:
    tie = _TIE.match(body)
    if tie is None:
        _fail(file, section_id, "the line '<!-- claims: … -->' is missing below the heading")
    text = body[tie.end() :].strip()
    if not text:
        _fail(file, section_id, "there is no text")
    if bool(JAPANESE.search(heading + text)) != (language == "ja"):
        _fail(file, section_id, f"does not look like {LANGUAGES[language]}")
    claims = tuple(one.strip() for one in tie["ids"].split(",") if one.strip())
    return Section(section_id, heading, text, claims)


def _same_sections(folder: Path, ja: tuple[Section, ...], en: tuple[Section, ...]) -> None:
    ids_ja, ids_en = [s.id for s in ja], [s.id for s in en]
    for one_id, other_id in zip_longest(ids_ja, ids_en, fillvalue=""):
        if one_id != other_id:
            story = f"ja.md has {', '.join(ids_ja)}; en.md has {', '.join(ids_en)}"
            _fail(folder / "en.md", other_id or one_id, f"the sections differ: {story}")
    for one, other in zip(ja, en, strict=True):
        if set(one.claims) != set(other.claims):
            odd = ", ".join(sorted(set(one.claims) ^ set(other.claims)))
            _fail(folder / "en.md", one.id, f"is tied to other claims than in ja.md: {odd}")


def _fail(file: Path, where: str, reason: str) -> NoReturn:
    raise ClaimsError(f"{file}: {where}: {reason}")
