"""Hours of a weather station from Meteostat's bulk files: CSV, plain or gzip, one station and year a file.

- Times are UTC; wind is in km/h; `pres` is reduced to sea level, so these files hold no station pressure.
- Each value names its source beside it: gaps are filled with a model's values, which are kept as a device of their
  own and rank below the station's. The former files had neither header nor sources: there it cannot be told.
- Rain and sunshine are of the hour before the stamp.

Source line for reports: Meteostat and its providers (CC BY 4.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unaji.records.batch import Batch, Device
from unaji.records.clock import HOUR, NAT, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import BoolArray, TimeArray
from unaji.records.weather.dates import days_of, whole_numbers
from unaji.records.weather.rows import batch, csv_rows, note_unread, possible, unzipped, unzipped_head

SOURCE = "meteostat"
OBSERVED = (
    "isd_lite", "metar", "metar_legacy", "synop", "climat", "dwd_hourly", "dwd_poi", "eccc_hourly", "gsa_hourly",
    "gsa_synop",
)  # fmt: skip
FORMER_COLUMNS = (
    "date", "hour", "temp", "dwpt", "rhum", "prcp", "snow", "wdir", "wspd", "wpgt", "pres", "tsun", "coco",
)  # fmt: skip
TIME_COLUMNS = {"year", "month", "day", "date", "hour"}
HEADER = re.compile(rb"(year,month,day|date),hour,[\w,]*\btemp\b")
FORMER_ROW = re.compile(rb"\d{4}-\d\d-\d\d,\d{1,2}(,[-.\d]*){11}\r?(\n|$)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What becomes of one column; `sum_` says that it is of the hour before the stamp."""

    quantity: str
    factor: float = 1.0
    sum_: bool = False


PARAMETERS = {
    "temp": Parameter("air_temp_c"),
    "dwpt": Parameter("dew_point_c"),
    "rhum": Parameter("rel_humidity_pct"),
    "pres": Parameter("sea_level_pressure_hpa"),
    "wspd": Parameter("wind_m_s", 1 / 3.6),
    "prcp": Parameter("precip_mm", sum_=True),
    "tsun": Parameter("sunshine_min", sum_=True),
}


def claims_file(head: bytes) -> bool:
    """Say whether a file, unpacked where it is gzip, begins with the header or like a row of Meteostat's hours."""
    text = unzipped_head(head)
    return bool(HEADER.match(text) or FORMER_ROW.match(text))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read stations' years, each file by itself."""
    for file in files:
        data = unzipped(file.load(), file.name, log)
        former = FORMER_ROW.match(data) is not None
        table = csv_rows(data, file.name, log, names=FORMER_COLUMNS if former else ())
        if len(table):
            yield from _batches(table, _station(file), clock, log)


def _station(file: Source) -> str:
    """Return the station's id, with which the name of a bulk file begins; "" where it does not."""
    match = re.match(r"[0-9A-Z]{5}(?![0-9A-Za-z])", file.base_name)
    return match[0] if match else ""


def _batches(table: Table, station: str, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    time = _times(table)
    ok = possible(time, table.file, clock, log, lines=table.lines)
    time, table = time[ok], table.where(ok)
    values = [name for name in table.frame.columns if name in PARAMETERS]
    for name in values:
        parameter = PARAMETERS[name]
        value = table.numbers(name, log) * parameter.factor
        start, end = (time - HOUR, time) if parameter.sum_ else (time, None)
        for rows, device in _devices(table, name, Device(SOURCE, name=station, site="outdoor")):
            yield from batch(
                parameter.quantity, start[rows], value[rows], end=None if end is None else end[rows], device=device,
                lines=table.lines[rows], file=table.file, log=log,
            )  # fmt: skip
    read_ones = {*TIME_COLUMNS, *PARAMETERS, *(f"{name}_source" for name in PARAMETERS)}
    note_unread([name for name in table.frame.columns if name not in read_ones], table.file, log)


def _times(table: Table) -> TimeArray:
    """Put year, month, day and hour together; NaT where they are no time."""
    if "date" in table:
        dates = table.plain_cells("date").str.to_date("%Y-%m-%d", strict=False)
        day_of = np.array(dates.to_numpy(), dtype="datetime64[D]")
    else:
        day_of = days_of(*(whole_numbers(table, name) for name in ("year", "month", "day")))
    hour = whole_numbers(table, "hour")
    time = day_of.astype("datetime64[ms]") + hour * HOUR
    return np.where((hour >= 0) & (hour < 24), time, NAT)


def _devices(table: Table, name: str, station: Device) -> Iterator[tuple[BoolArray, Device]]:
    """Part the rows into those a station observed and those a model filled in."""
    if f"{name}_source" not in table:
        yield np.ones(len(table), dtype=bool), replace(station, role="merged")
        return
    seen = table.cells(f"{name}_source").is_in(OBSERVED).fill_null(value=False).to_numpy()
    yield seen, replace(station, role="station")
    yield ~seen, replace(station, role="model", method="filled in by a model")
