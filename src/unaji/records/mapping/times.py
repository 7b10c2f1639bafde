"""Times in tables of any make: which instants do the cells of a column mean, and in which order are day and month?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from unaji.records.cells import from_unix, numbers
from unaji.records.clock import HOUR, NAT, Clock
from unaji.records.door import DAY
from unaji.records.mapping.model import EXCEL_1900, EXCEL_1904, ISO, UNIX_MS, UNIX_S
from unaji.records.problems import ProblemLog
from unaji.records.tables import MISSING, half_width
from unaji.records.timeline import BoolArray, FloatArray, TimeArray, utc_ms

EXCEL_ORIGIN = {EXCEL_1900: np.datetime64("1899-12-30", "ms"), EXCEL_1904: np.datetime64("1904-01-01", "ms")}
"""Day 0 of the two date systems (ECMA-376 part 1, 18.17.4.1). In the first, day 60 is 29 February 1900, which never
was, so that the origin holds from day 61 on."""

DAY_MS = 86_400_000
HALF_DAY = 12 * HOUR
IS_CLOCK = r"^(AM |PM )?\d{1,2}[:時]\d{1,2}(:\d{2}|分\d{0,2}秒?)?( ?[AaPp]\.?[Mm]\.?)?$"
"""What `plain_times` makes of a time of day alone."""

DAY_ORDERS = (
    ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"),
    ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d.%m.%y"),
    ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"),
    ("%d %b %Y", "%b %d %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"),
)
"""Patterns of dates, those of one order of day, month and year together."""

CLOCKS = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p", " %p %I:%M", " %p %I:%M:%S", "T%H:%M",
    "T%H:%M:%S", ", %I:%M %p", ", %H:%M", " %H時%M分", " %H時%M分%S秒", " %p %I時%M分", " %p %I時%M分%S秒",
)  # fmt: skip
_TIMED = re.compile(r"%[-_0]?[HIkl]|%[TRXcsr]")
_FROM_CLOCK_ON = re.compile(r"[ T,]*%[-_0]?[HIklpPTRXcsr].*$")


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """A column of times.

    Attributes
    ----------
    time : ndarray of datetime64[ms], shape (n,)
        UTC; NaT where the cell is empty or cannot be read.
    date_only : ndarray of bool, shape (n,)
        True where only a date was given; `time` is then the midnight that it begins with.
    """

    time: TimeArray
    date_only: BoolArray


def plain_times(cells: pl.Series) -> pl.Series:
    """Write times without days of the week, with AM and PM for 午前, 午後 and a.m., p.m., and 8時 as 8時00分.

    午後0時 is noon: in Japanese the half days begin with hour 0, which the patterns of 12 hours call 12.
    """
    text = half_width(cells.cast(pl.String)).fill_null("").str.strip_chars()
    if (text.str.len_bytes() > text.str.len_chars()).any():
        text = text.str.replace_all(r"\s*\([月火水木金土日]\)", "")
        text = text.str.replace_all(r"午前\s*", "AM ").str.replace_all(r"午後\s*", "PM ")
        text = text.str.replace_all(r"([AP]M) 0{1,2}([:時])", "$1 12$2")
        text = text.str.replace(r"(\d時)$", "${1}00分").str.replace(r"(\d時)半$", "${1}30分")
    if text.str.contains(r"(?i)[ap]\.m").any():
        text = text.str.replace(r"(?i)([ap])\.m\.?$", "${1}m")
    return text.str.replace_all(r"\s+", " ") if text.str.contains(r"\s\s|[^\S ]").any() else text


def with_clock(dates: pl.Series, clocks: pl.Series) -> pl.Series:
    """Put a column of dates and one of times of day together, as workbooks store them or as text.

    A time of day may be written without a sign between hours and minutes (830, 0830); where it is empty, or a word for
    nothing, the date is left alone.
    """
    day = plain_times(dates).str.replace(r"[ T]00:00(:00)?$", "")
    clock = clock_part(clocks).str.replace(r"^(\d{1,2})(\d{2})$", "$1:$2")
    return (day + " " + clock).str.strip_chars()


def clock_part(clocks: pl.Series) -> pl.Series:
    """Return times of day, without the day 0 that workbooks put before them; "" where there is none."""
    clock = plain_times(clocks).str.replace(r"^(1899-12-3[01]|1904-01-0[12])[ T]", "")
    return clock.set(clock.str.to_lowercase().is_in(list(MISSING)), "")


def date_part(cells: pl.Series) -> pl.Series:
    """Return times without the time of day."""
    return plain_times(cells).str.replace(r"[ T,]+(AM |PM )?\d{1,2}[:時]\d{1,2}.*$", "")


def has_clock(pattern: str) -> bool:
    """Say whether a pattern holds the time of day."""
    return pattern in (ISO, UNIX_S, UNIX_MS, EXCEL_1900, EXCEL_1904) or _TIMED.search(pattern) is not None


def day_pattern(pattern: str) -> str:
    """Return what a pattern says before its time of day; "" where that comes first, or there is none."""
    return _FROM_CLOCK_ON.sub("", pattern) if has_clock(pattern) and "%" in pattern else ""


def moments(cells: pl.Series, pattern: str, clock: Clock, file: str, log: ProblemLog) -> Moments:
    """Read a column of times.

    Parameters
    ----------
    cells : polars.Series of text, shape (n,)
    pattern : str
        One of `unaji.records.mapping.model.NAMED_FORMATS` or a pattern such as ``%d/%m/%Y %H:%M``. A cell that holds
        only the date of such a pattern is a date without a time of day.

    Raises
    ------
    InputError
        A wall clock without offset was found and the zone is not known.
    """
    text = plain_times(cells)
    never = np.zeros(len(text), dtype=bool)
    if pattern == ISO:
        read = clock.read(text, file, log)
        return Moments(read.time, read.date_only)
    if pattern in (UNIX_S, UNIX_MS):
        return Moments(from_unix(numbers(text), 1 if pattern == UNIX_S else 1000), never)
    if pattern in EXCEL_ORIGIN:
        days = numbers(text)
        wall = excel_days(days, pattern)
        whole = bool((days[~np.isnan(days)] % 1 == 0).all())
        return Moments(_from_wall(wall, clock, file, log), ~np.isnat(wall) if whole else never)
    if "%z" in pattern or "%#z" in pattern or "%:z" in pattern:
        return Moments(parsed(text, pattern), never)
    wall = parsed(text, pattern)
    if not has_clock(pattern):
        return Moments(_from_wall(wall, clock, file, log), ~np.isnat(wall))
    date_only = np.isnat(wall)
    if date_only.any() and (day := day_pattern(pattern)):
        wall = np.where(date_only, parsed(text, day), wall)
    return Moments(_from_wall(wall, clock, file, log), date_only & ~np.isnat(wall))


def later(time: TimeArray, by: np.timedelta64, clock: Clock, file: str) -> TimeArray:
    """Return when the wall clock shows so much more: a day later is 23 or 25 h later when the clock is changed."""
    assert clock.zones is not None  # else no wall clock could have been read
    out = time.copy()
    known = ~np.isnat(time)
    if known.any():
        offset = clock.zones.offset_min(time[known]) * np.timedelta64(60_000, "ms")
        out[known] = clock.from_wall(time[known] + offset + by, file, ProblemLog())
    return out


def excel_days(days: FloatArray, system: str) -> TimeArray:
    """Return a workbook's day numbers as wall clock readings, to the second; NaT for NaN and what no calendar has."""
    wall = np.full(days.shape, NAT)
    known = (np.abs(days) < 2_958_466) & (days >= (61 if system == EXCEL_1900 else 0))  # to the end of 9999
    seconds = np.round(days[known] * (DAY_MS / 1000)).astype(np.int64)
    wall[known] = EXCEL_ORIGIN[system] + seconds * np.timedelta64(1000, "ms")
    return wall


def parsed(text: pl.Series, pattern: str) -> TimeArray:
    """Read text by one pattern; NaT where it does not fit. Times with an offset are in UTC."""
    try:
        read = text.str.to_datetime(pattern, time_unit="ms", strict=False)
    except pl.exceptions.PolarsError:
        return np.full(len(text), NAT)
    if read.dtype == pl.Datetime and read.dtype.time_zone:  # type: ignore[attr-defined]
        read = read.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return np.array(read.to_numpy(), dtype="datetime64[ms]")


def fitting_patterns(cells: pl.Series, clock: Clock) -> list[str]:
    """Return the patterns that fit every cell, the best first; more than one where nothing contradicts either.

    A day above 12 contradicts the order that takes it for a month, and one such row decides for the whole column. So
    does a date in the future or before 1990. Where two orders are left, the one by which fewer rows go back in time
    comes first, then the one by which the rows lie closer together.
    """
    text = plain_times(cells)
    text = text.filter(text.str.len_chars() > 0)
    if not len(text):
        return []
    sample = text.head(50)
    found: list[tuple[int, float, int, str]] = []
    for rank, dates in enumerate(DAY_ORDERS):
        for pattern in (f"{date}{clock_}" for date in dates for clock_ in CLOCKS):
            if np.isnat(parsed(sample, pattern)).any():
                continue
            wall = parsed(text, pattern)
            if not np.isnat(wall).any() and _possible(wall, clock):
                back = int((np.diff(wall) < np.timedelta64(0, "ms")).sum())
                forth = int((np.diff(wall) > np.timedelta64(0, "ms")).sum())
                days = float(np.ptp(wall.astype(np.int64))) / DAY_MS
                found.append((min(back, forth), days, rank, pattern))  # newest first is an order too
                break
    return [pattern for *_, pattern in sorted(found)]


def is_ambiguous(patterns: Sequence[str], cells: pl.Series) -> bool:
    """Say whether patterns that fit all cells read them differently."""
    text = plain_times(cells)
    read = [parsed(text, pattern) for pattern in patterns[:2]]
    return len(read) == 2 and not np.array_equal(read[0], read[1], equal_nan=True)


def _possible(wall: TimeArray, clock: Clock) -> bool:
    latest = utc_ms(clock.now) + 2 * DAY + 14 * HOUR  # the wall clock may be ahead of UTC
    return bool((wall >= np.datetime64("1990-01-01")).all() and (wall <= latest).all())


def _from_wall(wall: TimeArray, clock: Clock, file: str, log: ProblemLog) -> TimeArray:
    time = np.full(wall.shape, NAT)
    given = ~np.isnat(wall)
    if given.any():
        time[given] = clock.from_wall(wall[given], file, log)
    return time
