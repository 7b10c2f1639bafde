"""iButton temperature loggers (1-Wire): lines about the device, then ``Date/Time,Unit,Value`` on the wall clock.

The file does not say where the logger was worn; its name is the last hint: a name with "nape" or "neck", "finger",
"skin" or "wrist", "ambient" or "near_body", "indoor" or "outdoor" in it. Readings while it lay on a table are kept:
judging them needs other signals beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from unaji.records.clock import Clock
from unaji.records.measured import checked_series, possible_times
from unaji.records.merge import Fragment
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, csv_table
from unaji.records.timeline import FloatArray, Series, TimeArray

HEADER = b"Date/Time,Unit,Value"
PLACES = (  # a word of the name, the quantity, the site; the first that fits
    ("nape", "neck_skin_temp_c", "nape"),
    ("neck", "neck_skin_temp_c", "nape"),
    ("finger", "finger_skin_temp_c", "finger"),
    ("skin", "skin_temp_c", "wrist"),
    ("wrist", "skin_temp_c", "wrist"),
    ("ambient", "air_temp_c", "near_body"),
    ("near_body", "air_temp_c", "near_body"),
    ("indoor", "air_temp_c", "indoor"),
    ("outdoor", "air_temp_c", "outdoor"),
)
FORMATS = tuple(
    f"{day} {hour}"
    for day in ("%m/%d/%y", "%d/%m/%y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y-%m-%d")
    for hour in ("%I:%M:%S %p", "%H:%M:%S", "%H:%M")
)


def claims_file(head: bytes) -> bool:
    """Say whether the logger's header line is there."""
    return any(line.strip() == HEADER for line in head.splitlines())


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read loggers' files, each from the place its name says."""
    return Fragment(series=tuple(series for file in files for series in _read_file(file, clock, log)))


def _read_file(file: Source, clock: Clock, log: ProblemLog) -> tuple[Series, ...]:
    place = next((p for p in PLACES if p[0] in file.base_name.lower()), None)
    if place is None:
        words = ", ".join(word for word, _, _ in PLACES)
        rule = f"the file does not say where the logger was worn; put one of these words into its name: {words}"
        log.reject(file.name, None, file.base_name, rule)
        return ()
    about, _, rows = file.load().partition(HEADER)
    table = csv_table(HEADER + rows, file.name, log)
    if table is None or not len(table):
        return ()
    table = Table(file.name, table.frame, table.lines + about.count(b"\n"))
    if place[0] == "skin":
        log.remark(file.name, None, place[0], "which skin the name does not say; taken as the wrist")
    time = clock.from_wall(_wall_clock(table, log), file.name, log, equal_means_later=True)
    ok = possible_times(time, table, "date/time", clock, log)
    table, time = table.where(ok), time[ok]
    celsius = _celsius(table, log)
    return checked_series(
        place[1], time, celsius, lines=table.lines, site=place[2], source="ibutton", file=file.name, log=log
    )


def _wall_clock(table: Table, log: ProblemLog) -> TimeArray:
    """Read the times in the one format that fits most rows; month first, with a remark, where two fit alike."""
    cells = table.cells("date/time").str.strip_chars()
    best, best_score, tied = np.full(len(table), np.datetime64("NaT", "ms")), (0, 0), False
    for format_ in FORMATS:
        parsed = cells.str.to_datetime(format_, time_unit="ms", strict=False)
        time = np.array(parsed.to_numpy(), dtype="datetime64[ms]")
        score = (int((~np.isnat(time)).sum()), int((np.diff(time) > np.timedelta64(0, "ms")).sum()))
        if not (time[~np.isnat(time)] > np.datetime64("1990-01-01")).any():
            continue
        if score == best_score and not np.array_equal(time, best, equal_nan=True):
            tied = True
        if score > best_score:
            best, best_score, tied = time, score, False
    if tied:
        rule = "the dates fit month/day and day/month alike; taken as month/day. Write them as 2021-03-04 to be sure"
        log.remark(table.file, None, cells[0], rule)
    return best


def _celsius(table: Table, log: ProblemLog) -> FloatArray:
    """Return the values in °C by the unit each row declares."""
    value = table.numbers("value", log)
    unit = pl.Series(table.text("unit"), dtype=pl.String).str.to_uppercase()
    fahrenheit, celsius = unit.eq("F").to_numpy(), unit.eq("C").to_numpy()
    strange = table.where(~(fahrenheit | celsius))
    log.rows(table.file, strange.lines, strange.text("unit"), "the unit must be C or F")
    return np.where(fahrenheit, (value - 32) / 1.8, np.where(celsius, value, np.nan))
