"""What changes, for programs that look by themselves: an Atom feed a language, the site map, the robots' rules."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree as ET

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from unaji.claims.publication import Publication
from unaji.web.public.pages import Made, start_of
from unaji.web.public.shelf import contributors, shelf
from unaji.web.public.told import asked_about, changed_at, last_changed
from unaji.web.words import LANGUAGES, words

ATOM = "http://www.w3.org/2005/Atom"
SITE_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
CLOSED = ("/account/", "/add", "/bring", "/course", "/entries/", "/episodes/", "/export", "/intake", "/language/",
          "/mine", "/more", "/now", "/questions/", "/report", "/today", "/why")  # fmt: skip
"""Addresses of the app, in which a robot finds nothing but the way to sign in."""

ET.register_namespace("", SITE_MAP)
ET.register_namespace("xhtml", XHTML)


def feed(language: str) -> Made:
    """Make the Atom feed of a language: every article, and every correction as an entry of its own."""
    with translation.override(language):
        entries = [entry for one in shelf() for entry in _entries(one, language)]
        changed = max((moment for moment, _ in entries), default=last_changed(()))
        root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": language})
        _put(root, "id", _url("feed", language))
        _put(root, "title", words()("feed.title"))
        _put(root, "updated", changed.isoformat())
        ET.SubElement(root, "link", {"rel": "self", "href": _url("feed", language)})
        ET.SubElement(root, "link", {"rel": "alternate", "href": _url("index", language)})
        for _, entry in sorted(entries, key=lambda one: one[0], reverse=True):
            root.append(entry)
        return Made(_written(root), changed, "application/atom+xml; charset=utf-8")


def site_map() -> Made:
    """Make the site map: every page in every language it tells something in, with when it last told something new."""
    root = ET.Element(f"{{{SITE_MAP}}}urlset")
    listed: list[tuple[str, tuple[str, ...], dict[str, datetime]]] = [("grades", (), {})]  # has no date of its own
    for one in shelf():
        listed.append(("article", (one.slug,), {language: changed_at(one, language) for language in LANGUAGES}))
        answered = {language: changed_at(one, language) for language in LANGUAGES if asked_about(one, language)}
        if answered:
            listed.append(("answers", (one.slug,), answered))
    of_all = dict.fromkeys(LANGUAGES, last_changed(shelf()))
    listed += [("index", (), of_all), ("corrections", (), of_all)]
    for person in contributors():
        theirs = last_changed(one for one in shelf() if person in (one.author.id, one.reviewer.id))
        listed.append(("person", (person,), dict.fromkeys(LANGUAGES, theirs)))
    for name, args, changed in listed:
        languages = tuple(changed) or LANGUAGES
        for language in languages:
            url = ET.SubElement(root, f"{{{SITE_MAP}}}url")
            ET.SubElement(url, f"{{{SITE_MAP}}}loc").text = _url(name, language, *args)
            if language in changed:
                ET.SubElement(url, f"{{{SITE_MAP}}}lastmod").text = changed[language].isoformat(timespec="seconds")
            for other, spoken in (*((one, one) for one in languages), ("x-default", languages[0])):
                said = {"rel": "alternate", "hreflang": other, "href": _url(name, spoken, *args)}
                ET.SubElement(url, f"{{{XHTML}}}link", said)
    newest = max((moment for _, _, changed in listed for moment in changed.values()), default=of_all["ja"])
    return Made(_written(root), newest, "application/xml; charset=utf-8")


def robots() -> Made:
    """Make the rules for robots: the public pages are open to them."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), "", f"Sitemap: {settings.ORIGIN}/sitemap.xml"]
    return Made("\n".join(lines) + "\n", last_changed(shelf()), "text/plain; charset=utf-8")


def _entries(article: Publication, language: str) -> list[tuple[datetime, ET.Element]]:
    url, title = _url("article", language, article.slug), article.claims.title.in_(language)
    author = article.author.name.in_(language)
    if article.author.invented:
        author = words()("feed.invented", name=author)
    entries = [
        (changed_at(article, language), {"id": url, "title": title, "summary": article.summary.in_(language)},
         start_of(article.published))
    ]  # fmt: skip
    for n, one in enumerate(reversed(article.corrections), start=1):
        said = {"id": f"{url}#correction-{n}", "title": words()("feed.correction", title=title),
                "summary": one.what.in_(language)}  # fmt: skip
        entries.append((start_of(one.day), said, start_of(one.day)))
    return [(changed, _entry(said, author, url, changed, published)) for changed, said, published in entries]


def _entry(said: dict[str, str], author: str, url: str, changed: datetime, published: datetime) -> ET.Element:
    entry = ET.Element("entry")
    for name, text in said.items():
        _put(entry, name, text)
    _put(entry, "published", published.isoformat(timespec="seconds"))
    _put(entry, "updated", changed.isoformat(timespec="seconds"))
    _put(ET.SubElement(entry, "author"), "name", author)
    ET.SubElement(entry, "link", {"rel": "alternate", "href": url})
    return entry


def _put(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _url(name: str, language: str, *args: str) -> str:
    return f"{settings.ORIGIN}{reverse(f'public:{name}', args=[language, *args])}"


def _written(root: ET.Element) -> str:
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
