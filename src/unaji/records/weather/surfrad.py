"""Minutes of a SURFRAD station of NOAA: two lines of heading, then fixed columns parted by blanks, a day a file.

- Behind every value stands its quality: 0 good, 1 bad or missing, 2 questionable. Bad values are left out and counted,
  questionable ones kept and marked; -9999.9 stands for nothing.
- Times are UTC. Pressure is that at the station, which may stand high. Radiation is not read: a minute's says little.

References
----------
NOAA Global Monitoring Laboratory, SURFRAD data format (README_SURFRAD.txt).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from unaji.records.batch import Batch, Device
from unaji.records.clock import MINUTE, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import TimeArray
from unaji.records.weather.dates import days_of, whole_numbers
from unaji.records.weather.rows import batch, csv_rows, note_missing, possible

SOURCE = "surfrad"
HEADING = re.compile(rb"[^\n]*\n *-?\d+\.\d+ +-?\d+\.\d+ +-?\d+ +m +version +\d+ *\r?\n")
RADIATION = (
    "dw_solar", "uw_solar", "direct_n", "diffuse", "dw_ir", "dw_casetemp", "dw_dometemp", "uw_ir", "uw_casetemp",
    "uw_dometemp", "uvb", "par", "netsolar", "netir", "totalnet",
)  # fmt: skip
WEATHER = {
    "temp": "air_temp_c", "rh": "rel_humidity_pct", "windspd": "wind_m_s", "winddir": "",
    "pressure": "station_pressure_hpa",
}  # fmt: skip
COLUMNS = (
    "year", "day_of_year", "month", "day", "hour", "minute", "decimal_hour", "zenith",
    *(column for name in (*RADIATION, *WEATHER) for column in (name, f"{name}_quality")),
)  # fmt: skip
MISSING = -9999.0
GOOD, BAD, QUESTIONABLE = "0", "1", "2"


def claims_file(head: bytes) -> bool:
    """Say whether the second line gives place, height and version as these files do."""
    return HEADING.match(head) is not None


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read days of stations, each file by itself."""
    for file in files:
        data = file.load()
        heading = HEADING.match(data)
        if heading is None:
            log.reject(file.name, 2, "", "the second line must give place, height and version; download the file again")
            continue
        station = data.partition(b"\n")[0].decode("ascii", errors="replace").strip()
        rows = re.sub(rb"[ \t]+", b",", re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", data[heading.end() :]))
        table = csv_rows(rows, file.name, log, names=COLUMNS, first_line=3)
        if len(table) and "pressure_quality" in table:
            yield from _batches(table, Device(SOURCE, role="station", name=station, site="outdoor"), clock, log)


def _batches(table: Table, device: Device, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    time = _times(table)
    ok = possible(time, table.file, clock, log, lines=table.lines)
    time, table = time[ok], table.where(ok)
    for name, quantity in WEATHER.items():
        if not quantity:
            continue
        value = table.numbers(name, log)
        missing = value < MISSING
        note_missing(int(missing.sum()), name, table.file, log)
        quality = np.array(table.text(f"{name}_quality"))
        bad = ~np.isin(quality, (GOOD, QUESTIONABLE)) & ~missing & ~np.isnat(time)
        if bad.any():
            rule = f"{name}: values that the source marks as bad were left out"
            log.reject(table.file, None, int(bad.sum()), rule, count=int(bad.sum()))
        yield from batch(
            quantity, time, np.where(missing | bad, np.nan, value), device=device, lines=table.lines, file=table.file,
            low_quality=quality == QUESTIONABLE, log=log,
        )  # fmt: skip


def _times(table: Table) -> TimeArray:
    """Put year, month, day, hour and minute together; NaT where they are no time."""
    days = days_of(*(whole_numbers(table, name) for name in ("year", "month", "day")))
    hour, minute = (whole_numbers(table, name) for name in ("hour", "minute"))
    time = days.astype("datetime64[ms]") + (60 * hour + minute) * MINUTE
    possible_hour = (hour >= 0) & (hour < 24) & (minute >= 0) & (minute < 60)
    return np.where(possible_hour, time, np.datetime64("NaT", "ms"))
