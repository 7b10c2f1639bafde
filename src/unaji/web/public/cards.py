"""The picture by which a page is recognised where its address is shared: its title, and the figure of its mechanism.

Set by Typst when the server prepares, kept in ``UNAJI_HOME`` under a name made of everything it shows, and served under
that name, so that it may be kept for ever. A picture that somebody shared goes on being served for a year after
another took its place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings

from unaji.claims.publication import Publication
from unaji.report.phrases import phrases
from unaji.web.public.shelf import shelf
from unaji.web.public.situations import situations_of
from unaji.web.words import LANGUAGES, catalogue

logger = logging.getLogger(__name__)

WIDTH_PX, HEIGHT_PX = 1200, 630
"""What those who show such pictures ask for."""
PIXELS_A_POINT = 2
KEPT_S = 366 * 86_400.0

_TEMPLATE = Path(__file__).parents[1] / "templates" / "public" / "card.typ"
_NAME = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Card:
    """What a picture shows.

    Attributes
    ----------
    title : str
        In the largest type.
    category : str
        What the page belongs to; may be empty.
    neck : str
        The figure of the mechanism as SVG; "" where there is none.
    """

    language: str
    title: str
    category: str
    neck: str

    @property
    def alt(self) -> str:
        """What it shows, in words that stand on the page too."""
        say = catalogue(self.language)
        return say("card.alt", title=self.title, figure=say("figure.title")) if self.neck else self.title


def card_of(article: Publication, language: str) -> Card:
    """Return what the picture of an article shows."""
    return Card(language, article.claims.title.in_(language), article.category.in_(language), _neck(article))


def card_of_index(language: str) -> Card:
    """Return what the picture of the list of articles shows, and of pages that belong to no article."""
    necks = (_neck(one) for one in shelf())
    return Card(language, catalogue(language)("public.heading"), "", next((one for one in necks if one), ""))


def name_of(card: Card) -> str:
    """Return the name under which a picture is served; it is made where nobody did so before.

    "" where no typeface for its language is installed: its words would be empty boxes.
    """
    noted = _folder() / f"{_key(card)}.name"
    return noted.read_text(encoding="ascii") if noted.is_file() else _make(card)


def file_of(name: str) -> Path | None:
    """Return the file of a picture, also of one whose place another took since."""
    file = _folder() / f"{name}.png"
    return file if _NAME.fullmatch(name) and file.is_file() else None


def make_all() -> None:
    """Make the pictures of all articles that are not there yet, and throw away those that were replaced long ago.

    One for which there was no typeface is tried again, since one may have been installed. What is there is not set
    anew: Typst and its typefaces stay in the memory of a process, 100 MB of it.
    """
    names = [(card, name_of(card)) for card in _all()]
    made = {_make(card) if file_of(name) is None else name for card, name in names}
    if "" in made:
        logger.warning("pages are shared with the app's icon: no typeface for their title is installed")
    for file in _folder().iterdir():
        stale = file.stem not in made and file.stat().st_mtime < time.time() - KEPT_S
        if file.suffix == ".png" and stale:
            file.unlink(missing_ok=True)
    known = {f"{_key(card)}.name" for card in _all()}
    for file in _folder().glob("*.name"):
        if file.name not in known:
            file.unlink(missing_ok=True)


def _all() -> Iterator[Card]:
    for language in LANGUAGES:
        yield card_of_index(language)
        for article in shelf():
            yield card_of(article, language)


def _neck(article: Publication) -> str:
    situations = situations_of(article)
    return situations[0].neck if situations else ""


def _folder() -> Path:
    folder = Path(settings.HOME) / "public" / "cards"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _key(card: Card) -> str:
    """Return what a picture depends on, but for the typefaces: to look for these takes longer than to serve a page."""
    said = [json.dumps(_shown(card), ensure_ascii=False, sort_keys=True), version("typst"), _look()]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:24]


@cache
def _look() -> str:
    return hashlib.sha256(_TEMPLATE.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _shown(card: Card) -> dict[str, Any]:
    say = catalogue(card.language)
    return {
        "lang": card.language,
        "title": phrases(card.title, card.language),
        "category": card.category,
        "neck": card.neck,
        "computed": say("figure.computed"),
    }


def _make(card: Card) -> str:
    """Set a picture, keep it, and note its name."""
    png = _set(card)
    name = hashlib.sha256(png).hexdigest()[:24] if png else ""
    if png and not (_folder() / f"{name}.png").is_file():
        _put(_folder() / f"{name}.png", png)
    _put(_folder() / f"{_key(card)}.name", name.encode("ascii"))
    return name


def _set(card: Card) -> bytes:
    """Return the picture as PNG; nothing where no typeface for its language is installed."""
    import typst  # noqa: PLC0415  # a web process that only hands out what is there never needs it

    from unaji.report.typefaces import GOTHIC, MINCHO, first_of, installed  # noqa: PLC0415

    fonts = {"heading": first_of(MINCHO[card.language]), "body": first_of(GOTHIC[card.language])}
    if None in fonts.values():
        return b""
    data = json.dumps({**_shown(card), "fonts": fonts}, ensure_ascii=False)
    return typst.compile(
        _TEMPLATE.read_bytes(), format="png", ppi=72.0 * PIXELS_A_POINT, sys_inputs={"data": data},
        font_paths=installed(),
    )  # fmt: skip


def _put(file: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that nobody reads half of one."""
    fresh = file.with_name(f".{secrets.token_hex(6)}")
    fresh.write_bytes(content)
    fresh.replace(file)
