"""Figure e: episodes a week, the sessions, what the model makes of it, and what was expected without treatment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from unaji.care.weeks import DAYS
from unaji.findings import Findings
from unaji.records.timeline import utc_ms
from unaji.report.figures.one_episode import stretches
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
    rect,
    text,
    text_width,
    triangle,
    wrap,
)
from unaji.report.figures.time_axis import Calendar
from unaji.report.story.treatment import treatment_name
from unaji.report.words import Catalogue

NAN = float("nan")
HALF_RECORDED = 0.5
"""Share of a week's days on record below which its circle is hatched."""


@dataclass(frozen=True, slots=True)
class Week:
    """One week from the first day on; what was expected is for the time on record alone.

    Attributes
    ----------
    fitted : float
        Episodes the model expects, the sessions included; NaN where nothing was fitted or nothing is on record.
    expected : float
        The same without treatment.
    low, high : float
        Ends of the 90 % interval of the counts that such a week would bring without treatment.
    treated : bool
        Whether a session, of this week or before, still acts in it.
    recorded : float
        Share of its days with anything on record.
    """

    number: int
    count: int
    fitted: float
    expected: float
    low: float
    high: float
    treated: bool
    recorded: float

    @property
    def known(self) -> bool:
        """Whether there is anything to expect."""
        return bool(np.isfinite(self.expected))

    @property
    def inside(self) -> bool:
        """Whether the count lies inside the band."""
        return self.low <= self.count <= self.high


Sessions = dict[str, list[float]]
"""By kind of treatment, in the report's words: days since the first midnight of the period."""


def weeks_figure(findings: Findings, words: Catalogue) -> Figure:
    """Draw it."""
    calendar = Calendar(findings)
    weeks = by_week(findings, calendar)
    sessions: Sessions = {}
    for one in findings.timeline.treatments:
        if calendar.within(one.time):
            sessions.setdefault(treatment_name(findings, one.kind, words), []).append(calendar.days(one.time))
    aria = _aria(weeks, sum(map(len, sessions.values())), words)

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, weeks, sessions, words)

    phone, desktop = draw(paint, aria)
    banded = any(one.treated and one.known for one in weeks)
    caption = words("chart.weeks_caption_band" if banded else "chart.weeks_caption")
    return Figure("weeks", words("chart.weeks"), caption, aria, phone, desktop, _table(weeks, words))


def by_week(findings: Findings, calendar: Calendar) -> tuple[Week, ...]:
    """Count episodes (fever left out) and recorded days of each week, beside what was expected of it."""
    n_weeks = -(-calendar.n_days // DAYS)
    counts = np.zeros(n_weeks, dtype=int)
    for one in findings.episodes:
        if not one.fever and calendar.within(one.episode.start):
            counts[calendar.place(one.episode.start)[0] // DAYS] += 1
    recorded = _recorded(findings, n_weeks)
    expected = {one.number: one for one in findings.weeks}
    weeks = []
    for i in range(n_weeks):
        known = expected.get(i + 1)
        numbers = (
            (NAN,) * 4 if known is None else (known.fitted, known.without.mean, known.without.p5, known.without.p95)
        )
        treated = known is not None and known.treated
        weeks.append(Week(i + 1, int(counts[i]), *numbers, treated, float(recorded[i])))
    return tuple(weeks)


def _recorded(findings: Findings, n_weeks: int) -> np.ndarray:
    """Return the share of each week's days with anything on record."""
    grid, period = findings.design.grid, findings.observed.period
    inside = (grid.time >= utc_ms(period.start)) & (grid.time < utc_ms(period.end))
    first = grid.day[np.argmax(inside)] if inside.any() else 0
    week = (grid.day - first) // DAYS
    used = inside & grid.observed & (week >= 0) & (week < n_weeks)
    days = np.unique(np.stack([week[used], grid.day[used]]), axis=1)
    return np.asarray(np.bincount(days[0], minlength=n_weeks) / DAYS)


def _aria(weeks: tuple[Week, ...], sessions: int, words: Catalogue) -> str:
    later = [one for one in weeks if one.treated and one.known]
    if not later:
        return words("chart.weeks_aria", n=words("unit.bare", n=sessions))
    return words(
        "chart.weeks_aria_band",
        weeks=words.count("weeks", len(later)),
        episodes=words.count("episodes", sum(one.count for one in later)),
        expected=f"{sum(one.expected for one in later):.0f}",
        inside=words.count("weeks", sum(one.inside for one in later)),
    )


def _paint(width: float, weeks: tuple[Week, ...], sessions: Sessions, words: Catalogue) -> tuple[float, list[Markup]]:
    x0, x1, y0, y1 = 30.0, width - 14, 34.0, 200.0 if width < 500 else 250.0
    known = [value for one in weeks if one.known for value in (one.fitted, one.expected, one.high * one.treated)]
    top = nice_top(max([one.count for one in weeks] + known, default=0))
    step = (x1 - x0) / len(weeks)

    def place(week: float) -> float:
        return x0 + step * week

    def height(value: float) -> float:
        return y1 - (y1 - y0) * value / top

    parts = [text(0, 14, words("chart.weeks_axis"))]
    parts += _lines(weeks, step, place, height, bands=True)
    for value in range(0, top + 1, grid_step(top)):
        parts += [line(x0, height(value), x1, height(value)), text(x0 - 6, height(value) + 4, str(value), anchor="end")]
    every = max(1, -(-len(weeks) // (12 if width < 500 else 26)))
    parts += [
        text(place(i + 0.5), y1 + 18, str(one.number), anchor="middle") for i, one in enumerate(weeks) if i % every == 0
    ]
    parts.append(text(0, y1 + 18, words("chart.week_no")))
    first = min((day for days in sessions.values() for day in days), default=None)
    if first is not None:
        x = place(first / DAYS)
        label = words("chart.first_session")
        end = x + 6 + text_width(label, 12) > x1
        parts += [
            line(x, y0 - 10, x, y1, "start"),
            text(x - 6 if end else x + 6, y0 - 4, label, anchor="end" if end else "start"),
        ]
    parts += _lines(weeks, step, place, height, bands=False)
    for i, one in enumerate(weeks):
        look = "heat" if one.recorded >= HALF_RECORDED else "dot-unmeasured"
        parts.append(dot(place(i + 0.5), height(one.count), 6, look))
    y, rows = _session_rows(y1 + 22, width, sessions, place)
    bottom, legend = _legend(y + 26, width, weeks, words)
    return bottom + 8, parts + rows + legend


def _lines(
    weeks: tuple[Week, ...],
    step: float,
    place: Callable[[float], float],
    height: Callable[[float], float],
    *,
    bands: bool,
) -> list[Markup]:
    """Draw the bands, or the lines over them; a week without record ends them, one alone is half a week wide."""
    parts = []

    def along(start: int, end: int, values: list[float]) -> list[Point]:
        points = [(place(i + 0.5), height(value)) for i, value in zip(range(start, end), values, strict=True)]
        (x, y) = points[0]
        return points if len(points) > 1 else [(x - step / 4, y), (x + step / 4, y)]

    treated = np.array([one.known and one.treated for one in weeks])
    for start, end in stretches(treated):
        some = weeks[start:end]
        if bands:
            lower, upper = (along(start, end, [getattr(one, name) for one in some]) for name in ("low", "high"))
            parts.append(path([*lower, *upper[::-1]], "band", closed=True))
        else:
            parts.append(path(along(start, end, [one.expected for one in some]), "pred"))
    for start, end in stretches(np.array([one.known for one in weeks])) if not bands else ():
        parts.append(path(along(start, end, [one.fitted for one in weeks[start:end]]), "model"))
    return parts


def _session_rows(
    y: float, width: float, sessions: Sessions, place: Callable[[float], float]
) -> tuple[float, list[Markup]]:
    """Draw a row of triangles for each kind, its name before them where it fits, else above; return where they end."""
    parts = []
    for name, days in sessions.items():
        first = place(min(days) / DAYS) - 10
        if text_width(name, 12) <= first:
            parts.append(text(first, y + 15, name, anchor="end"))
        else:
            lines = wrap(name, width, 12)
            parts += [text(0, y + 14 + 16 * i, one) for i, one in enumerate(lines)]
            y += 16 * len(lines)
        parts += [triangle(place(day / DAYS), y + 16) for day in days]
        y += 20
    return y, parts


def _legend(y: float, width: float, weeks: tuple[Week, ...], words: Catalogue) -> tuple[float, list[Markup]]:
    """Say what the marks are, in as many rows as needed; return the last row's baseline."""
    marks: list[tuple[str, float, Callable[[float, float], list[Markup]]]] = [
        (words("chart.actual"), 16, lambda x, y: [dot(x + 8, y - 5, 6, "heat")])
    ]
    if any(one.known for one in weeks):
        marks.append((words("chart.fitted"), 26, lambda x, y: [line(x, y - 5, x + 26, y - 5, "model")]))
    if any(one.known and one.treated for one in weeks):
        marks.append(
            (
                words("chart.expected"),
                30,
                lambda x, y: [rect(x, y - 12, 30, 14, "band"), line(x, y - 5, x + 30, y - 5, "pred")],
            )
        )
    parts, x = [], 0.0
    for label, room, mark in marks:
        if x and x + room + 6 + text_width(label, 12) > width:
            x, y = 0.0, y + 22
        parts += [*mark(x, y), text(x + room + 6, y, label)]
        x += room + 6 + text_width(label, 12) + 18
    return y, parts


def _table(weeks: tuple[Week, ...], words: Catalogue) -> Table:
    head = tuple(words(f"column.{name}") for name in ("week", "count", "fitted", "expected", "interval", "observed"))
    unknown = words("unknown")
    rows = tuple(
        (
            str(one.number),
            str(one.count),
            f"{one.fitted:.1f}" if one.known else unknown,
            f"{one.expected:.1f}" if one.known else unknown,
            words("range", low=f"{one.low:.0f}", high=f"{one.high:.0f}") if one.known else unknown,
            words("percent.plain", n=round(100 * min(1.0, one.recorded))),
        )
        for one in weeks
    )
    return Table(head, rows)
