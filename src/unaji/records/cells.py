"""What stands in the cells of a vendor's file, whole columns at a time: numbers, times, offsets and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from unaji.records.clock import NAT
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, csv_table
from unaji.records.timeline import FloatArray, TimeArray

KG_PER_LB = 0.45359237  # exact: the international pound of 1959
FURTHEST_MS = 1e15  # the year 33658; what lies beyond overflows somewhere
LARGEST_FILE = 512 << 20  # bytes, of files that are read whole


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
