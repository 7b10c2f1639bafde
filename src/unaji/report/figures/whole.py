"""The whole record on one page: episodes, sessions, what was measured, what there was of each exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from unaji.findings import Findings
from unaji.quantities import QUANTITIES
from unaji.records.timeline import FloatArray, TimeArray, utc_ms
from unaji.report.figures.days import hours, tints
from unaji.report.figures.svg import Figure, Point, Table, dot, draw, line, path, rect, text, triangle, wrap
from unaji.report.figures.time_axis import Calendar
from unaji.report.story.factors import Candidates, Factor
from unaji.report.story.period import period
from unaji.report.words import Catalogue, plain

SIGNALS = ("neck_skin_temp_c", "hr_bpm", "station_pressure_hpa", "sea_level_pressure_hpa", "air_temp_c")
"""Measured series drawn where there are any, after the sympathetic index; the two pressures tell the same, so one."""
MAX_STRIPS = 5
POINTS = 400
"""At most so many means a row: a step is a multiple of an hour and a gap stays a gap."""


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """One measured signal as means over equal steps; NaN where nothing was measured."""

    name: str
    unit: str
    mean: FloatArray
    low: float
    high: float
    average: float


def whole_figure(findings: Findings, chosen: Candidates, words: Catalogue) -> Figure:
    """Draw it."""
    calendar = Calendar(findings)
    rows = signal_rows(findings, words)
    strips = [one for one in chosen.factors if any(t.id == one.id for t in findings.design.triggers)][:MAX_STRIPS]
    when = period(findings, words).text
    aria = words("chart.timeline_aria", period=when, episodes=words.count("episodes", len(findings.episodes)))

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, findings, calendar, rows, strips, words)

    phone, desktop = draw(paint, aria)
    title, caption = words("chart.timeline"), words("chart.timeline_caption")
    return Figure("whole", title, caption, aria, phone, desktop, _table(rows, words))


def signal_rows(findings: Findings, words: Catalogue) -> list[Row]:
    """Return the measured signals, each averaged over steps of whole hours."""
    found = []
    if findings.state is not None:
        index = _means(findings, findings.state.time, findings.state.sympathetic_index)
        found.append(_row(words("signal.sympathetic_index"), words("signal.unit.sympathetic_index"), index))
    for quantity in SIGNALS:
        series = findings.timeline.of(quantity)
        if series is None or (quantity == "sea_level_pressure_hpa" and findings.timeline.of("station_pressure_hpa")):
            continue
        means = _means(findings, series.time, series.value)
        unit = QUANTITIES[quantity].unit.replace("°C", "℃")
        found.append(_row(words(f"signal.{quantity}"), unit, means))
    return [row for row in found if np.isfinite(row.mean).any()]


def _row(name: str, unit: str, mean: FloatArray) -> Row:
    known = mean[np.isfinite(mean)]
    if not known.size:
        return Row(name, unit, mean, np.nan, np.nan, np.nan)
    return Row(name, unit, mean, float(known.min()), float(known.max()), float(known.mean()))


def _means(findings: Findings, time: TimeArray, value: FloatArray) -> FloatArray:
    period = findings.observed.period
    total_h = (period.end - period.start).total_seconds() / 3600
    step_h = max(1, int(np.ceil(total_h / POINTS)))
    n = max(1, int(np.ceil(total_h / step_h)))
    at = ((time - utc_ms(period.start)) / np.timedelta64(step_h, "h")).astype(float)
    used = np.isfinite(value) & (at >= 0) & (at < n)
    where = at[used].astype(int)
    count = np.bincount(where, minlength=n)
    total = np.bincount(where, value[used], n)
    means: FloatArray = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return means


def _paint(
    width: float,
    findings: Findings,
    calendar: Calendar,
    rows: list[Row],
    strips: list[Factor],
    words: Catalogue,
) -> tuple[float, list[Markup]]:
    x0, x1 = (4.0, width - 4) if width < 500 else (150.0, width - 56)
    across = x1 - x0
    column = across / calendar.n_days
    parts = calendar.month_labels(x0, across, 12, words)
    y = 26.0
    y, made = _marks(y, x0, x1, width, column, findings, calendar, words)
    parts += made
    for row in rows:
        y, made = _signal(y, x0, x1, width, row)
        parts += made
    for factor in strips:
        y, made = _strip(y, x0, x1, width, factor, findings, calendar)
        parts += made
    return y, parts


def _marks(
    y: float,
    x0: float,
    x1: float,
    width: float,
    column: float,
    findings: Findings,
    calendar: Calendar,
    words: Catalogue,
) -> tuple[float, list[Markup]]:
    base, label = _name(y, width, words("chart.episodes_row"))
    parts = [label, line(x0, base + 10, x1, base + 10)]
    for one in findings.episodes:
        if calendar.within(one.episode.start):
            parts.append(dot(x0 + calendar.days(one.episode.start) * column, base + 10, 3.6, "heat"))
    y = base + 24
    sessions = [one.time for one in findings.timeline.treatments if calendar.within(one.time)]
    if sessions:
        base, label = _name(y, width, words("chart.treatment_row"))
        parts += [label, *(triangle(x0 + calendar.days(time) * column, base + 14) for time in sessions)]
        y = base + 24
    return y, parts


def _signal(y: float, x0: float, x1: float, width: float, row: Row) -> tuple[float, list[Markup]]:
    tall = 40.0
    base, label = _name(y, width, row.name)
    span = row.high - row.low or 1.0
    step = (x1 - x0) / row.mean.size

    def point(i: int) -> Point:
        return x0 + (i + 0.5) * step, base + tall - 2 - (tall - 4) * (row.mean[i] - row.low) / span

    parts = [label, rect(x0, base, x1 - x0, tall, "sunk")]
    known = np.isfinite(row.mean)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        points = [point(i) for i in range(start, end)]
        parts.append(path(points, "measured") if len(points) > 1 else dot(*points[0], 1, "measured-dot"))
    if width >= 500:
        parts += [text(x1 + 6, base + 11, plain(row.high)), text(x1 + 6, base + tall, plain(row.low))]
        parts.append(text(0, base + 36, row.unit))
    else:
        parts.append(text(x1, base - 5, f"{plain(row.low)} – {plain(row.high)} {row.unit}", anchor="end"))
    return base + tall + 10, parts


def _strip(
    y: float, x0: float, x1: float, width: float, factor: Factor, findings: Findings, calendar: Calendar
) -> tuple[float, list[Markup]]:
    tall = 16.0
    base, label = _name(y, width, factor.name)
    trigger = next(one for one in findings.design.triggers if one.id == factor.id)
    hourly, recorded = hours(findings, trigger, calendar)
    levels = tints(hourly, trigger.kind).max(axis=1)
    column = (x1 - x0) / calendar.n_days
    parts = [label, rect(x0, base, x1 - x0, tall, "sunk")]
    for day in range(calendar.n_days):
        x = x0 + day * column
        if not recorded[day].any():
            parts.append(rect(x, base, column + 0.2, tall, "hatched"))
        elif levels[day]:
            parts.append(rect(x, base, column + 0.2, tall, f"tint{levels[day]} f-{factor.family}"))
    lines = len(wrap(factor.name, 142, 12)) if width >= 500 else 1
    return base + max(tall + 10, 14.0 * lines + 8), parts


def _name(y: float, width: float, name: str) -> tuple[float, Markup]:
    """Place a row's name: beside it on a desktop, above it on a phone; return where the row itself starts."""
    if width < 500:
        return y + 18, text(4, y + 12, name, "small-label")
    lines = wrap(name, 142, 12)
    names = [text(0, y + 12 + 14 * i, one, "small-label") for i, one in enumerate(lines)]
    return y, Markup("").join(names)


def _table(rows: list[Row], words: Catalogue) -> Table:
    head = tuple(words(f"column.{name}") for name in ("name", "low", "mean", "high"))
    return Table(
        head,
        tuple((f"{row.name} ({row.unit})", plain(row.low), plain(row.average), plain(row.high)) for row in rows),
    )
