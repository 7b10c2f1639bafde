"""Figure d: how much warmer the nape was than expected, one circle an episode."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median

from markupsafe import Markup

from unaji.findings import EpisodeFinding, Findings
from unaji.report.figures.svg import Figure, Table, dot, draw, line, rect, text, text_width
from unaji.report.story.warmth import Warmth, warmth_of
from unaji.report.words import Catalogue, signed

RISE, SPREAD = "neck_skin_rise_k", "neck_skin_rise_sd_k"
Z_90 = 1.645
"""Half the width of a 90 % interval in standard deviations."""
APART = 12.0
"""Least distance between the two counts [px]."""
HEAD = 44.0
"""Height of the counts above the circles [px]."""


def rises_figure(findings: Findings, words: Catalogue) -> Figure | None:
    """Draw it; None when no rise was measured."""
    measured = measured_episodes(findings)
    if not measured:
        return None
    warm = sum(warmth_of(one) is Warmth.WARM for one in measured)
    n = words.count("episodes", len(measured))
    aria = words("warm.aria", episodes=n, warm=warm, felt=len(measured) - warm)

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, measured, words)

    phone, desktop = draw(paint, aria)
    title, caption = words("warm.figure", episodes=n), words("warm.caption")
    return Figure("rises", title, caption, aria, phone, desktop, _table(findings, measured, words))


def measured_episodes(findings: Findings) -> list[EpisodeFinding]:
    """Return the episodes of which the difference is known and says something; fever is left out."""
    return [
        one
        for one in findings.episodes
        if RISE in one.measured and not one.fever and warmth_of(one) is not Warmth.UNMEASURED
    ]


def _paint(width: float, measured: list[EpisodeFinding], words: Catalogue) -> tuple[float, list[Markup]]:
    rises = [one.measured[RISE] for one in measured]
    low = min(-0.5, math.floor(min(rises) * 2) / 2)
    high = max(1.0, math.ceil(max(rises) * 2) / 2)
    x0, x1, radius = 26.0, width - 26, 6.0 if width < 500 else 8.0

    def place(rise: float) -> float:
        return x0 + (x1 - x0) * (rise - low) / (high - low)

    piles = _piles([(place(one.measured[RISE]), one) for one in measured], radius)
    tallest = max(level for _, level, _ in piles) + 1
    top = HEAD
    base = top + 8 + max(4, tallest) * (2 * radius + 1)
    parts = _counts(width, measured, place, words)
    spreads = [one.measured[SPREAD] for one in measured if math.isfinite(one.measured.get(SPREAD, math.nan))]
    if spreads:
        half = Z_90 * median(spreads)
        left, right = place(max(low, -half)), place(min(high, half))
        parts.append(rect(left, top, right - left, base - top, "band"))
    parts.append(line(x0 - 10, base, x1 + 10, base, "tick"))
    ticks = range(round(low * 2), round(high * 2) + 1)
    every = math.ceil(len(ticks) / (6 if width < 500 else 12))
    for i, half_k in enumerate(ticks):
        if i % every == 0:
            parts += [
                line(place(half_k / 2), base, place(half_k / 2), base + 5, "tick"),
                text(place(half_k / 2), base + 19, f"{signed(half_k / 2, 1)}℃", anchor="middle"),
            ]
    parts += [
        dot(x, base - radius - 1 - level * (2 * radius + 1), radius - 0.7, f"dot-{warmth_of(one)}")
        for x, level, one in piles
    ]
    parts.append(text(place(0), base + 37, words("warm.expected"), anchor="middle"))
    parts.append(text(x1 + 10, base + 37, words("warm.warmer"), anchor="end"))
    return base + 46, parts


def _counts(
    width: float, measured: list[EpisodeFinding], place: Callable[[float], float], words: Catalogue
) -> list[Markup]:
    """Write how many did not warm and how many did, each over where its own begin, side by side."""
    labels = []
    for warmth in (Warmth.FELT, Warmth.WARM):
        rises = [one.measured[RISE] for one in measured if warmth_of(one) is warmth]
        if rises:
            count, name = words.count("episodes", len(rises)), words(f"warm.count_{warmth}")
            labels.append((place(min(rises)) - 6, max(text_width(count, 14), text_width(name, 12)), count, name))
    xs = [max(0.0, min(x, width - room)) for x, room, _, _ in labels]
    if len(labels) == 2:
        room = labels[0][1] + APART
        xs[1] = max(xs[1], room)
        xs[0] = min(xs[0], xs[1] - room)
    return [
        part
        for x, (_, _, count, name) in zip(xs, labels, strict=True)
        for part in (text(x, 14, count, "label"), text(x, 32, name))
    ]


def _piles(placed: list[tuple[float, EpisodeFinding]], radius: float) -> list[tuple[float, int, EpisodeFinding]]:
    """Stack circles that would touch: each goes on the lowest level with room at its own place."""
    ends: list[float] = []
    piled = []
    for x, one in sorted(placed, key=lambda pair: pair[0]):
        level = next((i for i, end in enumerate(ends) if x - end >= 2 * radius), len(ends))
        if level == len(ends):
            ends.append(x)
        ends[level] = x
        piled.append((x, level, one))
    return piled


def _table(findings: Findings, measured: list[EpisodeFinding], words: Catalogue) -> Table:
    zones = findings.timeline.zones
    rows = tuple(
        (
            words.moment(zones.local(one.episode.start)),
            f"{signed(one.measured[RISE], 1)}℃",
            words(f"warm.dot.{warmth_of(one)}"),
        )
        for one in measured
    )
    return Table((words("column.time"), words("column.rise"), words("column.kind")), rows)
