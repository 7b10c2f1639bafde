"""What a page holds, as text that can be read and compared: its outline, and what it says when it is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

WITHOUT_END = {"meta", "link", "img", "br", "hr", "input", "source", "wbr"}
UNSEEN = {"head", "style", "script", "template", "rp"}
BLOCKS = {
    "section", "article", "aside", "div", "p", "h1", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd", "figure",
    "figcaption", "details", "summary", "table", "thead", "tbody", "tr", "nav", "header", "footer", "main", "button",
    "label", "br",
}  # fmt: skip
METHOD = "how"
"""The section of methods and tables, which is not told again."""


@dataclass(eq=False)
class Node:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Node | str] = field(default_factory=list)

    @property
    def elements(self) -> list[Node]:
        return [one for one in self.inside if isinstance(one, Node)]

    def every(self, *tags: str) -> list[Node]:
        """Return the elements of these tags below this one, in the page's order."""
        return [found for one in self.elements for found in ([one] if one.tag in tags else []) + one.every(*tags)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(node)
        if tag not in WITHOUT_END:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        if closed.tag != tag:
            raise ValueError(f"line {self.getpos()[0]}: </{tag}> ends <{closed.tag}>")

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(html: str) -> Node:
    """Read a page; every element must be closed where it should be."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if len(reader.open) > 1:
        raise ValueError(f"<{reader.open[-1].tag}> is not closed")
    return reader.open[0]


def outline(page: Node) -> str:
    """Return sections, headings, figures, tables and buttons, one a line; every number is written as #."""
    (body,) = page.every("body")
    return "\n".join(_outlined(body, 0)) + "\n"


def text(page: Node) -> str:
    """Return what is to be read before anything is unfolded, a block a line, without the section of methods.

    The text of the drawings is left out, since it stands twice, for two widths; what waits behind a warning sign is
    told too.
    """
    (body,) = page.every("body")
    lines = "".join(_said(body)).split("\n")
    return "\n".join(line for line in (re.sub(r"\s+", " ", one).strip() for one in lines) if line) + "\n"


def _outlined(node: Node, depth: int) -> list[str]:
    lines = []
    for one in node.elements:
        if one.tag in UNSEEN or _is_one_of_many(one):
            continue
        said = _line(one)
        if said is not None:
            lines.append("  " * depth + re.sub(r"\d+(?:[.,:]\d+)*", "#", said))
        if one.tag not in ("svg", "table"):
            lines += _outlined(one, depth + (said is not None and one.tag in ("section", "figure", "details", "nav")))
    return lines


def _is_one_of_many(node: Node) -> bool:
    """Say whether it is a folded episode: there are as many as were logged, each like the unfolded ones."""
    return node.tag == "details" and "month" in node.attributes.get("class", "")


def _line(node: Node) -> str | None:
    said, name = _words(node), node.attributes.get("id", "")
    match node.tag:
        case "section" | "nav" | "figure":
            return f"{node.tag} {name or node.attributes.get('aria-label', '')}".rstrip()
        case "h1" | "h2" | "h3" | "h4":
            return f"{node.tag} {said}"
        case "svg" if node.attributes.get("role") == "img":
            return f"svg.{node.attributes.get('class', '')}: {node.attributes.get('aria-label', '')}"
        case "table":
            return f"table: {' | '.join(_words(th) for th in _head(node))}; {len(node.every('tr')) - 1} rows"
        case "button" | "select":
            return f"{node.tag} {node.attributes.get('aria-label') or said}"
        case "a" if node.attributes.get("href", "").startswith("tel:"):
            return f"call {said}"
        case "details":
            return f"details: {_words(node.every('summary')[0])}"
    return None


def _head(table: Node) -> list[Node]:
    return table.every("thead")[0].every("th")


def _words(node: Node) -> str:
    return re.sub(r"\s+", " ", "".join(_said(node))).strip()


def _said(node: Node) -> list[str]:
    """Return the pieces of text of an element, with line breaks around blocks."""
    pieces: list[str] = []
    for one in node.inside:
        if isinstance(one, str):
            pieces.append(re.sub(r"\s+", " ", one))
        elif one.tag == "rt":
            pieces += ["《", *_said(one), "》"]
        elif not _is_silent(one):
            edge = ["\n"] if one.tag in BLOCKS else []
            pieces += [*edge, *(_said(_folded(one)) if one.tag == "details" else _said(one)), *edge]
    return pieces


def _is_silent(node: Node) -> bool:
    return (
        node.tag in UNSEEN
        or node.tag in ("svg", "select")
        or "hidden" in node.attributes
        or node.attributes.get("id") == METHOD
    )


def _folded(details: Node) -> Node:
    """Return what is seen of a folded row: its first line, or all of it where it holds the report itself."""
    whole = "open" in details.attributes or details.attributes.get("class") == "later"
    return details if whole else Node("details", {}, [one for one in details.elements if one.tag == "summary"])
