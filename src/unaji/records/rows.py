"""Columns of a vendor's file become batches: what cannot be true is left out and counted, whole columns at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from unaji.quantities import QUANTITIES
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import NAT, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, csv_table
from unaji.records.timeline import BoolArray, FloatArray, TimeArray

LONGEST = np.timedelta64(36, "h")
DAY = np.timedelta64(1, "D")
FURTHEST_MS = 1e15  # the year 33658; what lies beyond overflows somewhere
LARGEST_FILE = 512 << 20  # bytes, of files that are read whole
NO_TIME = "is not a time; the row was left out"
NO_VALUE = "the row has no value; it was left out"


@dataclass(frozen=True, slots=True)
class Door:
    """Where the rows of one file enter.

    Attributes
    ----------
    file : str
        Name to show in problems.
    """

    file: str
    clock: Clock
    log: ProblemLog

    def batch(
        self,
        quantity: str,
        device: Device,
        time: TimeArray,
        value: ArrayLike | None = None,
        *,
        end: TimeArray | None = None,
        kind: Kind | None = None,
        **columns: Any,
    ) -> Iterator[Batch]:
        """Give rows as one batch, or none where nothing is left.

        Parameters
        ----------
        time, end : ndarray of datetime64[ms], shape (n,)
            UTC; NaT where it could not be read.
        value : array_like, shape (n,)
            NaN where there is none. Values outside the quantity's plausible range are left out, but for beats.
        kind : Kind, optional
            Default: a series, or intervals where `end` is given.
        **columns : ndarray or polars.Series, shape (n,), or a scalar
            Others of `unaji.records.batch.COLUMNS`.
        """
        keep = self._possible(time, end)
        given: dict[str, Any] = {"time": time, "end": end, **columns}
        if value is not None:
            given["value"] = np.asarray(value, dtype=float)
            keep &= self._plausible(quantity, given["value"], keep, beats=kind is Kind.BEATS)
        if not keep.any():
            return
        kept = given if keep.all() else {name: _filtered(column, keep) for name, column in given.items()}
        yield Batch(kind or (Kind.SERIES if end is None else Kind.INTERVAL), quantity, device, frame(**kept))

    def left_out(self, wrong: BoolArray, values: Any, rule: str) -> BoolArray:
        """Note the rows of a mask as one problem that shows the first of them, and return those that are left."""
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            self.log.reject(self.file, None, values[first], rule, count=int(wrong.sum()))
        return ~wrong

    def _possible(self, time: TimeArray, end: TimeArray | None) -> BoolArray:
        early, late = self.clock.impossible(time)
        keep = self.left_out(np.isnat(time), time, NO_TIME)
        keep &= self.left_out(early, time, "lies before 1990: was the clock of the device set?")
        keep &= self.left_out(late, time, "lies in the future: is the year right?")
        if end is not None:
            keep &= self.left_out(keep & np.isnat(end), time, "the end of the interval is not a time")
            keep &= self.left_out(keep & (end < time), time, "the interval ends before it begins")
            keep &= self.left_out(keep & (end - time > LONGEST), time, "the interval is longer than 36 hours")
        return keep

    def _plausible(self, quantity: str, value: FloatArray, among: BoolArray, *, beats: bool) -> BoolArray:
        keep = self.left_out(among & np.isnan(value), value, f"{quantity}: {NO_VALUE}")
        known = QUANTITIES.get(quantity)
        if known is None or beats:  # minutes of training have no range, and signals judges intervals between beats
            return keep
        outside = among & ~np.isnan(value) & ~((value >= known.low) & (value <= known.high))
        rule = f"{quantity} lies outside {known.low:g} to {known.high:g} {known.unit}"
        return keep & self.left_out(outside, value, rule)

    def days(self, dates: NDArray[np.datetime64]) -> tuple[TimeArray, TimeArray]:
        """Return when local days begin and end: 23 to 25 hours apart."""
        start = np.full(dates.shape, NAT)
        end = start.copy()
        given = ~np.isnat(dates)
        if given.any():
            day = dates[given].astype("datetime64[D]")
            start[given] = self.clock.from_wall(day.astype("datetime64[ms]"), self.file, self.log)
            end[given] = self.clock.from_wall((day + DAY).astype("datetime64[ms]"), self.file, self.log)
        return start, end

    def from_wall(self, wall: TimeArray, *, equal_means_later: bool = False) -> TimeArray:
        """Return wall clock readings as instants; NaT stays NaT."""
        time = np.full(wall.shape, NAT)
        given = ~np.isnat(wall)
        if given.any():
            time[given] = self.clock.from_wall(wall[given], self.file, self.log, equal_means_later=equal_means_later)
        return time


def whole_file(file: Source, log: ProblemLog) -> bytes | None:
    """Return all bytes of a file; None, with the reason noted, where it is too large to be what it seems."""
    with file.open() as stream:
        data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        log.reject(file.name, None, "", f"the file is larger than {LARGEST_FILE >> 20} MB; it was not read")
        return None
    return data


def whole_table(file: Source, log: ProblemLog) -> Table | None:
    """Return a CSV file as a table; None, with the reason noted, where it is none or too large to be what it seems."""
    data = whole_file(file, log)
    table = None if data is None else csv_table(data, file.name, log)
    return table if table is not None and len(table) else None


def numbers(cells: Sequence[float | str | None] | pl.Series) -> FloatArray:
    """Return cells as numbers, also where they are written as text; NaN where they are none."""
    try:
        return np.array(pl.Series(cells, dtype=pl.Float64).fill_null(np.nan).to_numpy())
    except (TypeError, ValueError, OverflowError):
        text = pl.Series([None if cell is None else str(cell) for cell in cells], dtype=pl.String)
        return np.array(text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy())


def vendor_ids(cells: Iterable[object]) -> pl.Series:
    """Return what the maker calls the rows as text; null where it says nothing."""
    return pl.Series([None if cell is None or cell == "" else str(cell) for cell in cells], dtype=pl.String)


def from_unix(stamps: ArrayLike, per_second: int = 1) -> TimeArray:
    """Return counts since 1970 as instants; NaT for NaN and for what no calendar reaches."""
    ms = np.asarray(stamps, dtype=float) * (1000 / per_second)
    known = np.abs(ms) < FURTHEST_MS  # False for NaN
    time = np.full(ms.shape, NAT)
    time[known] = np.round(ms[known]).astype(np.int64).astype("datetime64[ms]")
    return time


def wall_times(cells: Sequence[str | None] | pl.Series, *formats: str) -> TimeArray:
    """Return text as wall clock readings by the first format that fits each; NaT where none does."""
    text = cells if isinstance(cells, pl.Series) else pl.Series(cells, dtype=pl.String)
    read = text.str.to_datetime(formats[0], time_unit="ms", strict=False)
    for other in formats[1:]:
        if read.null_count() == text.null_count():
            break
        read = read.fill_null(text.str.to_datetime(other, time_unit="ms", strict=False))
    return np.array(read.to_numpy(), dtype="datetime64[ms]")


def offsets_min(cells: pl.Series) -> pl.Series:
    """Return the offset from UTC that text such as "…+09:00" or "UTC+0900" ends with [min]; null where it has none."""
    parts = cells.str.extract_groups(r"([+-])(\d\d):?(\d\d)\s*$").struct
    minutes = parts.field("2").cast(pl.Int16) * 60 + parts.field("3").cast(pl.Int16)
    return pl.select(pl.when(parts.field("1") == "-").then(-minutes).otherwise(minutes)).to_series().cast(pl.Int16)


def _filtered(column: Any, keep: BoolArray) -> Any:
    if isinstance(column, pl.Series):
        return column.filter(pl.Series(keep))
    return column[keep] if isinstance(column, np.ndarray) else column
