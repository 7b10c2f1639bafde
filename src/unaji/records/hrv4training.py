"""HRV4Training and HRV Logger: morning measurements a row, and beats with the time of each.

A measurement takes a minute to a few, and the table does not say how many: values stay instants, or whole days where
only the date is told. Values of ``-`` and 0 are none. Tags and points of the maker are not read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import Clock
from unaji.records.merge import missing_beats
from unaji.records.problems import ProblemLog
from unaji.records.rows import Rows, batch, let_in
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import FloatArray, TimeArray

TIMES = ("timestamp_measurement", "date")
COLUMNS = {"hr": "hr_bpm", "rmssd": "rmssd_ms", "sdnn": "sdnn_ms", "lf": "lf_ms2", "hf": "hf_ms2"}
POSTURES = ("", "_lying", "_standing")
LARGEST_BYTES = 256 << 20
DAY = np.timedelta64(86_400_000, "ms")

_HEAD = re.compile(rb"^\xef?\xbb?\xbf?[^\n]*(\n|$)")


def claims_file(head: bytes) -> bool:
    """Say whether the first line names the columns of a table of measurements, or of the logger's beats."""
    return _is_table(_names(head))


def _is_table(names: Sequence[str]) -> bool:
    timed, variability = bool(set(TIMES) & set(names)), bool({"rmssd", "rmssd_lying"} & set(names))
    maker = {"hrv4t_recovery_points", "avnn", "avnn_lying", "sdnn", "sdnn_lying"} & set(names)
    return (timed and variability and bool(maker)) or _is_beats(names)


def _is_beats(names: Sequence[str]) -> bool:
    since = {"since start", "since_start"} & set(names)
    return "rr" in names and bool(since) and bool({"date", "timestamp"} & set(names))


def _names(head: bytes) -> list[str]:
    match = _HEAD.match(head)
    first = match[0].decode("utf-8-sig", errors="replace") if match else ""
    return [cell.strip().strip('"').strip().lower() for cell in re.split(r"[,;\t]", first)]


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read tables of measurements and of beats.

    Raises
    ------
    InputError
        Times are wall clocks, and nobody has said in which time zone.
    """
    names = [file.name for file in files]
    for k, file in enumerate(files):
        table = _table(file, log)
        if table is None:
            continue
        read_rows = _beats if _is_beats(table.frame.columns) else _measurements
        for rows, device in read_rows(k, table, clock, file.name, log):
            kept = let_in(rows, names, clock, log)
            if len(kept):
                yield batch(kept, device)


def _table(file: Source, log: ProblemLog) -> Table | None:
    with file.open() as opened:
        data = opened.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        log.reject(file.name, None, "", f"the file is larger than {LARGEST_BYTES >> 20} MB and was not read")
        return None
    first, _, body = data.partition(b"\n")
    names = _names(first)
    if not _is_table(names):
        log.reject(
            file.name, 1, ", ".join(names), "the first line names no time with RMSSD or RR; the file was left out"
        )
        return None
    while not names[-1]:
        names.pop()
    separator = max((",", ";", "\t"), key=lambda mark: first.count(mark.encode()))
    numbered = list(_rows_of(body.decode("utf-8", errors="replace"), separator, len(names), file.name, log))
    if not numbered:
        return None
    unique = [name if name not in names[:i] else f"{name} again {i}" for i, name in enumerate(names)]
    columns = zip(*(row for _, row in numbered), strict=True)
    frame = pl.DataFrame(
        {name: pl.Series(column, dtype=pl.String) for name, column in zip(unique, columns, strict=True)}
    )
    return Table(file.name, frame, np.array([line for line, _ in numbered], dtype=np.int64))


def _rows_of(body: str, separator: str, width: int, file: str, log: ProblemLog) -> Iterator[tuple[int, list[str]]]:
    """Give the rows below the header with the line each begins on; those of another width are left out and counted.

    A note in quotes may hold separators and line breaks, and blanks may stand before its first quote. Empty cells
    beyond the last column are no fault.
    """
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + 2  # the header is line 1
        try:
            row = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            lines = reader.line_num + 2 - line
            log.reject(file, line, str(error), "the quotes of the row do not close; it was left out", count=lines)
            continue
        if len(row) < 2 and not any(row):
            continue
        if len(row) < width or any(row[width:]):
            rule = f"the row has not as many cells as the first line names ({width}); it was left out"
            log.reject(file, line, f"{len(row)}", rule)
        else:
            yield line, row[:width]


def _measurements(k: int, table: Table, clock: Clock, file: str, log: ProblemLog) -> Iterator[tuple[Rows, Device]]:
    """Give each quantity of each posture; a date without time stands for its whole local day."""
    stamps = _stamps(table)
    read_times = clock.read(stamps, file, log)
    end = read_times.time
    if read_times.date_only.any():
        end = np.where(read_times.date_only, clock.read(stamps, file, ProblemLog(), date_at_hour=24).time, end)
    known = set(TIMES)
    for column, quantity in COLUMNS.items():
        for posture in POSTURES:
            name = f"{column}{posture}"
            known.add(name)
            if name in table:
                value = table.numbers(name, log)
                value = np.where(value > 0, value, np.nan)
                device = Device("hrv4training", role="phone", method=posture.removeprefix("_"))
                for whole_day in (False, True):
                    rows = _rows(k, quantity, read_times.time, end, value, whole_day=whole_day)
                    yield rows.where(read_times.date_only == whole_day), device
    others = [name for name in table.frame.columns if name and name not in known]
    if others:
        log.remark(file, 1, f"{len(others)}", f"columns that unaji does not read were left out: {', '.join(others)}")


def _rows(k: int, quantity: str, time: TimeArray, end: TimeArray, value: FloatArray, *, whole_day: bool) -> Rows:
    start_ms, end_ms = (np.where(np.isnat(t), np.nan, t.astype(np.int64)) for t in (time, end))
    file = np.full(value.size, k)
    if whole_day:
        return Rows(Kind.INTERVAL, quantity, file, start_ms, value, end_ms)
    return Rows(Kind.SERIES, quantity, file, start_ms, value)


def _beats(k: int, table: Table, clock: Clock, file: str, log: ProblemLog) -> Iterator[tuple[Rows, Device]]:
    """Give the logger's beats: the clock at each, and the interval that ended there [ms]."""
    rri_ms = table.numbers("rr", log)
    stamps = _stamps(table)
    time = clock.read(stamps, file, log, equal_means_later=True).time
    time = np.where(np.isnat(time), _unix(stamps), time)
    gap = missing_beats(time, rri_ms, tolerance_ms=1000.0)
    time_ms = np.where(np.isnat(time), np.nan, time.astype(np.int64))
    rows = Rows(
        Kind.BEATS, "rri_ms", np.full(rri_ms.size, k), time_ms, np.where(rri_ms > 0, rri_ms, np.nan),
        others={"gap": gap},
    )  # fmt: skip
    yield rows, Device("hrv_logger", role="strap", origin="strap")


def _stamps(table: Table) -> pl.Series:
    name = next(name for name in (*TIMES, "timestamp") if name in table)
    return table.plain_cells(name)


def _unix(stamps: pl.Series) -> TimeArray:
    """Read milliseconds since 1970, as newer loggers write them; NaT for anything else."""
    number = stamps.cast(pl.Int64, strict=False)
    can_be = number.is_between(10**11, 10**14)
    return np.array(pl.select(pl.when(can_be).then(number)).to_series().cast(pl.Datetime("ms")).to_numpy(),
                    dtype="datetime64[ms]")  # fmt: skip
