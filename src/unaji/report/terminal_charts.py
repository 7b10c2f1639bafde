"""Small pictures for the terminal: when it was hot, week by week and hour by hour, and how long after what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unaji.care.weeks import DAYS
from unaji.findings import Findings
from unaji.report.figures.lags import FIRST_MIN, LAST_MIN, TICKS_MIN, arrival
from unaji.report.figures.time_axis import Calendar
from unaji.report.figures.weeks import Week, by_week
from unaji.report.marks import STEPS, Marks, axis, columns, curve
from unaji.report.screen import HEAT, ink, painted
from unaji.report.story.factors import Candidates, Factor
from unaji.report.words import Catalogue

INDENT = 2
BETWEEN = 3
ROWS = 2
"""Rows of cells that a chart has; one is enough while no count is above four."""
HOURS = 24
HOUR_TICKS = (0, 6, 12, 18)
CURVE_CELLS = (16, 40)
BESIDE_A_CURVE = 56
"""Cells that name, delay and gaps beside a curve take of a line."""

Counts = tuple[int | None, ...]
"""None where there is no record."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A caption with numbers, rows of marks, and what stands under them."""

    caption: str
    marks: tuple[Text, ...]
    under: str

    @property
    def width(self) -> int:
        """Cells it needs."""
        return max(map(cell_len, (self.caption, self.under, *(one.plain for one in self.marks))))


def print_when(findings: Findings, console: Console, words: Catalogue, marks: Marks) -> None:
    """Print episodes week by week, with the sessions beneath, beside episodes by hour of the day."""
    calendar = Calendar(findings)
    weeks = by_week(findings, calendar)
    room = console.width - INDENT
    grouped = -(-len(weeks) // room)
    counts, sessions = weekly_counts(weeks, grouped), weekly_sessions(findings, calendar, grouped, len(weeks))
    hours = hourly_counts(findings)
    rows = 1 if max((n for n in (*counts, *hours) if n is not None), default=0) <= STEPS else ROWS
    charts = (_weeks_chart(counts, rows, sessions, grouped, words, marks), _hours_chart(hours, rows, words, marks))
    _print_beside(charts, console)
    half = sum(0 < one.recorded < 0.5 for one in weeks)
    untimed = sum(one.episode.whole_day and not one.fever for one in findings.episodes)
    notes = [
        heights((*counts, *hours), words, marks),
        words("terminal.session", mark=marks.session) if any(sessions) else "",
        words("terminal.no_record", mark=marks.gap) if None in (*counts, *hours) else "",
        words("terminal.half_recorded", n=half) if half else "",
        words("terminal.untimed", n=untimed) if untimed else "",
    ]
    legend = words("list.space").join(words("terminal.note", text=note) for note in notes if note)
    console.print(Padding(Text(legend, style="dim"), (0, 0, 0, INDENT), expand=False))


def weekly_counts(weeks: Sequence[Week], grouped: int) -> Counts:
    """Return episodes without fever in so many weeks at a time; None where nothing of them is on record."""
    groups = [weeks[start : start + grouped] for start in range(0, len(weeks), grouped)]
    return tuple(
        sum(one.count for one in group) if any(one.recorded or one.count for one in group) else None for group in groups
    )


def weekly_sessions(findings: Findings, calendar: Calendar, grouped: int, n_weeks: int) -> tuple[bool, ...]:
    """Return in which of these groups of weeks there was a session."""
    days = [calendar.place(one.time)[0] for one in findings.timeline.treatments if calendar.within(one.time)]
    treated = {day // DAYS // grouped for day in days}
    return tuple(group in treated for group in range(-(-n_weeks // grouped)))


def hourly_counts(findings: Findings) -> Counts:
    """Return episodes without fever by the hour on the person's clock; None where that hour is on no day's record.

    An onset of which only the day is known counts nowhere.
    """
    grid, counts = findings.design.grid, np.zeros(HOURS, dtype=int)
    for one in findings.episodes:
        if not one.fever and not one.episode.whole_day:
            counts[findings.timeline.zones.local(one.episode.start).hour] += 1
    recorded = set(np.unique(np.asarray(grid.local_hour)[grid.observed].astype(int)).tolist())
    return tuple(int(n) if n or hour in recorded else None for hour, n in enumerate(counts))


def _weeks_chart(
    counts: Counts, rows: int, sessions: tuple[bool, ...], grouped: int, words: Catalogue, marks: Marks
) -> Chart:
    key = "terminal.weeks" if grouped == 1 else "terminal.weeks_of"
    caption = words(key, **numbers(counts, words), weeks=grouped)
    under = "".join(marks.session if one else " " for one in sessions)
    return Chart(caption, in_heat(columns(counts, marks, rows), marks), under)


def _hours_chart(counts: Counts, rows: int, words: Catalogue, marks: Marks) -> Chart:
    caption = words("terminal.hours", **numbers(counts, words))
    return Chart(
        caption, in_heat(columns(counts, marks, rows), marks), axis([(h / HOURS, str(h)) for h in HOUR_TICKS], HOURS)
    )


def numbers(counts: Sequence[int | None], words: Catalogue) -> dict[str, object]:
    """Return lowest to highest and the sum, for a caption."""
    known = [n for n in counts if n is not None] or [0]
    low, high = min(known), max(known)
    return {"range": words("terminal.range", low=low, high=high) if low < high else str(low), "n": sum(known)}


def in_heat(rows: tuple[str, ...], marks: Marks) -> tuple[Text, ...]:
    """Paint columns of episodes, gaps and noughts left without colour."""
    return tuple(painted(row, f" {marks.none}{marks.gap}", HEAT) for row in rows)


def heights(counts: Sequence[int | None], words: Catalogue, marks: Marks) -> str:
    """Say what the height of columns means."""
    if not marks.drawn:
        return words("terminal.digits")
    top = max((n for n in counts if n is not None), default=0)
    return words("terminal.one_dot") if top <= STEPS * ROWS else words("terminal.tallest", n=top)


def _print_beside(charts: Sequence[Chart], console: Console) -> None:
    """Print charts beside each other where they fit, else one below the other; a row of marks is never broken."""
    fit = INDENT + sum(one.width for one in charts) + BETWEEN * (len(charts) - 1) <= console.width
    for together in [charts] if fit else [[one] for one in charts]:
        grid = Table.grid(padding=(0, BETWEEN, 0, 0))
        for _ in together:
            grid.add_column(no_wrap=True)
        grid.add_row(*(Text(one.caption) for one in together))
        for row in zip(*(one.marks for one in together), strict=True):
            grid.add_row(*row)
        if any(one.under.strip() for one in together):
            grid.add_row(*(one.under for one in together))
        console.print(Padding(grid, (0, 0, 0, INDENT), expand=False))


def print_lags(chosen: Candidates, console: Console, words: Catalogue, marks: Marks) -> None:
    """Print when the heat comes after each factor that may be named, on an axis of ratios."""
    told = [one for one in chosen.factors if one.lag]
    if not told:
        return
    cells = min(CURVE_CELLS[1], max(CURVE_CELLS[0], console.width - BESIDE_A_CURVE))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    if any(arrival(one) for one in told):
        grid.add_row("", Text(_ticks(cells, words), style="dim"), "")
    for one in told:
        delay = words("terminal.lag", lag=one.lag, range=one.lag_range)
        grid.add_row(one.name, _curve(one, cells, marks), delay)
    console.print()
    console.print(Padding(Text(words("terminal.lag_heading")), (0, 0, 0, INDENT), expand=False))
    console.print(Padding(grid, (0, 0, 0, INDENT), expand=False))


def _curve(factor: Factor, cells: int, marks: Marks) -> Text:
    arrived = arrival(factor)
    drawn = curve(arrived.density, cells, marks) if arrived else ""
    return Text(drawn, style=ink(factor.family))


def _ticks(cells: int, words: Catalogue) -> str:
    span = np.log(LAST_MIN / FIRST_MIN)
    labels = []
    for minutes in TICKS_MIN:
        key, n = ("terminal.tick_minutes", minutes) if minutes < 60 else ("terminal.tick_hours", minutes / 60)
        labels.append((float(np.log(minutes / FIRST_MIN) / span), words(key, n=f"{n:g}")))
    return axis(labels, cells)
