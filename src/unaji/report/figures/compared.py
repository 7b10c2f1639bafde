"""Two reports side by side: episodes a week with their ratio, each factor's share, what followed treatment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from unaji.report.figures.svg import dot, draw, grid_step, line, nice_top, path, rect, text, text_width, wrap
from unaji.report.words import Catalogue

WIDE = 500.0
"""Width from which words stand beside the marks and not above them [px]."""

LANE = 20.0
LEAST_DOUBLINGS, MOST_DOUBLINGS = 2, 4
"""A ratio's axis reaches from a quarter to four times, and where an interval is wider from 1/16 to 16 times."""

Interval = tuple[float, float, float]
"""Mean (or estimate), low and high end of the 90 % interval."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What one report says of one thing.

    Attributes
    ----------
    word : str
        What it is called there, and how sure that is.
    interval : (float, float, float) or None
        None where nothing may be drawn but how far it could reach.
    reach : float
        Where the dashed frame of what cannot be compared ends; infinite: at the end of the axis.
    """

    word: str
    interval: Interval | None
    reach: float = math.inf


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in both reports.

    Attributes
    ----------
    family : str
        Whose colour its marks have: a class of the style sheet.
    """

    name: str
    family: str
    before: Lane
    after: Lane


Group = tuple[str, Sequence[Row]]
"""A heading, and the rows below it."""


def rate_picture(
    weekly: tuple[Interval, Interval], ratio: Interval, labels: tuple[str, str], aria: str, words: Catalogue
) -> tuple[Markup, Markup]:
    """Draw the episodes a week before and after, and below them their ratio.

    Parameters
    ----------
    weekly : pair of (float, float, float)
        Episodes a week.
    ratio : (float, float, float)
        After over before; NaN where there is none, ends may be 0 or infinite.
    labels : (str, str)
        What the two rows are called.
    """
    return draw(partial(_rate, weekly, ratio, labels, words), aria)


def shares_picture(groups: Sequence[Group], aria: str, words: Catalogue) -> tuple[Markup, Markup]:
    """Draw each factor's episodes of ten, the earlier report above the later one, joined mean to mean."""
    return draw(partial(_shares, groups, words), aria)


def ratios_picture(rows: Sequence[Row], aria: str, words: Catalogue) -> tuple[Markup, Markup]:
    """Draw ratios of rates on an axis of doublings, the earlier report above the later one."""
    return draw(partial(_ratios, rows, words), aria)


def doublings(ends: Iterable[float]) -> int:
    """Return how many doublings to either side of 1 an axis shows so that these lie on it, as far as it may reach."""
    far = [abs(math.log2(end)) for end in ends if math.isfinite(end) and end > 0]
    return min(MOST_DOUBLINGS, max(LEAST_DOUBLINGS, math.ceil(max(far, default=0.0))))


# -- episodes a week ---------------------------------------------------------------------------------------------------


def _rate(
    weekly: tuple[Interval, Interval], ratio: Interval, labels: tuple[str, str], words: Catalogue, width: float
) -> tuple[float, list[Markup]]:
    x0, x1 = 8.0, width - 12
    top = nice_top(max(high for _, _, high in weekly))
    scale = (x1 - x0) / top
    parts = []
    for n in range(0, top + 1, grid_step(top)):
        parts += [line(x0 + n * scale, 20, x0 + n * scale, 112)]
        parts += [text(x0 + n * scale, 14, words("chart.axis_tens", n=n), anchor="middle" if n else "start")]
    for y, label, (mean, low, high) in zip((52.0, 100.0), labels, weekly, strict=True):
        parts += [text(0, y - 16, label, "small-label")]
        parts += [rect(x0 + low * scale, y - 6, max(6.0, (high - low) * scale), 12, "band", 6)]
        parts += [dot(x0 + mean * scale, y, 7, "heat")]
    parts += [text(0, 146, words("compare.ratio"), "label")]
    made = _ratio_axis(180, 216, (x0, x1), doublings(ratio), words)
    return 222, [*parts, *made, *_ratio(198, (x0, x1), ratio, doublings(ratio), "measured-dot")]


# -- ratios ------------------------------------------------------------------------------------------------------------


def _ratios(rows: Sequence[Row], words: Catalogue, width: float) -> tuple[float, list[Markup]]:
    x0, x1 = _lane_names(words) + 8, width - 12
    ends = [end for row in rows for lane in (row.before, row.after) for end in lane.interval or ()]
    reach = doublings(ends)
    parts: list[Markup] = []
    y = 26.0
    for row in rows:
        parts += [text(0, y + 16 + 18 * i, one, "label") for i, one in enumerate(wrap(row.name, width, 14))]
        y += 18 * len(wrap(row.name, width, 14)) + 14
        for lane, key, look in ((row.before, "before", "empty"), (row.after, "after", "measured-dot")):
            parts += [text(0, y + 4, words(f"compare.lane.{key}"))]
            parts += _ratio(y, (x0, x1), lane.interval, reach, look) if lane.interval else []
            y += LANE
        y += 8
    return y, [*_ratio_axis(20, y - 10, (x0, x1), reach, words), *parts]


def _ratio_axis(y0: float, y1: float, ends: tuple[float, float], reach: int, words: Catalogue) -> list[Markup]:
    parts = []
    for step in range(-reach, reach + 1):
        if reach > LEAST_DOUBLINGS and step % 2 and ends[1] - ends[0] < WIDE:
            continue
        x = _at(2.0**step, ends, reach)
        label = words("unit.times_short", n=f"{2.0**step:g}" if step >= 0 else f"1/{2**-step}")
        parts += [line(x, y0, x, y1, "start" if step == 0 else "hair"), text(x, y0 - 6, label, anchor="middle")]
    return parts


def _ratio(y: float, ends: tuple[float, float], ratio: Interval, reach: int, look: str) -> list[Markup]:
    """Draw one interval and its estimate; an end beyond the axis carries an arrow."""
    mean, low, high = ratio
    left, right = _at(low, ends, reach), _at(high, ends, reach)
    parts = [rect(left, y - 6, max(6.0, right - left), 12, "band", 6)]
    if low < 2.0**-reach:
        parts.append(path([(left - 7, y), (left, y - 5), (left, y + 5)], "session", closed=True))
    if high > 2.0**reach:
        parts.append(path([(right + 7, y), (right, y - 5), (right, y + 5)], "session", closed=True))
    if 2.0**-reach <= mean <= 2.0**reach:
        parts.append(dot(_at(mean, ends, reach), y, 6, look))
    return parts


def _at(ratio: float, ends: tuple[float, float], reach: int) -> float:
    steps = -reach if ratio <= 0 else reach if math.isinf(ratio) else min(reach, max(-reach, math.log2(ratio)))
    return ends[0] + (ends[1] - ends[0]) * (steps + reach) / (2 * reach)


# -- shares ------------------------------------------------------------------------------------------------------------


def _shares(groups: Sequence[Group], words: Catalogue, width: float) -> tuple[float, list[Markup]]:
    wide = width >= WIDE
    x0 = (200.0 if wide else 0.0) + _lane_names(words) + 8
    x1 = 500.0 if wide else width - 14
    lanes = [lane for _, rows in groups for row in rows for lane in (row.before, row.after)]
    top = min(10, nice_top(max((lane.interval[2] for lane in lanes if lane.interval), default=0.0)))
    scale = (x1 - x0) / top
    parts = [
        text(x0 + n * scale, 14, words("chart.axis_tens", n=n), anchor="middle" if n else "start")
        for n in range(0, top + 1, 2)
    ]
    y = 40.0
    for heading, rows in groups:
        lines = wrap(heading, width, 12)
        parts += [text(0, y + 16 * i, one) for i, one in enumerate(lines)]
        y += 16 * len(lines) - 9
        parts.append(line(0, y, width, y))
        for row in rows:
            made, height = _row(y + 8, row, (x0, scale), top, words, width)
            parts += made
            y += height + 8
        y += 30
    return y - 22, parts


def _row(
    y: float, row: Row, axis: tuple[float, float], top: int, words: Catalogue, width: float
) -> tuple[list[Markup], float]:
    wide = width >= WIDE
    names = wrap(row.name, 176 if wide else width, 14)
    parts = [text(0, y + 16 + 18 * i, one, "label") for i, one in enumerate(names)]
    above = 0.0 if wide else 18.0 * len(names) + 2
    first, second = y + above + 11, y + above + 11 + LANE
    if wide:
        parts += [text(520, at + 4, lane.word, "value") for at, lane in ((first, row.before), (second, row.after))]
    else:
        told = wrap(words("treatment.before_after", before=row.before.word, after=row.after.word), width, 13)
        parts += [text(0, second + 26 + 17 * i, one, "value") for i, one in enumerate(told)]
    left = 200.0 if wide else 0.0
    for at, lane, key in ((first, row.before, "before"), (second, row.after, "after")):
        parts += [text(left, at + 4, words(f"compare.lane.{key}")), *_lane(at, lane, axis, top, f"{key} {row.family}")]
    parts += _joined(row, axis, first, second)
    height = max(2 * LANE + 4, 18.0 * len(names) + 8) if wide else above + 2 * LANE + 8 + 17 * len(told)
    return parts, height


def _lane(y: float, lane: Lane, axis: tuple[float, float], top: int, look: str) -> list[Markup]:
    x0, scale = axis
    rail = line(x0, y, x0 + top * scale, y)
    if lane.interval is None:
        return [rail, rect(x0, y - 5, max(10.0, min(top, lane.reach) * scale), 10, "reach", 5)]
    mean, low, high = lane.interval
    band = rect(x0 + low * scale, y - 5, max(6.0, (min(high, top) - low) * scale), 10, f"interval {look}", 5)
    return [rail, band, dot(x0 + mean * scale, y, 6, f"mean {look}")]


def _joined(row: Row, axis: tuple[float, float], first: float, second: float) -> list[Markup]:
    """Join the two means, from the rim of one dot to that of the other."""
    if row.before.interval is None or row.after.interval is None:
        return []
    x0, scale = axis
    a, b = (x0 + lane.interval[0] * scale for lane in (row.before, row.after) if lane.interval)
    rim = 6 / math.hypot(b - a, second - first)
    across, down = (b - a) * rim, (second - first) * rim
    return [line(a + across, first + down, b - across, second - down, "tick")]


def _lane_names(words: Catalogue) -> float:
    return max(text_width(words(f"compare.lane.{key}"), 12) for key in ("before", "after"))
