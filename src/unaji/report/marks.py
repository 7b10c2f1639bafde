"""Marks for pictures made of letters: bars, small columns and curves that keep their place in every terminal.

Terminals set to Japanese draw what Unicode calls ambiguous (■ ● ─ █) two cells wide, which pushes all that follows
aside. So every mark here is neutral or narrow there too (East Asian Width, Unicode Standard Annex #11): braille
patterns are, and have four steps in a cell. Where an encoding has no braille, there are plain letters and digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from unaji.records.timeline import FloatArray
from unaji.report.rounding import Tens

TEN = 10
STEPS = 4
"""Rows of dots in a braille cell."""
LEFT, RIGHT = (0x00, 0x40, 0x44, 0x46, 0x47), (0x00, 0x80, 0xA0, 0xB0, 0xB8)
"""Bits of a braille cell's two columns filled 0 to 4 dots high from below (Unicode Standard, "Braille Patterns")."""
BRAILLE = 0x2800
RAMP = " .:-=+*#"


@dataclass(frozen=True, slots=True)
class Marks:
    """One set of marks, each one cell wide.

    Attributes
    ----------
    drawn : bool
        Whether columns and curves are drawn in dots; else columns are digits, curves a ramp of letters.
    outside, inside, mean : str
        Of an interval: what it leaves out, what it spans, where its mean is.
    one : str
        Of a ratio's bar: no change.
    none : str
        A count of 0.
    gap : str
        Nothing on record.
    session : str
        A treatment session.
    rule : str
        Under a table's head, and where nothing is known.
    full, empty : str
        Bars beside a grade; "" where the letter stands alone.
    """

    drawn: bool
    outside: str
    inside: str
    mean: str
    one: str
    none: str
    gap: str
    session: str
    rule: str
    full: str
    empty: str

    @property
    def signs(self) -> str:
        """Every sign that may be used, for whoever must know whether it can be shown."""
        cells = "".join(chr(BRAILLE + left + right) for left in LEFT for right in RIGHT) if self.drawn else RAMP
        parts = (self.outside, self.inside, self.mean, self.one, self.none, self.gap, self.session, self.rule)
        return "".join((*parts, self.full, self.empty, cells))


DRAWN = Marks(True, "⠒", "⠶", "⣿", "⡇", "⡀", "░", "▴", "╌", "▮", "▯")
PLAIN = Marks(False, ".", "=", "o", "|", "0", "/", "^", "-", "", "")


def interval_bar(tens: Tens, marks: Marks, cells_each: int = 1) -> str:
    """Draw 0 to 10 of ten, `cells_each` cells for each: outside the 90 % interval, inside it, the mean."""
    low, high, mean = (cells_each * value for value in (tens.low, tens.high, tens.count))
    cells = [marks.inside if low <= cell <= high else marks.outside for cell in range(TEN * cells_each + 1)]
    cells[mean] = marks.mean
    return "".join(cells)


def columns(counts: Sequence[int | None], marks: Marks, rows: int = 2) -> tuple[str, ...]:
    """Draw counts as columns, one cell each; None is a gap in the record.

    In dots, one row of them is one while no count is above 4 × `rows`; above that the tallest fills all rows. Otherwise
    it is a row of digits, "+" for ten and more.
    """
    if not marks.drawn:
        return ("".join(marks.gap if n is None else "+" if n >= TEN else str(n) for n in counts),)
    top = max((n for n in counts if n is not None), default=0)
    scale = min(1.0, STEPS * rows / top) if top else 1.0
    heights = [None if n is None else math.ceil(n * scale) for n in counts]
    return tuple("".join(_cell(height, row, marks) for height in heights) for row in reversed(range(rows)))


def _cell(height: int | None, row: int, marks: Marks) -> str:
    if not height:
        mark = marks.gap if height is None else marks.none
        return " " if row else mark
    filled = min(STEPS, max(0, height - STEPS * row))
    return chr(BRAILLE + LEFT[filled] + RIGHT[filled]) if filled else " "


def curve(height: FloatArray, cells: int, marks: Marks) -> str:
    """Draw a curve in so many cells, two steps in each in dots, else one.

    Parameters
    ----------
    height : ndarray, shape (n_points,)
        0 to 1, at even steps from the first cell's left edge to the last one's right edge.
    """
    per_cell = 2 if marks.drawn else 1
    places = (np.arange(cells * per_cell) + 0.5) / (cells * per_cell) * (len(height) - 1)
    sampled = np.interp(places, np.arange(len(height)), height)
    if not marks.drawn:
        return "".join(RAMP[round(float(one) * (len(RAMP) - 1))] for one in sampled)
    steps = [round(float(one) * STEPS) for one in sampled]
    return "".join(chr(BRAILLE + LEFT[a] + RIGHT[b]) for a, b in zip(steps[::2], steps[1::2], strict=True))


def ratio_bar(ratio: float, low: float, high: float, marks: Marks, cells: int = 25, furthest: float = 8.0) -> str:
    """Draw a ratio and its 90 % interval on an axis of ratios, 1 in the middle.

    Parameters
    ----------
    low, high : float
        Ends of the interval; what lies beyond the axis is drawn at its end.
    cells : int
        Odd, so that there is a cell in the middle.
    furthest : float
        The axis goes from 1/`furthest` to `furthest`.
    """

    def place(value: float) -> int:
        share = 0.5 + 0.5 * math.log(max(value, 1e-9)) / math.log(furthest)
        return round(min(1.0, max(0.0, share)) * (cells - 1))

    drawn = [marks.inside if place(low) <= cell <= place(high) else marks.outside for cell in range(cells)]
    drawn[cells // 2] = marks.one
    drawn[place(ratio)] = marks.mean
    return "".join(drawn)


def axis(labels: Sequence[tuple[float, str]], cells: int) -> str:
    """Write labels over or under a picture, each from its place on (0 to 1), leaving out those without room."""
    written = ""
    for share, label in labels:
        at = int(share * cells)
        if at >= cell_len(written) + bool(written) and at + cell_len(label) <= cells:
            written += " " * (at - cell_len(written)) + label
    return written + " " * (cells - cell_len(written))


def grade_bars(grade: str, marks: Marks) -> str:
    """Write a grade of evidence with its four bars, A having all of them."""
    full = 4 - "ABCD".index(grade)
    return f"{grade} {marks.full * full}{marks.empty * (4 - full)}".rstrip()
