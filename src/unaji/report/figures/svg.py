"""SVG elements, text that fits, and what every figure carries: title, caption, sentence for the ear, table."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup, escape

PHONE, DESKTOP = 330, 720
"""Inner widths of a figure card [px]; drawn once for each, so that type never shrinks below 12 px."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers as text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture, drawn for both widths.

    Attributes
    ----------
    aria : str
        One sentence for the ear: the finding, not the form.
    """

    id: str
    title: str
    caption: str
    aria: str
    phone: Markup
    desktop: Markup
    table: Table


def draw(paint: Callable[[float], tuple[float, list[Markup]]], aria: str) -> tuple[Markup, Markup]:
    """Paint at both widths; `paint` takes the width and returns the height and the elements."""
    return _root(paint, PHONE, "phone", aria), _root(paint, DESKTOP, "desktop", aria)


def _root(paint: Callable[[float], tuple[float, list[Markup]]], width: float, name: str, aria: str) -> Markup:
    height, children = paint(width)
    return root(*children, width=width, height=height, class_=f"figure {name}", aria_label=aria)


def root(*children: Markup, width: float, height: float, class_: str, **attributes: str | None) -> Markup:
    """Put elements into the outer ``<svg>`` that every figure has."""
    size: dict[str, float] = {"width": width, "height": height}
    box = f"0 0 {_number(width)} {_number(height)}"
    return el("svg", *children, viewBox=box, **size, class_=class_, role="img", **attributes)


def standing_alone(
    *children: Markup,
    width: float,
    height: float,
    name: str,
    title: str,
    description: str,
    pattern: Markup | None = None,
    **attributes: str,
) -> Markup:
    """Put elements into a picture that needs nothing from outside, not even a page: it has title and description.

    Parameters
    ----------
    name : str
        Prefix of the ids in it.
    pattern : Markup, optional
        A hatching that its elements refer to.
    """
    return root(
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        *([el("defs", pattern)] if pattern else []),
        *children,
        width=width,
        height=height,
        class_="figure neck",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
        **attributes,
        xmlns="http://www.w3.org/2000/svg",
    )


def el(name: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """Build an element; text is escaped, `class_` becomes ``class``, and ``_`` in a name becomes ``-``."""
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            text = _number(value) if isinstance(value, (int, float)) else value
            parts.append(f' {key.rstrip("_").replace("_", "-")}="{escape(text)}"')
    inside = Markup("").join(children)
    return Markup("".join(parts) + (f">{inside}</{name}>" if inside else "/>"))


def text(x: float, y: float, content: str, class_: str = "axis", anchor: str = "start") -> Markup:
    """Write one line of text; `y` is the baseline."""
    return el("text", content, x=x, y=y, class_=class_, text_anchor=None if anchor == "start" else anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str = "hair") -> Markup:
    """Draw a straight line."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, radius: float | None = None) -> Markup:
    """Draw a rectangle, with round corners where a radius is given."""
    return el("rect", x=x, y=y, width=width, height=height, class_=class_, rx=radius)


def dot(x: float, y: float, radius: float, class_: str) -> Markup:
    """Draw a round mark."""
    return el("circle", cx=x, cy=y, r=radius, class_=class_)


def triangle(x: float, y: float, size: float = 5) -> Markup:
    """Draw the mark of a treatment session, its base's middle at (x, y)."""
    return path([(x - size, y), (x, y - 1.7 * size), (x + size, y)], "session", closed=True)


def path(points: list[Point], class_: str, *, closed: bool = False) -> Markup:
    """Draw a line through points, or the area they enclose."""
    steps = " ".join(f"{_number(x)} {_number(y)}" for x, y in points)
    return el("path", d=f"M{steps}{'Z' if closed else ''}", class_=class_)


def grade_badge(x: float, y: float, grade: str) -> list[Markup]:
    """Draw an evidence grade: the letter in a square, then four bars; its top left corner at (x, y), 56 × 20."""
    filled = 4 - "ABCD".index(grade)
    bars = [rect(x + 27 + 7.5 * i, y + 3, 5, 14, "bar-full" if i < filled else "bar-empty", 1) for i in range(4)]
    return [rect(x, y, 21, 20, "badge", 3), text(x + 10.5, y + 15, grade, "badge-letter", "middle"), *bars]


def text_width(content: str, size: float) -> float:
    """Estimate the width of a text [px]: a wide character takes its size, any other somewhat over half of it."""
    wide = sum(unicodedata.east_asian_width(character) in "WFA" for character in content)
    return size * (wide + 0.56 * (len(content) - wide))


def wrap(content: str, width: float, size: float) -> list[str]:
    """Break a text into lines that fit: at spaces where it has them, else anywhere."""
    if text_width(content, size) <= width:
        return [content]
    opening = content.find("(")
    if opening > 0 and " " not in content:  # a bracket is not torn apart where it can stand on a line of its own
        return [*wrap(content[:opening], width, size), *wrap(content[opening:], width, size)]
    pieces = [f"{word} " for word in content.split(" ")] if " " in content else list(content)
    lines = [""]
    for piece in pieces:
        if lines[-1] and text_width((lines[-1] + piece).rstrip(), size) > width:
            lines.append("")
        lines[-1] += piece
    return [one.rstrip() for one in lines]


def nice_top(highest: float, least: float = 4) -> int:
    """Return an even number, or above twelve a multiple of four, that a count axis may end at."""
    top = max(least, math.ceil(highest))
    step = 2 if top <= 12 else 4 * math.ceil(top / 48)
    return step * math.ceil(top / step)


def grid_step(top: int) -> int:
    """Return the distance of at most four gridlines above zero that ends at the top."""
    return next(step for step in range(1, top + 1) if top % step == 0 and top // step <= 4)


def _number(value: float) -> str:
    rounded = f"{value:.1f}"
    return rounded[:-2] if rounded.endswith(".0") else rounded
