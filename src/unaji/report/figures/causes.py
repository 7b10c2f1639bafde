"""Figure b: each factor's episodes of ten with interval, verdict and evidence grade."""

from __future__ import annotations

import math

from markupsafe import Markup

from unaji.causes.attribution import SignalState, Verdict
from unaji.report.figures.svg import (
    Figure,
    Table,
    dot,
    draw,
    el,
    grade_badge,
    line,
    nice_top,
    rect,
    text,
    wrap,
)
from unaji.report.story.factors import Candidates, Factor
from unaji.report.words import Catalogue

GROUPS = {
    "behind": (Verdict.CAUSE, Verdict.LIKELY),
    "open": (Verdict.OPEN,),
    "unlikely": (Verdict.UNLIKELY,),
    "cannot_tell": (Verdict.CANNOT_TELL,),
}


def causes_figure(chosen: Candidates, answer: str, words: Catalogue) -> Figure:
    """Draw it; verdict groups part the rows, and within a group the larger share comes first."""
    aria = words("chart.causes_aria", sentence=answer.rstrip("。."))
    top = nice_top(max((10 * _reach(one) for one in chosen.factors if _measured(one)), default=0))

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, chosen, min(10, top), words)

    phone, desktop = draw(paint, aria)
    return Figure(
        "causes", words("chart.causes"), words("chart.causes_caption"), aria, phone, desktop, _table(chosen, words)
    )


def _paint(width: float, chosen: Candidates, top: int, words: Catalogue) -> tuple[float, list[Markup]]:
    narrow = width < 500
    x0, x1 = (8.0, 246.0) if narrow else (208.0, 500.0)
    parts = [
        text(x0 + (x1 - x0) * n / top, 14, words("chart.axis_tens", n=n), anchor="middle")
        if n
        else text(x0 - 4, 14, words("chart.axis_tens", n=0))
        for n in range(0, top + 1, 2)
    ]
    parts.append(text(width, 14, words("grade.short"), anchor="end"))
    if not narrow:
        parts.append(text(632, 14, words("chart.sureness"), anchor="end"))
    y = 36.0
    for group, verdicts in GROUPS.items():
        members = [one for one in chosen.factors if one.result.verdict in verdicts]
        if not members:
            continue
        parts += [text(0, y, words(f"group.{group}")), line(0, y + 7, width, y + 7)]
        y += 14
        for factor in members:
            rows, height = _row(width, y, factor, top, (x0, x1), chosen, words)
            parts += rows
            y += height
        y += 22
    return y - 6, parts


def _row(
    width: float,
    y: float,
    factor: Factor,
    top: int,
    ends: tuple[float, float],
    chosen: Candidates,
    words: Catalogue,
) -> tuple[list[Markup], float]:
    narrow = width < 500
    lines = wrap(factor.name, 210 if narrow else 190, 14)
    sure = factor.p or words("unknown")
    if narrow:
        middle = y + 18 * len(lines) + 14
        parts = [text(0, y + 16 + 18 * i, one, "label") for i, one in enumerate(lines)]
        parts.append(text(width, y + 16, words("chart.sure", p=sure) if factor.p else factor.word, "value", "end"))
        parts += grade_badge(width - 57, middle - 10, factor.grade)
        return parts + _bar(middle, factor, top, ends, chosen), 18.0 * len(lines) + 34
    height = max(38.0, 18.0 * len(lines) + 12)
    middle = y + height / 2
    first = middle + 5 - 9 * (len(lines) - 1)
    parts = [text(0, first + 18 * i, one, "label") for i, one in enumerate(lines)]
    parts += [text(570, middle + 5, factor.word if factor.named else "", "value", "end")]
    parts += [text(632, middle + 5, sure, "strong", "end")]
    parts += grade_badge(width - 57, middle - 10, factor.grade)
    return parts + _bar(middle, factor, top, ends, chosen), height


def _bar(y: float, factor: Factor, top: int, ends: tuple[float, float], chosen: Candidates) -> list[Markup]:
    x0, x1 = ends
    scale = (x1 - x0) / top
    parts = [line(x0, y, x1, y)] + [line(x0 + n * scale, y - 5, x0 + n * scale, y + 5) for n in range(0, top + 1, 2)]
    if not _measured(factor) or factor.result.verdict is Verdict.CANNOT_TELL:
        reach = 10 * _reach(factor) if _measured(factor) else top
        return [*parts, rect(x0, y - 6, max(10.0, min(top, reach) * scale), 12, "reach", 6)]
    share = factor.result.share
    weak = "" if factor.named else " weak"
    second = " second" if _second(factor, chosen) else ""
    left, right = x0 + 10 * share.p5 * scale, x0 + 10 * share.p95 * scale
    return [
        *parts,
        rect(left, y - 6, max(6.0, min(right, x1) - left), 12, f"interval{weak}{second} f-{factor.family}", 6),
        dot(x0 + 10 * share.mean * scale, y, 7 if factor.named else 5.5, f"mean{second} f-{factor.family}"),
    ]


def _second(factor: Factor, chosen: Candidates) -> bool:
    return next(one for one in chosen.factors if one.family is factor.family) is not factor


def _measured(factor: Factor) -> bool:
    return factor.result.signal is SignalState.OK and math.isfinite(factor.result.share.p95)


def _reach(factor: Factor) -> float:
    return factor.result.share.p95


def _table(chosen: Candidates, words: Catalogue) -> Table:
    names = ("factor", "verdict", "p", "of_ten", "interval", "lag", "ratio", "grade")
    rows = tuple(
        tuple(
            value or words("unknown")
            for value in (
                one.name,
                one.word,
                one.p,
                one.count,
                one.interval,
                one.lag,
                one.ratio,
                one.grade.value,
            )
        )
        for one in chosen.factors
    )
    return Table(tuple(words(f"column.{name}") for name in names), rows)


def ten_dots(factor: Factor, words: Catalogue) -> Markup:
    """Draw ten marks, as many filled as episodes of ten, with a bracket for the 90 % interval."""
    count = factor.tens
    if count is None:
        return Markup("")
    step, radius = 27.0, 10.0
    marks = [
        dot(12 + step * i, 12, radius, f"mean f-{factor.family}" if i < count.count else "empty") for i in range(10)
    ]
    left, right = 12 + step * count.low - step / 2, 12 + step * count.high - step / 2
    bracket = [
        line(left, 32, right, 32, "bracket"),
        line(left, 28, left, 36, "bracket"),
        line(right, 28, right, 36, "bracket"),
    ]
    aria = words("behind.dots_aria", count=factor.count, range=factor.interval)
    return el(
        "svg", *marks, *bracket, viewBox="-3 0 274 38", width=274, height=38, class_="tens", role="img", aria_label=aria
    )
