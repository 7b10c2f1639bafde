"""A daily headache diary with the weather of the place: one row a day, written when the day was entered.

The time of a row is when the diary was filled in, not when the headache began, so a headache is an episode known to
the day only. Its severity (0 to 5) is doubled to the scale of 0 to 10. Medication and relief are not read: tablets were
taken because of the headache, at an unknown time. A day without headache is a check-in.

The weather is one reading of a service near the time of entry. The service (OpenWeather, by its place numbers and
column names) gives pressure reduced to sea level; station pressure is not in the file. The reading moves with the
person, so a change of place is marked as travel: a jump of pressure there is not weather.
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
from unaji.records.timeline import Episode, Exposure, FloatArray, TimeArray, from_utc_ms

HEADER_START = "Year,Month,Day,Hour,Minute,Location"
SEVERITY_TO_INTENSITY = 2.0
SAME_PLACE_DEG = 0.05  # about 5 km; the service numbers one town in several ways
WEATHER = (  # column, quantity, site
    ("mean_temp (°c)", "air_temp_c", "outdoor"),
    ("pressure (hpa)", "sea_level_pressure_hpa", "outdoor"),
    ("humidity (%)", "rel_humidity_pct", "outdoor"),
    ("wind_speed (m/s)", "wind_m_s", "outdoor"),
)


def claims_file(head: bytes) -> bool:
    """Say whether the header is this diary's."""
    header = head.decode("utf-8-sig", errors="replace").partition("\n")[0]
    return header.startswith(HEADER_START) and "Headache,Severity" in header


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read diaries."""
    tables = [csv_table(file.load(), file.name, log) for file in files]
    parts = [_read_table(table, clock, log) for table in tables if table is not None]
    return Fragment(
        series=tuple(series for part in parts for series in part.series),
        episodes=tuple(episode for part in parts for episode in part.episodes),
        exposures=tuple(exposure for part in parts for exposure in part.exposures),
    )


def _read_table(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    entered = clock.read(_stamps(table, with_hour=True), table.file, log).time
    day = clock.read(_stamps(table, with_hour=False), table.file, log).time
    ok = possible_times(entered, table, "year", clock, log) & ~np.isnat(day)
    table, entered, day = table.where(ok), entered[ok], day[ok]
    headache = table.numbers("headache", log)
    series = tuple(
        one
        for column, quantity, site in WEATHER
        for one in checked_series(
            quantity, entered, table.numbers(column, log), lines=table.lines, site=site, source="diary_weather",
            file=table.file, log=log,
        )
    )  # fmt: skip
    free_days = entered[headache == 0]
    return Fragment(
        series=series,
        episodes=_episodes(table, day, headache, log),
        exposures=(*(Exposure(from_utc_ms(t), "check_in") for t in free_days), *_arrivals(table, entered, log)),
    )


def _stamps(table: Table, *, with_hour: bool) -> pl.Series:
    """Put the parts of the date together as ISO text."""
    parts = [
        pl.Series(table.text(name), dtype=pl.String).str.zfill(2) for name in ("year", "month", "day", "hour", "minute")
    ]
    date = parts[0] + "-" + parts[1] + "-" + parts[2]
    return date + "T" + parts[3] + ":" + parts[4] if with_hour else date


def _episodes(table: Table, day: TimeArray, headaches: FloatArray, log: ProblemLog) -> tuple[Episode, ...]:
    """Give one episode for each day with a headache; a second one of that day is only in the note."""
    intensity = SEVERITY_TO_INTENSITY * table.numbers("severity", log)
    rated = (intensity > 0) & (intensity <= 10)
    return tuple(
        Episode(
            from_utc_ms(day[i]),
            intensity=float(intensity[i]) if rated[i] else None,
            note=f"{headaches[i]:.0f} headaches" if headaches[i] > 1 else "",
            whole_day=True,
        )
        for i in np.flatnonzero(headaches > 0)
    )


def _arrivals(table: Table, entered: TimeArray, log: ProblemLog) -> list[Exposure]:
    """Mark the first row at each new place."""
    latitude, longitude = table.numbers("latitude (°)", log), table.numbers("longitude (°)", log)
    moved = np.maximum(np.abs(np.diff(latitude)), np.abs(np.diff(longitude))) > SAME_PLACE_DEG
    return [Exposure(from_utc_ms(t), "travel") for t in entered[1:][moved]]
