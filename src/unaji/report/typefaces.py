"""With which typefaces can a page be set here? Typst would set empty boxes for a missing one, and say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import typst

GOTHIC = {
    "ja": (
        "BIZ UDPGothic", "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic",
        "Meiryo", "IPAexGothic",
    ),
    "en": (
        "Noto Sans", "Helvetica Neue", "Arial", "Liberation Sans", "Noto Sans CJK JP", "Hiragino Sans", "BIZ UDPGothic",
        "Libertinus Serif",
    ),
}  # fmt: skip
"""Families for text, the best first. A person's notes may be in Japanese in an English report too."""
MINCHO = {
    "ja": ("Hiragino Mincho ProN", "Noto Serif JP", "Noto Serif CJK JP", "Yu Mincho", *GOTHIC["ja"]),
    "en": ("Iowan Old Style", "Charter", "Georgia", "Noto Serif", "Noto Serif CJK JP", "Libertinus Serif"),
}
"""Families for headings on screen, the best first, as in the style sheet: of those for Japanese only such as are bold.
Libertinus Serif is part of Typst."""


@cache
def installed() -> typst.Fonts:
    """Return what is installed, as Typst finds it."""
    return typst.Fonts()


def first_of(families: Sequence[str]) -> str | None:
    """Return the first of some families that is installed."""
    there = set(installed().families())
    return next((family for family in families if family in there), None)
