"""Reports of a weather station from NOAA's Integrated Surface Database ("global hourly"), as CSV.

- One cell holds a value ten times too large, its quality and more: ``"+0155,1"`` is 15.5 °C that passed all checks.
  Quality 2, 3, 6 and 7 (suspect or erroneous) are left out and counted, as are 9999 and 99999, which stand for nothing.
- `SLP` is reduced to sea level; the pressure at the station stands second in `MA1`, after the altimeter setting, which
  is neither.
- Of several reports at one minute (FM-12 synoptic, FM-15 and FM-16 aviation) each quantity is taken once, in that
  order. Summaries of a day or month (SOD, SOM) are no readings. Times are UTC and often not of full hours.
- Rain (`AA1` to `AA4`) is a sum over the hours the cell states. Sums over different times overlap, so only those over
  the shortest time in the file are read.

References
----------
NOAA National Centers for Environmental Information, "Federal Climate Complex Data Documentation for Integrated Surface
Data" (format document).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device
from unaji.records.clock import HOUR, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import BoolArray, FloatArray, TimeArray
from unaji.records.weather.rows import IntArray, batch, csv_rows, note_missing, note_unread, possible

SOURCE = "noaa_isd"
REPORTS = ("FM-12", "FM-15", "FM-16")
"""Reports in the order in which they are preferred; any other comes after them."""
SUMMARIES = ("SOD", "SOM")
BAD_QUALITY = ("2", "3", "6", "7")
RAIN = ("AA1", "AA2", "AA3", "AA4")
TRACE_OR_NORMAL = ("2", "9", "")
OTHER_COLUMNS = {
    "STATION", "DATE", "SOURCE", "LATITUDE", "LONGITUDE", "ELEVATION", "NAME", "REPORT_TYPE", "CALL_SIGN",
    "QUALITY_CONTROL", "REM", "EQD",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a quantity stands: column, position of its value and of its quality among the commas, code for nothing."""

    quantity: str
    column: str
    value: int
    quality: int
    missing: str


CELLS = (
    Cell("air_temp_c", "TMP", 0, 1, "9999"),
    Cell("dew_point_c", "DEW", 0, 1, "9999"),
    Cell("sea_level_pressure_hpa", "SLP", 0, 1, "99999"),
    Cell("station_pressure_hpa", "MA1", 2, 3, "99999"),
    Cell("wind_m_s", "WND", 3, 4, "9999"),
)


def claims_file(head: bytes) -> bool:
    """Say whether the header names station, date, type of report and the cells of surface data."""
    header = head.partition(b"\n")[0].replace(b'"', b"").strip().split(b",")
    return header[:2] == [b"STATION", b"DATE"] and b"REPORT_TYPE" in header and not {b"TMP", b"SLP"}.isdisjoint(header)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read stations' years, each file by itself."""
    for file in files:
        table = csv_rows(file.load(), file.name, log)
        if len(table) and {"STATION", "DATE", "REPORT_TYPE"} <= set(table.frame.columns):
            yield from _batches(_readings(table, log), clock, log)


def _readings(table: Table, log: ProblemLog) -> Table:
    """Keep the reports of the first station that are readings, the preferred ones first."""
    station = table.frame["STATION"]
    mine = (station == station[0]).fill_null(value=False).to_numpy()
    if not mine.all():
        rule = f"reports of other stations than the first, {station[0]}, were left out; give each a file of its own"
        log.reject(table.file, None, int((~mine).sum()), rule, count=int((~mine).sum()))
    kind = table.frame["REPORT_TYPE"].str.strip_chars().fill_null("")
    summary = kind.is_in(SUMMARIES).to_numpy() & mine
    if summary.any():
        log.remark(table.file, None, int(summary.sum()), "summaries of a day or month (SOD, SOM) are no readings")
    keep = mine & ~summary
    rank = kind.replace_strict({name: i for i, name in enumerate(REPORTS)}, default=len(REPORTS)).to_numpy()[keep]
    order = np.argsort(rank, kind="stable")
    kept = table.where(keep)
    return Table(table.file, kept.frame[order], kept.lines[order])


def _batches(table: Table, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    stamps = table.plain_cells("DATE").str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False)
    time = np.array(stamps.to_numpy(), dtype="datetime64[ms]")
    ok = possible(time, table.file, clock, log, lines=table.lines)
    time, table = time[ok], table.where(ok)
    if not len(table):
        return
    device = Device(SOURCE, role="station", name=str(table.frame["STATION"][0]), site="outdoor")
    for cell in CELLS:
        if cell.column in table:
            parts = _parts(table, cell.column, cell.quality + 1)
            value = _value(parts, cell, table, log)
            once = _once(time, value)
            yield from batch(
                cell.quantity, time[once], value[once], device=device, lines=table.lines[once], file=table.file, log=log
            )  # fmt: skip
    yield from _rain(table, time, device, log)
    read_ones = OTHER_COLUMNS | {cell.column for cell in CELLS} | set(RAIN)
    note_unread([name for name in table.frame.columns if name not in read_ones], table.file, log)


def _parts(table: Table, column: str, n: int) -> list[pl.Series]:
    """Split the cells of a column at their commas; what is not there is null."""
    pieces = table.plain_cells(column).str.split_exact(",", n - 1)
    return [pieces.struct.field(f"field_{i}").str.strip_chars() for i in range(n)]


def _value(parts: Sequence[pl.Series], cell: Cell, table: Table, log: ProblemLog) -> FloatArray:
    """Return the values of good quality, NaN elsewhere; what was left out is counted."""
    text, quality = parts[cell.value], parts[cell.quality].fill_null("")
    missing = text.str.strip_chars_start("+") == cell.missing
    note_missing(int(missing.sum()), cell.column, table.file, log)
    text = pl.select(pl.when(missing.fill_null(value=False)).then(None).otherwise(text)).to_series()
    return _good(text, quality, table, cell.column, log) / 10


def _good(text: pl.Series, quality: pl.Series, table: Table, column: str, log: ProblemLog) -> FloatArray:
    """Turn text into numbers; those of bad quality, and words, are NaN and counted."""
    given = (text.fill_null("") != "").to_numpy()
    bad = quality.is_in(BAD_QUALITY).to_numpy() & given
    if bad.any():
        rule = f"{column}: values that the source marks as suspect or erroneous were left out"
        log.reject(table.file, None, int(bad.sum()), rule, count=int(bad.sum()))
    number = text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    word = given & np.isnan(number) & ~bad
    log.rows(table.file, table.lines[word], text.filter(pl.Series(word)), f"{column} must be a number")
    return np.where(bad, np.nan, number)


def _once(time: TimeArray, value: FloatArray) -> BoolArray:
    """Say which rows are the first at their instant to have a value; the preferred reports come first."""
    once = np.zeros(time.size, dtype=bool)
    given = np.flatnonzero(~np.isnan(value))
    once[given[np.unique(time[given], return_index=True)[1]]] = True
    return once


def _rain(table: Table, time: TimeArray, device: Device, log: ProblemLog) -> Iterator[Batch]:
    """Read sums of rain over the shortest time for which the file has any."""
    found: list[tuple[IntArray, FloatArray]] = []
    for column in (name for name in RAIN if name in table):
        period, depth, condition, quality = _parts(table, column, 4)
        usable = condition.fill_null("").is_in(TRACE_OR_NORMAL)
        given = depth.is_not_null() & (depth != "9999")
        unusable = int((given & ~usable).sum())
        if unusable:
            rule = f"{column}: sums that are incomplete, estimated or part of a longer one were left out"
            log.reject(table.file, None, unusable, rule, count=unusable)
        text = pl.select(pl.when(given & usable).then(depth).otherwise(None)).to_series()
        value = _good(text, quality.fill_null(""), table, column, log) / 10
        found.append((period.cast(pl.Int64, strict=False).fill_null(0).to_numpy(), value))
    known = [h for hours, value in found for h in np.unique(hours[~np.isnan(value)]) if 0 < h <= 24]
    if not known:
        return
    shortest = min(known)
    longer = sum(int((~np.isnan(value) & (hours != shortest)).sum()) for hours, value in found)
    if longer:
        log.remark(table.file, None, longer, f"sums of rain over more than {shortest} h overlap the others; left out")
    value = np.full(len(table), np.nan)
    for hours, one in found:
        value = np.where(np.isnan(value) & (hours == shortest), one, value)
    once = _once(time, value)
    yield from batch(
        "precip_mm", time[once] - shortest * HOUR, value[once], end=time[once], device=device,
        lines=table.lines[once], file=table.file, log=log,
    )  # fmt: skip
