"""When would an episode have been logged? The working grid and its observed time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from unaji.causes.design import BIN_MIN, Grid, Onset
from unaji.records.timeline import BoolArray, Interval, Zones, utc_ms

BIN = np.timedelta64(BIN_MIN * 60_000, "ms")
ONSET_WINDOW_MIN = 30
"""Onsets are known within this; the density of the time error is cut here [min]."""
MERGE_MIN = 15
"""Episodes that start within this of an earlier one are the same episode [min]."""


def make_grid(start: datetime, end: datetime, zones: Zones, observed: Iterable[Interval] | None = None) -> Grid:
    """Lay bins of five minutes over whole local days.

    Parameters
    ----------
    start, end : datetime
        First and last instant that must be on the grid; it is widened to local midnights.
    observed : iterable of Interval, or None
        When an episode would have been logged; None for always.

    Raises
    ------
    ValueError
        If `end` is before `start`.
    """
    if end < start:
        raise ValueError(f"the grid ends at {end.isoformat()}, before its start {start.isoformat()}")
    time = np.arange(utc_ms(_midnight(start, zones)), utc_ms(_next_midnight(end, zones)), BIN)
    local_min = time.astype(np.int64) // 60_000 + zones.offset_min(time)
    day = np.maximum.accumulate(local_min // 1440)  # flying west may repeat an hour of yesterday: keep it today
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    grid = Grid(time, (local_min % 1440) / 60.0, day - day[0], weekday >= 5, np.ones(time.size, dtype=bool))
    return grid if observed is None else with_observed(grid, mask_of(grid, observed))


def with_observed(grid: Grid, observed: BoolArray) -> Grid:
    """Return the grid with another observed mask."""
    return Grid(grid.time, grid.local_hour, grid.day, grid.day_off, observed)


def mask_of(grid: Grid, intervals: Iterable[Interval]) -> BoolArray:
    """Mark the bins whose middle lies in one of the intervals."""
    middle = grid.time + BIN // 2
    change = np.zeros(grid.n_bins + 1, dtype=np.int64)
    for interval in intervals:
        change[np.searchsorted(middle, utc_ms(interval.start))] += 1
        change[np.searchsorted(middle, utc_ms(interval.end))] -= 1
    return np.asarray(np.cumsum(change[:-1]) > 0)


def bin_of(grid: Grid, moment: datetime) -> int:
    """Return the bin an instant falls in; negative or ≥ n_bins outside the grid."""
    return int((utc_ms(moment) - grid.time[0]) // BIN)


def bins_of_day(grid: Grid, at: int) -> slice:
    """Return the bins of the local day that bin `at` lies in (the labels ascend, so they are neighbours)."""
    first, end = np.searchsorted(grid.day, [grid.day[at], grid.day[at] + 1])
    return slice(int(first), int(end))


def merge_onsets(onsets: Iterable[Onset]) -> tuple[tuple[Onset, ...], int]:
    """Merge onsets within 15 minutes of an earlier one; return those kept and how many were merged."""
    kept: list[Onset] = []
    merged = 0
    for onset in sorted(onsets, key=lambda o: o.time):
        close = kept and not (onset.whole_day or kept[-1].whole_day)
        if close and onset.time - kept[-1].time < timedelta(minutes=MERGE_MIN):
            merged += 1
        else:
            kept.append(onset)
    return tuple(kept), merged


def open_for_onsets(grid: Grid, onsets: Iterable[Onset]) -> tuple[Grid, int]:
    """Close the time an episode lasted and open the time around each onset.

    While one episode goes on no new one can start. An onset logged in unobserved time shows that the person would have
    logged one then, so the bins within its time error count as observed. A day of which only the date of an episode is
    known is opened as a whole when nothing of it was observed.

    Returns
    -------
    (Grid, int)
        The grid with the new mask, and how many onsets lay in unobserved time.
    """
    observed = grid.observed.copy()
    onsets = tuple(onsets)
    for onset in onsets:
        settled = onset.time + timedelta(minutes=ONSET_WINDOW_MIN)  # before, its own onset may still lie
        if onset.end is not None and not onset.whole_day and onset.end > settled:
            observed &= ~mask_of(grid, [Interval(settled, onset.end)])
    outside = 0
    for onset in onsets:
        at = bin_of(grid, onset.time)
        if onset.whole_day:
            of_day = bins_of_day(grid, at)
            if not grid.observed[of_day].any():
                outside += 1
                observed[of_day] = True
            continue
        reach = ONSET_WINDOW_MIN // BIN_MIN
        if not grid.observed[at]:
            outside += 1
            observed[max(0, at - reach) : at + reach + 1] = True
        else:  # the length of an earlier episode must not hide the onset itself
            observed[at] = True
    return with_observed(grid, observed), outside


def _next_midnight(moment: datetime, zones: Zones) -> datetime:
    """First local midnight after an instant, also when the person flies on that day."""
    date = zones.local(moment).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = 1
    while (midnight := zones.to_utc(date + timedelta(days=days))) <= moment:
        days += 1
    return midnight


def _midnight(moment: datetime, zones: Zones) -> datetime:
    local = zones.local(moment)
    return zones.to_utc(local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None))
