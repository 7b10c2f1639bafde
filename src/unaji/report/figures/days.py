"""Figure a: days across, hours down; when it was hot, over the strongest exposure."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from unaji.causes.design import Trigger
from unaji.findings import Findings
from unaji.records.timeline import BoolArray, Episode, FloatArray, utc_ms
from unaji.report.figures.svg import Figure, Table, draw, el, line, rect, text, text_width, triangle
from unaji.report.figures.time_axis import Calendar
from unaji.report.story.factors import Factor
from unaji.report.words import Catalogue

STEPS = (0.60, 0.75, 0.87, 0.95)
"""Quantiles of the person's own hours from which the four tints start; below the first nothing is drawn."""
DOSE_STEPS = (0.0, 0.25, 0.5, 0.75)
"""The same for doses, among the hours with any intake."""


def days_figure(
    findings: Findings, factor: Factor, words: Catalogue, *, hours_px: float | None = None
) -> Figure | None:
    """Draw it; None when the factor's exposure is not on the grid.

    Parameters
    ----------
    hours_px : float, optional
        Height of the 24 hours, where the usual one is too tall.
    """
    trigger = next((one for one in findings.design.triggers if one.id == factor.id), None)
    if trigger is None:
        return None
    calendar = Calendar(findings)
    hourly, recorded = hours(findings, trigger, calendar)
    levels = tints(hourly, trigger.kind)
    title, caption, aria = days_words(findings, factor, calendar, words)

    def paint(width: float) -> tuple[float, list[Markup]]:
        height = hours_px or (204.0 if width < 500 else 272.0)
        return _paint(width, height, findings, factor, calendar, levels, recorded, words)

    phone, desktop = draw(paint, aria)
    return Figure("days", title, caption, aria, phone, desktop, _table(findings, factor, trigger, calendar, words))


def days_words(findings: Findings, factor: Factor, calendar: Calendar, words: Catalogue) -> tuple[str, str, str]:
    """Return title, caption and sentence for the ear of the figure of one exposure."""
    caption = words("chart.days_caption", name=factor.name, days=words.count("days", calendar.n_days))
    aria = words("chart.days_aria", name=factor.name, episodes=words.count("episodes", len(findings.episodes)))
    return words("chart.days", name=factor.name), caption, aria


def hours(findings: Findings, trigger: Trigger, calendar: Calendar) -> tuple[FloatArray, BoolArray]:
    """Return the highest level (or the sum of doses) of each day's hours, and which of them were recorded.

    Both have the shape (n_days, 24). A day without any observed time counts as not recorded.
    """
    grid = findings.design.grid
    day, hour = _day_and_hour(findings, calendar)
    inside = (day >= 0) & (day < calendar.n_days)
    known = inside & np.isfinite(trigger.value)
    value = np.full((calendar.n_days, 24), 0.0 if trigger.kind == "dose" else -np.inf)
    join = np.add if trigger.kind == "dose" else np.maximum
    join.at(value, (day[known], hour[known]), trigger.value[known])
    recorded = np.zeros(value.shape, dtype=bool)
    recorded[day[known], hour[known]] = True
    diary = np.zeros(calendar.n_days, dtype=bool)
    diary[day[inside & grid.observed]] = True
    recorded &= diary[:, None]
    return np.where(recorded, value, np.nan), recorded


def tints(hourly: FloatArray, kind: str) -> np.ndarray:
    """Return 0 to 4 for each hour: nothing, or one of four tints by the person's own quantiles."""
    known = hourly[np.isfinite(hourly)]
    known = known[known > 0] if kind == "dose" else known
    if known.size == 0 or (kind != "dose" and known.max() == known.min()):
        return np.zeros(hourly.shape, dtype=int)
    steps = np.quantile(known, DOSE_STEPS if kind == "dose" else STEPS)
    above_least = np.nan_to_num(hourly, nan=-np.inf) > (0.0 if kind == "dose" else known.min())
    return np.where(above_least, (np.nan_to_num(hourly, nan=-np.inf)[..., None] >= steps).sum(axis=-1), 0)


def to_digits(levels: np.ndarray, recorded: BoolArray) -> list[str]:
    """Write each day as 24 characters: its tint, or "-" for an hour that was not recorded."""
    return [
        "".join(str(level) if known else "-" for level, known in zip(*day, strict=True))
        for day in zip(levels.tolist(), recorded.tolist(), strict=True)
    ]


def _day_and_hour(findings: Findings, calendar: Calendar) -> tuple[np.ndarray, np.ndarray]:
    grid = findings.design.grid
    at_start = int(np.searchsorted(grid.time, utc_ms(findings.observed.period.start)))
    first = int(grid.day[min(at_start, grid.n_bins - 1)])
    return grid.day - first, grid.local_hour.astype(int)


def _paint(
    width: float,
    height: float,
    findings: Findings,
    factor: Factor,
    calendar: Calendar,
    levels: np.ndarray,
    recorded: BoolArray,
    words: Catalogue,
) -> tuple[float, list[Markup]]:
    x0, y0 = 34.0, 26.0
    across = width - x0
    column, row = across / calendar.n_days, height / 24
    cells = []
    for day in range(calendar.n_days):
        x = x0 + day * column
        cells += [
            rect(x, y0 + top * row, column + 0.2, (end - top) * row, f"tint{tint} f-{factor.family}")
            for top, end, tint in _runs(levels[day])
            if tint
        ]
        cells += [
            rect(x, y0 + top * row, column + 0.2, (end - top) * row, "hatched")
            for top, end, gap in _runs((~recorded[day]).astype(int))
            if gap
        ]
    # The page's script draws another exposure into the same group, and needs to know where its cells are.
    place = {"data_x": f"{x0:g}", "data_y": f"{y0:g}", "data_column": f"{column:.4f}", "data_row": f"{row:.4f}"}
    parts = [rect(x0, y0, across, height, "sunk"), el("g", *cells, class_="cells", **place)]
    for hour in (0, 6, 12, 18, 24):
        y = y0 + hour * row
        label = words("chart.hour_top") if hour == 0 else str(hour)
        parts += [line(x0 - 4, y, x0, y, "tick"), text(x0 - 6, y + 4, label, anchor="end")]
        parts += [line(x0, y, width, y, "over")] if hour in (6, 12, 18) else []
    parts += calendar.month_labels(x0, across, 12, words)
    radius = min(4.5, max(2.6, column * 0.7))
    for index, one in enumerate(findings.episodes):
        if calendar.within(one.episode.start) and not one.episode.whole_day:
            at_day, at_hour = calendar.place(one.episode.start)
            x, y = x0 + (at_day + 0.5) * column, y0 + at_hour * row
            parts.append(el("circle", cx=x, cy=y, r=radius, class_="heat", data_episode=str(index)))
    sessions = [one.time for one in findings.timeline.treatments if calendar.within(one.time)]
    parts += [triangle(x0 + calendar.days(time) * column, y0 + height + 16) for time in sessions]
    return y0 + height + 46, parts + _legend(width, y0 + height + 38, len(sessions), factor, words)


def _runs(values: np.ndarray) -> list[tuple[int, int, int]]:
    """Return stretches of equal value as (start, end, value)."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), values.size]
    return [(a, b, int(values[a])) for a, b in pairwise(edges)]


def _legend(width: float, y: float, n_sessions: int, factor: Factor, words: Catalogue) -> list[Markup]:
    box, right = 20.0, width - text_width(words("chart.strong"), 12) - 6
    left = right - 4 * box
    boxes = [rect(left + i * box, y - 11, box, 12, f"tint{i + 1} f-{factor.family}") for i in range(4)]
    parts = [el("g", *boxes, class_="legend-tints")]
    parts += [text(left - 6, y, words("chart.weak"), anchor="end"), text(right + 4, y, words("chart.strong"))]
    if n_sessions:
        label = words("chart.sessions", n=words("unit.bare", n=n_sessions))
        parts += [triangle(40, y, 5), text(50, y, label)]
    return parts


def levels_at_onset(findings: Findings, trigger: Trigger) -> FloatArray:
    """Return the exposure's level in the hour in which each episode began, in the exposure's own unit.

    Returns
    -------
    ndarray, shape (n_episodes,)
        NaN where it was not recorded, and where only the day of the episode is known.
    """
    calendar = Calendar(findings)
    hourly, _ = hours(findings, trigger, calendar)
    return np.array([_level(one.episode, hourly, calendar) for one in findings.episodes], dtype=np.float64)


def _level(episode: Episode, hourly: FloatArray, calendar: Calendar) -> float:
    if episode.whole_day or not calendar.within(episode.start):
        return math.nan
    day, hour = calendar.place(episode.start)
    return float(hourly[day, int(hour)])


def _table(findings: Findings, factor: Factor, trigger: Trigger, calendar: Calendar, words: Catalogue) -> Table:
    rows = []
    for one, level in zip(findings.episodes, levels_at_onset(findings, trigger), strict=True):
        local = calendar.zones.local(one.episode.start)
        time = words("unknown") if one.episode.whole_day else f"{local:%H:%M}"
        rows.append((words.date(local), time, f"{level:.2f}" if np.isfinite(level) else words("unknown")))
    return Table((words("column.date"), words("column.time"), factor.name), tuple(rows))
