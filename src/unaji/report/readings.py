"""Furigana: how words with kanji taught after primary school are read, told once where a page first has them.

Only pages carry them. On paper for practitioners, in the terminal, in pictures, attributes and titles they would stand
in the way: there the words are bare.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

_OPAQUE = re.compile(r"(<(script|style|title|svg|nav|select|textarea)\b.*?</\2>)|(<[^>]*>)", re.DOTALL)
"""What is passed on whole: elements without running text or that show no ruby (of a menu's choices a browser keeps the
text alone, so that a reading would stand in brackets behind its word), and tags."""

_VOID = ("meta", "br", "link", "img", "input", "hr")


@cache
def readings() -> dict[str, str]:
    """Return the reading of each word, in hiragana."""
    source = files("unaji.report").joinpath("words", "readings.toml")
    return dict(tomllib.loads(source.read_text(encoding="utf-8")))


@cache
def words_read() -> re.Pattern[str]:
    """Return the pattern of every word with a reading, the longest first."""
    return re.compile("|".join(sorted(map(re.escape, readings()), key=len, reverse=True)))


def with_readings(page: str) -> str:
    """Put its reading above each such word where a page first has it; what is folded away comes second.

    What a person wrote, and what is in another language, is left as it is.
    """
    pieces = list(_parts(page))
    told: set[str] = set()
    for folded_turn in (False, True):
        for at, (text, readable, folded) in enumerate(pieces):
            if readable and folded is folded_turn:
                pieces[at] = (_told_once(text, told), readable, folded)
    return "".join(text for text, _, _ in pieces)


def ruby(word: str) -> str:
    """Write a word with its reading above its kanji; kana at its end, which both share, stay beside it."""
    reading, kana = readings()[word], ""
    while word[-1] == reading[-1] and len(word) > 1:
        word, reading, kana = word[:-1], reading[:-1], word[-1] + kana
    return f"<ruby>{word}<rp>(</rp><rt>{reading}</rt><rp>)</rp></ruby>{kana}"


def _told_once(text: str, told: set[str]) -> str:
    def first(found: re.Match[str]) -> str:
        if found[0] in told:
            return found[0]
        told.add(found[0])
        return ruby(found[0])

    read = words_read().sub(first, text)
    # Within a flex box, bare text around a ruby would fall into columns of its own: hold the text together.
    return text if read == text else f"<bdi>{read}</bdi>"


def _parts(page: str) -> list[tuple[str, bool, bool]]:
    """Part a page into tags and texts: whether each is Japanese text of ours, and whether it is folded away."""
    parts: list[tuple[str, bool, bool]] = []
    open_: list[tuple[bool, bool]] = [(True, False)]
    at = 0
    for found in _OPAQUE.finditer(page):
        parts += [(page[at : found.start()], *open_[-1]), (found[0], False, False)]
        at = found.end()
        tag = found[3]
        if tag is None or tag.startswith("<!") or tag.endswith("/>") or _name(tag) in _VOID:
            continue
        if tag.startswith("</"):
            open_.pop()
        else:
            open_.append(_inside(tag, *open_[-1]))
    return [*parts, (page[at:], *open_[-1])]


def _inside(tag: str, readable: bool, folded: bool) -> tuple[bool, bool]:
    other = re.search(r'\blang="(?!ja")', tag) or 'class="written"' in tag
    return readable and not other, folded or _name(tag) == "details"


def _name(tag: str) -> str:
    return tag[1:-1].split(maxsplit=1)[0].rstrip("/")
