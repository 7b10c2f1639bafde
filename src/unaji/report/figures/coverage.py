"""When there are records: a strip of days for each stream, darker where more of the day is covered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from unaji.report.figures.svg import draw, line, rect, text, text_width
from unaji.report.inventory.layout import Strip

ROW, STRIP, TOP = 44.0, 16.0, 22.0
MONTHS_UP_TO = 800
"""Days beyond which only years are written."""

SHADES = (0.25, 0.5, 0.75)
"""Shares of the time at which a cell grows darker; the darkest is for more than the last."""


Told = tuple[str, str, Strip]
"""Name and length in words, and the strip."""


def coverage_figure(
    strips: Sequence[Told], dates: NDArray[np.datetime64], days: int, family: str, months: Sequence[str], aria: str
) -> tuple[Markup, Markup]:
    """Draw strips at both widths.

    Parameters
    ----------
    dates : ndarray of datetime64[D], shape (n_days,)
    days : int
        Days of a cell.
    family : str
        Whose colour: a class of the style sheet such as "f-body".
    months : sequence of str
        What the twelve months are called.
    """
    return draw(partial(_paint, strips, dates, days, family, months), aria)


def shade(filled: float) -> int:
    """Return 0 for nothing, 1 to 4 for more and more."""
    return 0 if filled <= 0 else 1 + sum(filled >= edge for edge in SHADES)


def _paint(
    strips: Sequence[Told], dates: NDArray[np.datetime64], days: int, family: str, months: Sequence[str], width: float
) -> tuple[float, list[Markup]]:
    cell = width * days / (np.ceil(dates.size / days) * days)
    marks = _months(dates, days, cell, months, TOP + ROW * len(strips))
    for row, (name, length, strip) in enumerate(strips):
        y = TOP + ROW * row
        marks.append(text(0, y + 12, _shortened(name, width - text_width(length, 12) - 10), "small-label"))
        marks.append(text(width, y + 12, length, "axis", "end"))
        marks.append(rect(0, y + 18, width, STRIP, "sunk", 2))
        marks += _cells(strip, y + 18, cell, family)
    return TOP + ROW * len(strips) + 4, marks


def _cells(strip: Strip, y: float, cell: float, family: str) -> list[Markup]:
    """Draw the cells, those of one shade that touch as one."""
    shades = np.array([shade(filled) for filled in strip.filled])
    starts = np.append(np.flatnonzero(np.diff(shades, prepend=-1)), shades.size)
    return [
        rect(start * cell, y, max((stop - start) * cell, 1.0), STRIP, f"tint{shades[start] + 1} {family}")
        for start, stop in pairwise(starts.tolist())
        if shades[start]
    ]


def _months(dates: NDArray[np.datetime64], days: int, cell: float, names: Sequence[str], bottom: float) -> list[Markup]:
    """Label the first day, and the first of each month where there is room, or of each year where they are many."""
    marks, free_from = [], 0.0
    month, year = dates.astype("datetime64[M]"), dates.astype("datetime64[Y]")
    firsts = np.flatnonzero(np.append(True, month[1:] != month[:-1]))
    only_years = dates.size > MONTHS_UP_TO
    for index in firsts.tolist():
        number = int(month[index].astype(int)) % 12
        if only_years and index and number:
            continue
        label = names[number] if index and number else str(year[index]) + ("" if only_years else f" {names[number]}")
        x, room = index / days * cell, text_width(label, 12)
        if x >= free_from and x + room <= cell * np.ceil(dates.size / days):
            marks += [text(x + 3, 12, label), line(x, 2, x, bottom, "hair")]
            free_from = x + room + 14
    return marks


def _shortened(name: str, room: float) -> str:
    """Cut what was recorded, and not from whom: that tells two strips apart."""
    what, dot, whom = name.partition(" · ")
    while len(what) > 2 and text_width(what + dot + whom, 12) > room:
        what = what[:-2].rstrip() + "…"
    return what + dot + whom
