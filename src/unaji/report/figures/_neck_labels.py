"""Words beside a picture of the neck: lines of text, and labels with leaders that part from one another."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from unaji.report.figures._neck_drawing import INK, INK2, SURFACE
from unaji.report.figures.svg import Point, el, text_width

FONTS = (
    "Hiragino Sans, Hiragino Kaku Gothic ProN, Noto Sans JP, Noto Sans CJK JP, Yu Gothic UI, BIZ UDPGothic, Meiryo, "
    "system-ui, sans-serif"
)
ROW = 15.5
SIZE = 12.0
LEAST_GAP = 7.0


@dataclass(frozen=True, slots=True)
class Label:
    """The lines of one label, the first `n_name` of them its name, and where its leader starts [px]."""

    rows: tuple[str, ...]
    n_name: int
    starts: tuple[Point, ...]

    @property
    def height(self) -> float:
        return ROW * len(self.rows)


def place_labels(labels: list[Label], top: float, bottom: float, x: float, anchor: str) -> tuple[float, list[Markup]]:
    """Write labels below each other from `top`, spread to `bottom` where there is room; return where they end.

    `anchor` is "start" for a column right of the picture, "end" for one left of it, and "middle" for one between two
    pictures, where every label has a leader to each.
    """
    sides = {"start": (-1,), "end": (1,), "middle": (-1, 1)}[anchor]
    gap = max(LEAST_GAP, (bottom - top - sum(label.height for label in labels)) / (len(labels) - 1))
    y, leaders, words = top, [], []
    for label in labels:
        for side, start in zip(sides, label.starts, strict=True):
            leaders += _leader(start, _edge(label, x, y, anchor, side), side)
        for i, row in enumerate(label.rows):
            named = i < label.n_name
            look, colour = ("small-label", INK) if named else ("neck-value", INK2)
            words.append(write(x, y + 12 + ROW * i, row, look, colour, anchor, bold=named))
        y += label.height + gap
    return y - gap, [*leaders, *words]


def least_height(labels: list[Label]) -> float:
    """Return the height that labels need when they stand as close as they may [px]."""
    return sum(label.height for label in labels) + LEAST_GAP * (len(labels) - 1)


def _edge(label: Label, x: float, y: float, anchor: str, side: int) -> Point:
    """Return where a label's leader ends: beside its first line, and beside all lines where they are centred."""
    half = max(text_width(row, SIZE) for row in label.rows) / 2 if anchor == "middle" else 0.0
    return x + side * (half + 5), y + 8


def _leader(start: Point, end: Point, side: int) -> list[Markup]:
    """Draw a thin line from a tissue to its label, level at its end; a halo parts it from the tissue."""
    knee = end[0] + side * 10
    d = f"M{start[0]:.1f} {start[1]:.1f}L{knee:.1f} {end[1]:.1f}H{end[0]:.1f}"
    halo = el("path", d=d, fill="none", stroke=SURFACE, stroke_width=2.6, stroke_opacity=0.75, class_="neck-halo")
    line = el("path", d=d, fill="none", stroke=INK, stroke_width=0.9, class_="neck-line leader")
    dot = el("circle", cx=start[0], cy=start[1], r=2.2, fill=INK, stroke=SURFACE, stroke_width=0.9)
    return [halo, line, dot]


def write(
    x: float,
    y: float,
    words: str,
    look: str,
    colour: str,
    anchor: str = "start",
    *,
    bold: bool = False,
    size: float = SIZE,
) -> Markup:
    """Write one line of text; `look` is its class in the report's style sheet, `colour` holds without one."""
    return el(
        "text",
        words,
        x=x,
        y=y,
        class_=look,
        font_size=size,
        fill=colour,
        font_weight="700" if bold else None,
        text_anchor=None if anchor == "start" else anchor,
    )
