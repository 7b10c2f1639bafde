"""Dates whose year, month and day stand in columns of their own."""

from __future__ import annotations

import numpy as np
import polars as pl

from unaji.records.tables import Table
from unaji.records.timeline import TimeArray
from unaji.records.weather.rows import IntArray


def days_of(year: IntArray, month: IntArray, day: IntArray) -> TimeArray:
    """Return days of the calendar, shape of `year`; NaT where there is no such day."""
    first: TimeArray = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    known = (year > 0) & (month >= 1) & (month <= 12) & (date.astype("datetime64[M]") == first)
    return np.where(known, date, np.datetime64("NaT", "D"))


def whole_numbers(table: Table, column: str) -> IntArray:
    """Return a column as whole numbers, shape (n_rows,); -1 where a cell is none or has more than four digits."""
    whole = table.plain_cells(column).cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
    return np.where((whole >= 0) & (whole <= 9999), whole, -1)
