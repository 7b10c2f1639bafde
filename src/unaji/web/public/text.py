"""An article's Markdown as HTML: no raw HTML goes in, and only known markup comes out."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {"p", "ul", "ol", "li", "strong", "em", "h3", "h4", "br", "a", "blockquote", "table", "thead", "tbody", "tr",
        "th", "td", "ruby", "rt", "rp", "sup", "sub"}  # fmt: skip
ATTRIBUTES = {"a": {"href"}}
SCHEMES = {"https", "tel"}

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def markdown(text: str) -> SafeString:
    """Return a text as HTML that may stand in a page."""
    written = nh3.clean(
        _MARKDOWN.render(text), tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noreferrer"
    )
    return mark_safe(written)


def paragraphs(text: str) -> list[str]:
    """Cut a plain text at its empty lines."""
    return [part for part in text.split("\n\n") if part.strip()]
