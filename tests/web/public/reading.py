"""Reads a page as a visitor does: its visible text, and its elements."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "source", "path", "hr"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text of its body."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        if "body" in self._open and not {"script", "style"} & set(self._open):
            self._text.append(data)

    @property
    def text(self) -> str:
        """What is seen, without white space."""
        return squeezed(" ".join(self._text))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element with a name and these attributes."""
        return [
            attrs
            for name, attrs in self.elements
            if name == tag
            and all(attrs.get(key.rstrip("_").replace("_", "-")) == value for key, value in wanted.items())
        ]

    @property
    def ids(self) -> list[str]:
        """Every id, in order."""
        return [str(attrs["id"]) for _, attrs in self.elements if "id" in attrs]

    @property
    def linked_data(self) -> list[dict]:
        """The nodes of the JSON-LD."""
        (written,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', self.html, re.DOTALL)
        return json.loads(written)["@graph"]


def squeezed(text: str) -> str:
    """Return a text without white space and character references."""
    return re.sub(r"\s+", "", unescape(text))
