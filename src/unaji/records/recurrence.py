"""On which days does something repeat? The rules of calendars, bounded by the days that are looked at.

A rule that no day fulfils (the 30th of February) costs as much as any other, since every day up to the last one is
looked at once, whole columns at a time.

References
----------
B. Desruisseaux (ed.), "Internet Calendaring and Scheduling Core Object Specification (iCalendar)", RFC 5545, 2009,
section 3.3.10. doi:10.17487/RFC5545
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray

IntArray = NDArray[np.int64]

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_THURSDAY = 3
"""Day of the week of 1 January 1970, Monday being 0."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of repetition by days.

    Attributes
    ----------
    frequency : str
        One of `FREQUENCIES`.
    interval : int
        Every how many days, weeks, months or years.
    count : int or None
        After how many occurrences it ends.
    by_day : tuple of (int, int)
        Days of the week (Monday 0), and which one of the month or year: 1 the first, -1 the last, 0 each.
    by_month_day : tuple of int
        Days of the month, from its end where negative.
    by_set_pos : tuple of int
        Which of the days of each week, month or year are meant, from the end where negative; empty for all.
    week_start : int
        Day with which weeks begin, Monday being 0.

    Raises
    ------
    ValueError
        `interval` is less than 1, or the frequency is none of these.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0

    def __post_init__(self) -> None:
        if self.frequency not in FREQUENCIES:
            raise ValueError(f"frequency is {self.frequency!r}; it must be one of {', '.join(FREQUENCIES)}")
        if self.interval < 1:
            raise ValueError(f"interval is {self.interval}; it must be 1 or more")


def days_of(rule: Rule, start: date, last: date) -> list[date]:
    """Return the days from `start` to `last` that a rule names; `start` only where the rule names it."""
    days = _Days(start, last)
    chosen = _fits(rule, days, start) & _in_turn(rule, days, start)
    if rule.by_set_pos:
        chosen &= _at_positions(chosen, days.period(rule), rule.by_set_pos)
    chosen &= (days.day >= np.datetime64(start)) & (days.day <= np.datetime64(last))
    found: list[date] = days.day[chosen].tolist()
    return found if rule.count is None else found[: max(rule.count, 0)]


class _Days:
    """Every day of the years from a first to a last one, and what the calendar says of it."""

    def __init__(self, start: date, last: date) -> None:
        years = np.datetime64(f"{start.year:04d}", "Y"), np.datetime64(f"{max(last, start).year + 1:04d}", "Y") + 1
        self.day = np.arange(years[0].astype("datetime64[D]"), years[1].astype("datetime64[D]"))
        month = self.day.astype("datetime64[M]")
        year = self.day.astype("datetime64[Y]")
        self.number = self.day.astype(np.int64)
        self.months = month.astype(np.int64)
        self.years = year.astype(np.int64)
        self.month = self.months % 12 + 1
        self.weekday = (self.number + _THURSDAY) % 7
        self.of_month = self.number - month.astype("datetime64[D]").astype(np.int64) + 1
        self.of_year = self.number - year.astype("datetime64[D]").astype(np.int64) + 1
        self.in_month = _lengths(month)
        self.in_year = _lengths(year)

    def period(self, rule: Rule) -> IntArray:
        """Number the days, weeks, months or years that a rule counts by."""
        match rule.frequency:
            case "DAILY":
                return self.number
            case "WEEKLY":
                return (self.number + _THURSDAY - rule.week_start) // 7
            case "MONTHLY":
                return self.months
            case _:
                return self.years

    def at(self, day: date) -> int:
        return int(np.datetime64(day).astype(np.int64) - self.number[0])


def _lengths(period: NDArray[np.datetime64]) -> IntArray:
    lengths: IntArray = ((period + 1).astype("datetime64[D]") - period.astype("datetime64[D]")).astype(np.int64)
    return lengths


def _in_turn(rule: Rule, days: _Days, start: date) -> BoolArray:
    period = days.period(rule)
    in_turn: BoolArray = (period - period[days.at(start)]) % rule.interval == 0
    return in_turn


def _fits(rule: Rule, days: _Days, start: date) -> BoolArray:
    fits: BoolArray = np.ones(days.day.size, dtype=bool)
    if rule.by_month:
        fits &= np.isin(days.month, rule.by_month)
    if rule.by_month_day:
        fits &= np.isin(days.of_month, rule.by_month_day) | np.isin(
            days.of_month - days.in_month - 1, rule.by_month_day
        )  # fmt: skip
    if rule.by_day:
        fits &= _on_weekdays(rule, days)
    if rule.by_day or rule.by_month_day or rule.frequency == "DAILY":
        return fits
    if rule.frequency == "WEEKLY":
        fits &= days.weekday == start.weekday()
        return fits
    fits &= days.of_month == start.day
    if rule.frequency == "YEARLY" and not rule.by_month:
        fits &= days.month == start.month
    return fits


def _on_weekdays(rule: Rule, days: _Days) -> BoolArray:
    """Say which days are the n-th such day of the week: of the year where a yearly rule names no months."""
    of_year = rule.frequency == "YEARLY" and not rule.by_month
    place, length = (days.of_year, days.in_year) if of_year else (days.of_month, days.in_month)
    from_start, from_end = (place - 1) // 7 + 1, -((length - place) // 7 + 1)
    fits = np.zeros(days.day.size, dtype=bool)
    for nth, weekday in rule.by_day:
        right = np.ones_like(fits) if nth == 0 or rule.frequency in ("DAILY", "WEEKLY") else (
            (from_start == nth) | (from_end == nth)
        )  # fmt: skip
        fits |= (days.weekday == weekday) & right
    return fits


def _at_positions(chosen: BoolArray, period: IntArray, positions: Sequence[int]) -> BoolArray:
    """Say which of the chosen days have one of some places among those of their period."""
    places = np.flatnonzero(chosen)
    _, first, inverse, count = np.unique(period[places], return_index=True, return_inverse=True, return_counts=True)
    rank = np.arange(places.size) - first[inverse] + 1
    keep = np.isin(rank, positions) | np.isin(rank - count[inverse] - 1, positions)
    out = np.zeros_like(chosen)
    out[places[keep]] = True
    return out


def rule_of(parts: Mapping[str, Sequence[object]]) -> Rule:
    """Return a rule from its parts by name in capitals, as texts or numbers.

    Raises
    ------
    ValueError
        A part is not known or cannot be: says which.
    """
    known = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
    if strange := sorted(set(parts) - known):
        raise ValueError(f"repeats by {', '.join(strange)}, which is not read")
    count = _whole(parts, "COUNT")
    week_start = [str(one).upper() for one in parts.get("WKST", ["MO"])]
    return Rule(
        str(parts.get("FREQ", [""])[0]).upper(),
        (_whole(parts, "INTERVAL") or (1,))[0],
        count[0] if count else None,
        tuple(_weekday(str(one)) for one in parts.get("BYDAY", ())),
        _whole(parts, "BYMONTHDAY"), _whole(parts, "BYMONTH"), _whole(parts, "BYSETPOS"),
        WEEKDAYS.index(week_start[0]),
    )  # fmt: skip


def _whole(parts: Mapping[str, Sequence[object]], name: str) -> tuple[int, ...]:
    return tuple(int(str(one)) for one in parts.get(name, ()))


def _weekday(text: str) -> tuple[int, int]:
    nth, name = text[:-2], text[-2:].upper()
    return int(nth) if nth else 0, WEEKDAYS.index(name)
