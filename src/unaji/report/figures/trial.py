"""What a trial on one person found: the changed and the usual period of every pair beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from unaji.care.trial import TrialPlan
from unaji.care.trial_analysis import TrialPeriod, TrialResult
from unaji.report.figures.svg import Figure, Table, dot, draw, grid_step, line, nice_top, path, text, wrap
from unaji.report.trial import dates_said, sum_or_mean
from unaji.report.words import Catalogue, plain

HIGHEST_RATING = 10
LARGEST_MARK, SMALLEST_MARK = 5.0, 1.6
"""Radii of a mark [px]: with many pairs they become smaller, so that neighbours stay apart."""
WIDE = 500.0


@dataclass(frozen=True, slots=True)
class Pair:
    """One block: what was seen in its changed and in its usual period.

    Attributes
    ----------
    changed, usual : float
        Episodes a day, or the mean of the days' values; NaN where nothing can be compared.
    """

    number: int
    changed: float
    usual: float
    changed_period: TrialPeriod
    usual_period: TrialPeriod


def trial_figure(result: TrialResult, aria: str, words: Catalogue) -> Figure:
    """Draw it.

    Parameters
    ----------
    aria : str
        The finding in one sentence.
    """
    pairs = pairs_of(result)
    means = {changed: mean_of(result, changed) for changed in (True, False)}
    phone, desktop = draw(partial(_paint, result.plan, pairs, means, words), aria)
    kind = "episodes" if result.plan.counts else "points"
    return Figure(
        "trial", words("trial.figure.title"), words(f"trial.figure.caption.{kind}"), aria, phone, desktop,
        _table(result.plan, pairs, words),
    )  # fmt: skip


def pairs_of(result: TrialResult) -> tuple[Pair, ...]:
    """Put the two periods of each block beside each other."""
    by_place = {(one.planned.block, one.planned.changed): one for one in result.periods}
    return tuple(
        Pair(
            number, _level(result.plan, by_place[number, True]), _level(result.plan, by_place[number, False]),
            by_place[number, True], by_place[number, False],
        )
        for number in range(1, result.plan.blocks + 1)
    )  # fmt: skip


def mean_of(result: TrialResult, changed: bool) -> float:
    """Return episodes a day, or the mean of the days' values, of all compared days of a condition; NaN without any."""
    days = [day for day in result.days if day.compared and day.changed is changed]
    whole = sum_or_mean(result.plan, days)
    return whole / len(days) if days and result.plan.counts else whole


def _level(plan: TrialPlan, period: TrialPeriod) -> float:
    if not period.compared_days:
        return math.nan
    return period.value / period.compared_days if plan.counts else period.value


def _paint(
    plan: TrialPlan, pairs: Sequence[Pair], means: dict[bool, float], words: Catalogue, width: float
) -> tuple[float, list[Markup]]:
    x0, x1, y0, y1 = 30.0, width - 10, 34.0, 190.0 if width < WIDE else 230.0
    seen = [value for one in pairs for value in (one.changed, one.usual) if not math.isnan(value)]
    top = nice_top(max(seen, default=0.0), least=2) if plan.counts else HIGHEST_RATING
    step = (x1 - x0) / len(pairs)
    radius = max(SMALLEST_MARK, min(LARGEST_MARK, step / 4.4))

    def height(value: float) -> float:
        return y1 - (y1 - y0) * value / top

    parts = [text(0, 14, words("trial.figure.axis.episodes" if plan.counts else "trial.figure.axis.points"))]
    for value in range(0, top + 1, grid_step(top)):
        parts += [line(x0, height(value), x1, height(value)), text(x0 - 6, height(value) + 4, str(value), anchor="end")]
    every = max(1, -(-len(pairs) // (10 if width < WIDE else 26)))
    for place, one in enumerate(pairs):
        x = x0 + step * (place + 0.5)
        if place % every == 0:
            parts.append(text(x, y1 + 18, str(one.number), anchor="middle"))
        parts += _pair(one, x, step / 4, radius, height)
    parts.append(text(0, y1 + 18, words("trial.figure.pair")))
    for changed, look in ((True, "model"), (False, "pred")):
        if not math.isnan(means[changed]):
            parts.append(path([(x0, height(means[changed])), (x1, height(means[changed]))], look))
    bottom, legend = _legend(y1 + 44, width, means, words)
    return bottom, parts + legend


def _pair(one: Pair, x: float, apart: float, radius: float, height: Callable[[float], float]) -> list[Markup]:
    """Draw both marks of a pair and what joins them; what was not recorded is left out, and nothing joins it."""
    parts = []
    if not math.isnan(one.changed) and not math.isnan(one.usual):
        parts.append(line(x - apart, height(one.changed), x + apart, height(one.usual), "tick"))
    if not math.isnan(one.changed):
        parts.append(dot(x - apart, height(one.changed), radius, "measured-dot"))
    if not math.isnan(one.usual):
        parts.append(dot(x + apart, height(one.usual), radius, "empty"))
    return parts


def _legend(y: float, width: float, means: dict[bool, float], words: Catalogue) -> tuple[float, list[Markup]]:
    """Name both marks and both lines, with the means that the lines stand for; return where it ends."""
    parts: list[Markup] = []
    for changed, mark, look in ((True, "measured-dot", "model"), (False, "empty", "pred")):
        mean = words("unknown") if math.isnan(means[changed]) else plain(means[changed])
        told = words(f"trial.figure.mean_{'changed' if changed else 'usual'}", n=mean)
        parts += [dot(8, y - 4, LARGEST_MARK, mark), path([(22, y - 4), (52, y - 4)], look)]
        for row in wrap(told, width - 62, 14):
            parts.append(text(60, y, row, "value"))
            y += 20
        y += 2
    return y - 10, parts


def _table(plan: TrialPlan, pairs: Sequence[Pair], words: Catalogue) -> Table:
    head = tuple(words(f"trial.figure.column.{name}") for name in ("pair", "changed", "usual"))
    rows = tuple(
        (str(one.number), _cell(plan, one.changed_period, one.changed, words),
         _cell(plan, one.usual_period, one.usual, words))
        for one in pairs
    )  # fmt: skip
    return Table(head, rows)


def _cell(plan: TrialPlan, period: TrialPeriod, level: float, words: Catalogue) -> str:
    first, last = period.planned.first, period.planned.last
    when = dates_said(first, last, words)
    if math.isnan(level):
        return words("trial.figure.cell", when=when, value=words("trial.figure.no_record"))
    one_day = period.compared_days == 1
    value = words.count("episodes", int(period.value)) if plan.counts and one_day else plain(level)
    return words("trial.figure.cell", when=when, value=value)
