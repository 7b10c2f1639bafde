"""Figure e: episodes a week, the sessions, and what would have been expected without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from unaji.findings import Findings
from unaji.records.timeline import utc_ms
from unaji.report.figures.svg import (
    Figure,
    Point,
    Table,
    dot,
    draw,
    grid_step,
    line,
    nice_top,
    path,
    text,
    text_width,
    triangle,
)
from unaji.report.figures.time_axis import Calendar
from unaji.report.words import Catalogue

DAYS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """One week from the first day on.

    Attributes
    ----------
    expected : float
        Episodes the fitted exposures lead one to expect without treatment, in the time on record; NaN where nothing
        was fitted.
    recorded : float
        Share of its days with anything on record.
    """

    number: int
    count: int
    expected: float
    recorded: float


def weeks_figure(findings: Findings, words: Catalogue) -> Figure:
    """Draw it."""
    calendar = Calendar(findings)
    weeks = by_week(findings, calendar)
    sessions = [one.time for one in findings.timeline.treatments if calendar.within(one.time)]
    first = min((calendar.days(time) for time in sessions), default=None)
    aria = words("chart.weeks_aria", n=words("unit.bare", n=len(sessions)))

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, weeks, [calendar.days(time) for time in sessions], first, words)

    phone, desktop = draw(paint, aria)
    table = _table(weeks, words)
    return Figure("weeks", words("chart.weeks"), words("chart.weeks_caption"), aria, phone, desktop, table)


def by_week(findings: Findings, calendar: Calendar) -> tuple[Week, ...]:
    """Count episodes (fever left out), expectation and recorded days of each week."""
    grid, attribution = findings.design.grid, findings.attribution
    n_weeks = -(-calendar.n_days // DAYS)
    counts = np.zeros(n_weeks, dtype=int)
    for one in findings.episodes:
        if not one.fever and calendar.within(one.episode.start):
            counts[calendar.place(one.episode.start)[0] // DAYS] += 1
    inside = (grid.time >= utc_ms(findings.observed.period.start)) & (grid.time < utc_ms(findings.observed.period.end))
    first = grid.day[np.argmax(inside)] if inside.any() else 0
    week = (grid.day - first) // DAYS
    used = inside & grid.observed & (week >= 0) & (week < n_weeks)
    rate = (
        np.asarray(attribution.intensity, dtype=float).sum(axis=0) if attribution.fitted else np.full(week.size, np.nan)
    )
    expected = np.bincount(week[used], rate[used], n_weeks)
    days = np.unique(np.stack([week[used], grid.day[used]]), axis=1)
    recorded = np.bincount(days[0], minlength=n_weeks) / DAYS
    return tuple(Week(i + 1, int(counts[i]), float(expected[i]), float(recorded[i])) for i in range(n_weeks))


def _paint(
    width: float, weeks: tuple[Week, ...], sessions: list[float], first: float | None, words: Catalogue
) -> tuple[float, list[Markup]]:
    x0, x1, y0, y1 = 30.0, width - 14, 34.0, 200.0 if width < 500 else 250.0
    known = [one.expected for one in weeks if np.isfinite(one.expected)]
    top = nice_top(max([one.count for one in weeks] + known, default=0))
    step = (x1 - x0) / len(weeks)

    def place(week: float) -> float:
        return x0 + step * week

    def height(value: float) -> float:
        return y1 - (y1 - y0) * value / top

    parts = [text(0, 14, words("chart.weeks_axis"))]
    for value in range(0, top + 1, grid_step(top)):
        parts += [line(x0, height(value), x1, height(value)), text(x0 - 6, height(value) + 4, str(value), anchor="end")]
    every = max(1, -(-len(weeks) // (12 if width < 500 else 26)))
    parts += [
        text(place(i + 0.5), y1 + 18, str(one.number), anchor="middle") for i, one in enumerate(weeks) if i % every == 0
    ]
    if first is not None:
        x = place(first / DAYS)
        label = words("chart.first_session")
        end = x + 6 + text_width(label, 12) > x1
        parts += [
            line(x, y0 - 10, x, y1, "start"),
            text(x - 6 if end else x + 6, y0 - 4, label, anchor="end" if end else "start"),
        ]
        points: list[Point] = [
            (place(i + 0.5), height(one.expected))
            for i, one in enumerate(weeks)
            if np.isfinite(one.expected) and i + 1 > first / DAYS
        ]
        parts += [path(points, "pred")] if len(points) > 1 else []
    for i, one in enumerate(weeks):
        parts.append(dot(place(i + 0.5), height(one.count), 6, "heat" if one.recorded >= 0.5 else "dot-unmeasured"))
    parts += [triangle(place(day / DAYS), y1 + 38) for day in sessions]
    parts.append(text(0, y1 + 18, words("chart.week_no")))
    return y1 + 72, parts + _legend(y1 + 64, first is not None, words)


def _legend(y: float, treated: bool, words: Catalogue) -> list[Markup]:
    actual = words("chart.actual")
    parts = [dot(8, y - 5, 6, "heat"), text(20, y, actual)]
    x = 20 + text_width(actual, 12) + 20
    if treated:
        parts += [line(x, y - 5, x + 24, y - 5, "pred"), text(x + 30, y, words("chart.expected"))]
    return parts


def _table(weeks: tuple[Week, ...], words: Catalogue) -> Table:
    head = tuple(words(f"column.{name}") for name in ("week", "count", "expected", "observed"))
    rows = tuple(
        (
            str(one.number),
            str(one.count),
            f"{one.expected:.1f}" if np.isfinite(one.expected) else words("unknown"),
            words("percent.plain", n=round(100 * min(1.0, one.recorded))),
        )
        for one in weeks
    )
    return Table(head, rows)
