"""One day of the autonomic signals, with its episodes, against what is usual for this person at that hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from markupsafe import Markup

from unaji.findings import Findings
from unaji.records.timeline import FloatArray, from_utc_ms
from unaji.report.figures.one_episode import stretches
from unaji.report.figures.svg import Figure, Point, Table, dot, draw, line, path, text
from unaji.report.figures.time_axis import Calendar
from unaji.report.words import Catalogue, plain

CHANNELS = {"hr_bpm": "1/min", "rmssd_ms": "ms", "scl_microsiemens": "µS"}
"""Heart rate, its variation from beat to beat and skin conductance, as far as they were measured, with their units."""
STEP_H = 0.5
SLOTS = round(24 / STEP_H)
LEAST_DAYS = 7
"""So many days must have a value at an hour before anything is called usual there."""
LEAST_OF_DAY = 1 / 3
"""A day is drawn when one signal at least was measured for this share of it."""
LEAST_OF_CHANNEL = 1 / 4
"""And of it the signals that were measured for at least this share: three dots are no course."""
LOW, MIDDLE, HIGH = 5, 50, 95


@dataclass(frozen=True, eq=False, slots=True)
class Channel:
    """One signal: that day, and what is usual.

    Attributes
    ----------
    day : ndarray, shape (SLOTS,)
        Mean of each half hour; NaN where nothing was measured.
    usual : ndarray, shape (3, SLOTS)
        5th, 50th and 95th percentile of the other days' half hours; NaN where there are fewer than `LEAST_DAYS`.
    """

    quantity: str
    day: FloatArray
    usual: FloatArray


def autonomic_figure(findings: Findings, words: Catalogue) -> Figure | None:
    """Draw it; None when no day with an episode was measured well enough."""
    calendar = Calendar(findings)
    shown = shown_day(findings, calendar)
    if shown is None:
        return None
    day, channels = shown
    hours = _episode_hours(findings, calendar, day)
    when = words("date.day", month=words(f"month.{(date := calendar.first + timedelta(days=day)).month}"), day=date.day)
    above = [words(f"measured.{one.quantity}") for one in channels if beyond_usual(one) > 0]
    aria = words("chart.autonomic_aria", day=when, names=words.join(above) if above else words("chart.autonomic_none"))

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, channels, hours, words)

    phone, desktop = draw(paint, aria)
    title, caption = words("chart.autonomic", day=when), words("chart.autonomic_caption")
    return Figure("autonomic", title, caption, aria, phone, desktop, _table(channels, words))


def shown_day(findings: Findings, calendar: Calendar) -> tuple[int, list[Channel]] | None:
    """Return the day that is drawn and what was measured well enough on it; None where there is none."""
    halves = half_hours(findings, calendar)
    day = pick_day(findings, calendar, halves)
    if day is None:
        return None
    return day, [_channel(name, one, day) for name, one in halves.items() if _measured(one[day]) >= LEAST_OF_CHANNEL]


def half_hours(findings: Findings, calendar: Calendar) -> dict[str, FloatArray]:
    """Return each measured channel's means by local day and half hour, shape (n_days, SLOTS); NaN where unmeasured."""
    state = findings.state
    if state is None or not state.time.size:
        return {}
    places = [calendar.place(from_utc_ms(moment)) for moment in state.time]
    day = np.array([one[0] for one in places])
    slot = np.minimum((np.array([one[1] for one in places]) / STEP_H).astype(int), SLOTS - 1)
    inside = (day >= 0) & (day < calendar.n_days)
    found = {}
    for name in CHANNELS:
        value = np.asarray(getattr(state, name), dtype=float)
        there = inside & np.isfinite(value)
        if there.any():
            cell = day[there] * SLOTS + slot[there]
            n = np.bincount(cell, minlength=calendar.n_days * SLOTS)
            total = np.bincount(cell, value[there], calendar.n_days * SLOTS)
            mean = np.where(n > 0, total / np.maximum(n, 1), np.nan)
            found[name] = mean.reshape(calendar.n_days, SLOTS)
    return found


def pick_day(findings: Findings, calendar: Calendar, halves: dict[str, FloatArray]) -> int | None:
    """Choose the day with an episode of which most was measured, the latest of equals; None where none was."""
    days = {
        calendar.place(one.episode.start)[0]
        for one in findings.episodes
        if not one.fever and not one.episode.whole_day and calendar.within(one.episode.start)
    }
    if not halves or not days:
        return None
    measured = np.sum([np.isfinite(one).mean(axis=1) for one in halves.values()], axis=0)
    best = max(days, key=lambda day: (round(float(measured[day]), 2), day))
    return best if max(_measured(one[best]) for one in halves.values()) >= LEAST_OF_DAY else None


def _measured(day: FloatArray) -> float:
    return float(np.isfinite(day).mean())


def beyond_usual(one: Channel) -> int:
    """Count half hours of the day outside the usual band."""
    with np.errstate(invalid="ignore"):
        return int(((one.day > one.usual[2]) | (one.day < one.usual[0])).sum())


def _channel(name: str, by_day: FloatArray, day: int) -> Channel:
    others = np.delete(by_day, day, axis=0)
    usual = np.full((3, SLOTS), np.nan)
    enough = np.isfinite(others).sum(axis=0) >= LEAST_DAYS
    if enough.any():
        usual[:, enough] = np.nanpercentile(others[:, enough], (LOW, MIDDLE, HIGH), axis=0)
    return Channel(name, by_day[day], usual)


def _episode_hours(findings: Findings, calendar: Calendar, day: int) -> list[float]:
    places = [
        calendar.place(one.episode.start)
        for one in findings.episodes
        if not one.episode.whole_day and calendar.within(one.episode.start)
    ]
    return [hour for at, hour in places if at == day]


def _paint(width: float, channels: list[Channel], hours: list[float], words: Catalogue) -> tuple[float, list[Markup]]:
    x0, x1 = 40.0, width - 8
    tall = 84.0 if width < 500 else 100.0

    def place(hour: float) -> float:
        return x0 + (x1 - x0) * hour / 24

    parts: list[Markup] = []
    y = 6.0
    for one in channels:
        known = np.concatenate([one.day, one.usual.ravel()])
        low, high = float(np.nanmin(known)), float(np.nanmax(known))
        span = max(high - low, 1e-9)
        top, base = y + 26, y + 26 + tall
        parts.append(text(0, y + 14, f"{words(f'measured.{one.quantity}')} [{CHANNELS[one.quantity]}]", "small-label"))

        def height(value: float, low: float = low, span: float = span, base: float = base) -> float:
            return base - tall * (value - low) / span

        middle = [place((i + 0.5) * STEP_H) for i in range(SLOTS)]
        for start, end in stretches(np.isfinite(one.usual[0])):
            lower: list[Point] = [(middle[i], height(one.usual[0, i])) for i in range(start, end)]
            upper: list[Point] = [(middle[i], height(one.usual[2, i])) for i in range(start, end)]
            parts.append(path([*lower, *upper[::-1]], "band", closed=True))
            parts.append(path([(middle[i], height(one.usual[1, i])) for i in range(start, end)], "pred"))
        for start, end in stretches(np.isfinite(one.day)):
            points: list[Point] = [(middle[i], height(one.day[i])) for i in range(start, end)]
            parts.append(path(points, "model") if end - start > 1 else dot(*points[0], 1.5, "measured-dot"))
        parts += [line(x0, base, x1, base, "tick"), *(line(place(h), top, place(h), base, "start") for h in hours)]
        for value in (low, high):
            parts.append(text(x0 - 5, height(value) + 4, plain(value, 0 if span >= 5 else 1), anchor="end"))
        y = base + 12
    parts += [dot(place(hour), y + 6, 6, "heat") for hour in hours]
    for hour in (0, 6, 12, 18, 24):
        label = words("chart.hour_top") if hour == 0 else str(hour)
        parts.append(text(place(hour), y + 30, label, anchor="end" if hour == 24 else "middle"))
    return y + 36, parts


def _table(channels: list[Channel], words: Catalogue) -> Table:
    head = (words("column.time"), *(words(f"measured.{one.quantity}") for one in channels))
    rows = []
    for i in range(0, SLOTS):
        cells = []
        for one in channels:
            if not np.isfinite(one.day[i]):
                cells.append(words("unknown"))
                continue
            usual = words("range", low=plain(one.usual[0, i]), high=plain(one.usual[2, i]))
            known = np.isfinite(one.usual[0, i])
            cells.append(
                words("chart.autonomic_cell", value=plain(one.day[i]), usual=usual if known else words("unknown"))
            )
        minutes = round(i * STEP_H * 60)
        rows.append((f"{minutes // 60:02d}:{minutes % 60:02d}", *cells))
    return Table(head, tuple(rows))
