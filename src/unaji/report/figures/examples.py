"""Figure d, lower part: two real onsets, one that warmed and one that did not, measured against expected."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from markupsafe import Markup

from unaji.causes.nearby import COURSE_MIN, SkinCourse
from unaji.findings import EpisodeFinding, Findings
from unaji.records.timeline import Zones
from unaji.report.figures.rises import RISE, Z_90, measured_episodes
from unaji.report.figures.svg import Figure, Point, Table, dot, draw, line, path, text, text_width
from unaji.report.story.warmth import Warmth, warmth_of
from unaji.report.words import Catalogue, plain, signed

LEAST_STEPS = 5
"""Steps of five minutes that must be measured before the onset and after it, to show anything of a course [A]."""
SHOWN_AFTER_MIN = 10.0
"""Where the difference is marked: the middle of what it is the mean of, from ten minutes before to thirty after."""
ROOM_K = 0.35
"""Room on the axis above and below what is drawn, for the words there."""
TALL, LEFT = 130.0, 30.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of five minutes of an example.

    Attributes
    ----------
    after_min : float
        Its middle, from the onset [min].
    measured_c : float
        NaN where nothing was measured.
    low_c, high_c : float
        Nine of ten quiet readings lie between them.
    """

    after_min: float
    measured_c: float
    expected_c: float
    low_c: float
    high_c: float


@dataclass(frozen=True, slots=True)
class Example:
    """One episode that stands for its group."""

    finding: EpisodeFinding
    warmth: Warmth
    rise_k: float
    steps: tuple[Step, ...]

    @property
    def pieces(self) -> list[list[Step]]:
        """What was measured, parted where a reading is missing: further apart than the usual distance and a half."""
        known = [one for one in self.steps if math.isfinite(one.measured_c)]
        usual = median(b.after_min - a.after_min for a, b in pairwise(known))
        parts = [known[:1]]
        for a, b in pairwise(known):
            if b.after_min - a.after_min > 1.5 * usual:
                parts.append([])
            parts[-1].append(b)
        return parts


def examples(findings: Findings) -> tuple[Example, ...]:
    """Choose the episode with the middle difference of those that warmed, then of those that did not.

    The middle one is typical; the largest would be the most beautiful. Of an even number the lower of both middle ones
    is taken, of equal ones the earlier. Only episodes with something measured before and after the onset take part.
    """
    shown = [one for one in measured_episodes(findings) if one.skin is not None and _followed(one.skin)]
    chosen = []
    for warmth in (Warmth.WARM, Warmth.FELT):
        group = [one for one in shown if warmth_of(one) is warmth]
        group.sort(key=lambda one: (one.measured[RISE], one.episode.start))
        if group:
            chosen.append(_example(group[(len(group) - 1) // 2], warmth))
    return tuple(chosen)


def _followed(skin: SkinCourse) -> bool:
    known = [after for after, value in zip(skin.after_min, skin.measured_c, strict=True) if math.isfinite(value)]
    before = sum(after < 0 for after in known)
    return min(before, len(known) - before) >= LEAST_STEPS


def _example(finding: EpisodeFinding, warmth: Warmth) -> Example:
    skin = finding.skin
    assert skin is not None
    half = Z_90 * skin.sd_k
    steps = (
        Step(after, measured, expected, expected - half, expected + half)
        for after, measured, expected in zip(skin.after_min, skin.measured_c, skin.expected_c, strict=True)
    )
    return Example(finding, warmth, finding.measured[RISE], tuple(steps))


def examples_figure(findings: Findings, words: Catalogue) -> Figure | None:
    """Draw them; None when the nape was measured at no onset."""
    chosen = examples(findings)
    if not chosen:
        return None
    zones = findings.timeline.zones
    told = [words(f"warm.example_{one.warmth}", day=_day(one, zones, words), rise=_degrees(one)) for one in chosen]
    aria = words("warm.examples_aria", told=words.join(told))

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, chosen, zones, words)

    phone, desktop = draw(paint, aria)
    title = words("warm.examples" if len(chosen) > 1 else "warm.example")
    return Figure("examples", title, words("warm.examples_caption"), aria, phone, desktop, _table(chosen, zones, words))


def _day(one: Example, zones: Zones, words: Catalogue) -> str:
    return words.day(zones.local(one.finding.episode.start))


def _degrees(one: Example) -> str:
    return f"{signed(one.rise_k, 1)}℃"


def _paint(width: float, chosen: tuple[Example, ...], zones: Zones, words: Catalogue) -> tuple[float, list[Markup]]:
    narrow = width < 500
    panel = width if narrow else (width - 28) / 2
    ends = _ends(chosen)
    parts: list[Markup] = []
    for i, one in enumerate(chosen):
        x, y = (0.0, i * (TALL + 84)) if narrow else (i * (panel + 28), 0.0)
        title = words(f"warm.panel_{one.warmth}", day=_day(one, zones, words))
        parts += [
            text(x, y + 14, title, "label"),
            *_panel(one, x + LEFT, x + panel - 8, y + 46, ends, words, first=not i),
        ]
    rows = len(chosen) if narrow else 1
    return rows * (TALL + 84) - 8, parts


def _ends(chosen: tuple[Example, ...]) -> tuple[int, int]:
    """Return whole degrees that hold all that is drawn, the same for both."""
    values = [value for one in chosen for step in one.steps for value in (step.measured_c, step.low_c, step.high_c)]
    known = [value for value in values if math.isfinite(value)]
    return math.floor(min(known) - ROOM_K), math.ceil(max(known) + ROOM_K)


def _panel(
    one: Example, x0: float, x1: float, top: float, ends: tuple[int, int], words: Catalogue, *, first: bool
) -> list[Markup]:
    low, high = ends
    base = top + TALL

    def place(after_min: float) -> float:
        return x0 + (x1 - x0) * (after_min + COURSE_MIN) / (2 * COURSE_MIN)

    def height(temp_c: float) -> float:
        return base - TALL * (temp_c - low) / (high - low)

    def along(of: Callable[[Step], float], steps: tuple[Step, ...] | list[Step] = one.steps) -> list[Point]:
        return [(place(step.after_min), height(of(step))) for step in steps]

    upper, lower = along(lambda step: step.high_c), along(lambda step: step.low_c)
    parts = [path([*lower, *upper[::-1]], "band", closed=True)]
    every = math.ceil((high - low) / 4)
    for degrees in range(low, high + 1, every):
        parts += [
            line(x0, height(degrees), x1, height(degrees)),
            text(x0 - 6, height(degrees) + 4, str(degrees), anchor="end"),
        ]
    parts += [
        path(along(lambda step: step.expected_c), "pred"),
        line(place(0), top - 8, place(0), base, "onset"),
        dot(place(0), top - 14, 6, "heat"),
    ]
    for piece in one.pieces:
        points = along(lambda step: step.measured_c, piece)
        parts.append(path(points, "model") if len(points) > 1 else dot(*points[0], 1.8, "measured-dot"))
    parts += _difference(one, place, height, words)
    if first:
        parts += _names(one, x0, x1, place, height, words)
    for after, label, anchor in (
        (-COURSE_MIN, words("warm.minutes_before", n=COURSE_MIN), "start"),
        (0, words("warm.onset"), "middle"),
        (COURSE_MIN, words("warm.minutes_after", n=COURSE_MIN), "end"),
    ):
        parts.append(text(place(after), base + 18, label, anchor=anchor))
    return parts


def _difference(
    one: Example, place: Callable[[float], float], height: Callable[[float], float], words: Catalogue
) -> list[Markup]:
    """Write the difference over its window, with a line from what was expected to what was measured."""
    label = words("warm.difference", rise=_degrees(one))
    x = place(4)
    until = x + text_width(label, 12)
    at = min(one.steps, key=lambda step: abs(step.after_min - SHOWN_AFTER_MIN))
    y = min(_highest(step, height) for step in one.steps if x - 4 <= place(step.after_min) <= until + 4) - 8
    parts = [text(x, y, label, "small-label")]
    if one.warmth is Warmth.WARM and math.isfinite(at.measured_c):
        parts.append(
            line(place(at.after_min), height(at.measured_c), place(at.after_min), height(at.expected_c), "tick")
        )
    return parts


def _names(
    one: Example,
    x0: float,
    x1: float,
    place: Callable[[float], float],
    height: Callable[[float], float],
    words: Catalogue,
) -> list[Markup]:
    """Name the lines: what was measured at the right end above it, what was expected at the left below its band."""
    measured, expected = words("warm.measured_line"), words("warm.expected_line")
    from_x = x1 - text_width(measured, 12)
    above = min(_highest(step, height) for step in one.steps if place(step.after_min) >= from_x - 4)
    until = x0 + text_width(expected, 12)
    under = max(_lowest(step, height) for step in one.steps if place(step.after_min) <= until + 4)
    return [text(x1, above - 8, measured, "small-label", "end"), text(x0 + 4, under + 16, expected)]


def _highest(step: Step, height: Callable[[float], float]) -> float:
    return min(height(value) for value in (step.measured_c, step.high_c) if math.isfinite(value))


def _lowest(step: Step, height: Callable[[float], float]) -> float:
    return max(height(value) for value in (step.measured_c, step.low_c) if math.isfinite(value))


def _table(chosen: tuple[Example, ...], zones: Zones, words: Catalogue) -> Table:
    head = ("time", "after_min", "measured_c", "expected_c", "interval")
    rows = tuple(
        (
            words.moment(zones.local(one.finding.episode.start)),
            signed(step.after_min, 1),
            plain(step.measured_c, 2) if math.isfinite(step.measured_c) else words("unknown"),
            plain(step.expected_c, 2),
            words("range", low=plain(step.low_c, 2), high=plain(step.high_c, 2)),
        )
        for one in chosen
        for step in one.steps
    )
    return Table(tuple(words(f"column.{name}") for name in head), rows)
