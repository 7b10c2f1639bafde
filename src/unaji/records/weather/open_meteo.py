"""Hourly and daily weather as Open-Meteo gives it, JSON or CSV: values of a model's grid cell, not of a station.

- Times are the wall clock of one fixed offset for the whole answer (`utc_offset_seconds`), also across a clock change,
  or unix seconds in UTC.
- Rain, sunshine and radiation are of the hour before the stamp; the others are readings at the stamp. A day's value is
  read only where the hours of its quantity have no value, so that no rain counts twice.
- Units are those the file declares. `surface_pressure` is for the elevation the model was asked for, which is kept in
  `Device.method`; hours that have not been yet are a forecast and no record.

Source line for reports: Weather data by Open-Meteo.com (CC BY 4.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device
from unaji.records.clock import HOUR, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray, Problem, TimeArray, Timeline
from unaji.records.weather.rows import IntArray, batch, csv_rows, note_missing, note_unread, possible

DAY = 24 * HOUR
CSV_BEGINNINGS = (b"latitude,longitude,elevation,utc_offset_seconds", b"location_id,latitude,longitude,elevation,")
SOURCE = "open_meteo"


@dataclass(frozen=True, slots=True)
class Variable:
    """What becomes of one column; `before` is the length of the interval that ends at the stamp."""

    quantity: str
    before: np.timedelta64 | None = None


HOURLY = {
    "temperature_2m": Variable("air_temp_c"),
    "relative_humidity_2m": Variable("rel_humidity_pct"),
    "dew_point_2m": Variable("dew_point_c"),
    "surface_pressure": Variable("station_pressure_hpa"),
    "pressure_msl": Variable("sea_level_pressure_hpa"),
    "wind_speed_10m": Variable("wind_m_s"),
    "precipitation": Variable("precip_mm", HOUR),
    "shortwave_radiation": Variable("solar_w_m2", HOUR),
    "sunshine_duration": Variable("sunshine_min", HOUR),
}
DAILY = {
    "temperature_2m_mean": Variable("air_temp_c"),
    "relative_humidity_2m_mean": Variable("rel_humidity_pct"),
    "dew_point_2m_mean": Variable("dew_point_c"),
    "surface_pressure_mean": Variable("station_pressure_hpa"),
    "pressure_msl_mean": Variable("sea_level_pressure_hpa"),
    "wind_speed_10m_mean": Variable("wind_m_s"),
    "precipitation_sum": Variable("precip_mm"),
    "shortwave_radiation_sum": Variable("solar_w_m2"),
    "sunshine_duration": Variable("sunshine_min"),
}
FORMER_NAMES = {
    "relativehumidity_2m": "relative_humidity_2m",
    "dewpoint_2m": "dew_point_2m",
    "windspeed_10m": "wind_speed_10m",
    "windspeed_10m_mean": "wind_speed_10m_mean",
    "dewpoint_2m_mean": "dew_point_2m_mean",
    "relativehumidity_2m_mean": "relative_humidity_2m_mean",
}
UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {  # quantity: unit as declared: factor, then offset
    "air_temp_c": {"°C": (1, 0), "°F": (5 / 9, -160 / 9)},
    "dew_point_c": {"°C": (1, 0), "°F": (5 / 9, -160 / 9)},
    "rel_humidity_pct": {"%": (1, 0)},
    "station_pressure_hpa": {"hPa": (1, 0)},
    "sea_level_pressure_hpa": {"hPa": (1, 0)},
    "wind_m_s": {
        "m/s": (1, 0), "km/h": (1 / 3.6, 0), "mp/h": (0.44704, 0), "mph": (0.44704, 0), "kn": (1852 / 3600, 0),
    },
    "precip_mm": {"mm": (1, 0), "inch": (25.4, 0)},
    "solar_w_m2": {"W/m²": (1, 0), "MJ/m²": (1e6 / 86_400, 0)},
    "sunshine_min": {"s": (1 / 60, 0)},
}  # fmt: skip


class Answer(msgspec.Struct):
    """One place of a JSON answer; the lists of values are decoded one by one, so that a damaged one costs no other."""

    latitude: float
    longitude: float
    utc_offset_seconds: int
    elevation: float | None = None
    hourly_units: dict[str, str] = {}
    hourly: dict[str, msgspec.Raw] = {}
    daily_units: dict[str, str] = {}
    daily: dict[str, msgspec.Raw] = {}


@dataclass(frozen=True, eq=False, slots=True)
class Section:
    """The hours or the days of one place.

    Attributes
    ----------
    time : ndarray, shape (n,)
        UTC: the stamp of an hour, the first instant of a day.
    columns : mapping
        Values in the unit declared, shape (n,), by name.
    """

    time: TimeArray
    columns: Mapping[str, FloatArray]
    units: Mapping[str, str]
    lines: IntArray


def claims_file(head: bytes) -> bool:
    """Say whether a file begins like an answer of Open-Meteo, in JSON or CSV."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(CSV_BEGINNINGS):
        return True
    named = b'"utc_offset_seconds"' in text and b'"latitude"' in text
    return text[:1] in (b"{", b"[") and named and (b'"hourly' in text or b'"daily' in text)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read answers of Open-Meteo, each by itself."""
    for file in files:
        data = file.load().removeprefix(b"\xef\xbb\xbf").lstrip()
        if data[:1] in (b"{", b"["):
            yield from _read_json(data, file.name, clock, log)
        else:
            yield from _read_csv(data, file.name, clock, log)


# -- JSON --------------------------------------------------------------------------------------------------------------


def _read_json(data: bytes, file: str, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    try:
        answer = msgspec.json.decode(data, type=Answer | list[Answer])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        log.reject(file, None, str(error), "this is no whole answer of Open-Meteo; download it again")
        return
    places = answer if isinstance(answer, list) else [answer]
    if not places:
        log.reject(file, None, "", "the answer holds no place")
        return
    if len(places) > 1:
        _note_places(len(places), file, log)
    place = places[0]
    device = _device(place.latitude, place.longitude, place.elevation)
    offset = place.utc_offset_seconds * np.timedelta64(1000, "ms")
    hours = _section(place.hourly, place.hourly_units, offset, file, log)
    days = _section(place.daily, place.daily_units, offset, file, log)
    yield from _batches(hours, days, device, file, clock, log)


def _section(
    raw: Mapping[str, msgspec.Raw], units: Mapping[str, str], offset: np.timedelta64, file: str, log: ProblemLog
) -> Section | None:
    if "time" not in raw:
        return None
    try:
        stamps = msgspec.json.decode(raw["time"], type=list[int | str | None])
    except msgspec.MsgspecError as error:
        log.reject(file, None, str(error), "the list of times cannot be read; the values beside it were left out")
        return None
    time = _times(pl.Series(stamps, dtype=pl.String, strict=False), offset)
    columns = {
        name: value
        for name in raw
        if name != "time" and (value := _values(raw[name], name, time.size, file, log)) is not None
    }
    return Section(time, columns, units, np.arange(time.size) + 1)


def _values(raw: msgspec.Raw, name: str, n: int, file: str, log: ProblemLog) -> FloatArray | None:
    """Decode one list of numbers; None, with the reason noted, where it is something else or of another length."""
    if _variable(name) is None:
        return np.empty(0)
    try:
        listed = msgspec.json.decode(raw, type=list[float | None])
    except msgspec.MsgspecError as error:
        log.reject(file, None, str(error), f"{name}: this is no list of numbers; it was left out", count=max(n, 1))
        return None
    if len(listed) != n:
        rule = f"{name}: there are {n} times and another number of values; it was left out"
        log.reject(file, None, len(listed), rule, count=len(listed))
        return None
    return pl.Series(listed, dtype=pl.Float64).fill_null(np.nan).to_numpy()


def _times(stamps: pl.Series, offset: np.timedelta64) -> TimeArray:
    """Read unix seconds, which are UTC, or wall clock text at the answer's offset; NaT where it is neither."""
    unix = stamps.cast(pl.Int64, strict=False).clip(-(10**11), 10**11)
    wall = stamps.str.to_datetime("%Y-%m-%dT%H:%M", time_unit="ms", strict=False)
    date = stamps.str.to_datetime("%Y-%m-%d", time_unit="ms", strict=False, exact=True)
    local = np.array(wall.fill_null(date).to_numpy(), dtype="datetime64[ms]") - offset
    utc = np.array((unix * 1000).cast(pl.Datetime("ms")).to_numpy(), dtype="datetime64[ms]")
    return np.where(np.isnat(utc), local, utc)


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _read_csv(data: bytes, file: str, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the form of several tables one below the other: the place, then hours, days or both."""
    tables = list(_tables(data.replace(b"\r\n", b"\n")))
    place = csv_rows(tables[0][1], file, log, first_line=tables[0][0])
    numbers = {name: place.numbers(name, log) for name in ("latitude", "longitude", "elevation", "utc_offset_seconds")}
    if not len(place) or np.isnan([numbers[n][0] for n in ("latitude", "longitude", "utc_offset_seconds")]).any():
        log.reject(file, 2, "", "the second line must give latitude, longitude and utc_offset_seconds; download again")
        return
    if len(place) > 1:
        _note_places(len(place), file, log)
    device = _device(*(float(numbers[name][0]) for name in ("latitude", "longitude", "elevation")))
    offset = np.timedelta64(round(float(np.clip(numbers["utc_offset_seconds"][0], -1e5, 1e5)) * 1000), "ms")
    sections = [s for line, table in tables[1:] if (s := _csv_section(table, line, offset, file, log)) is not None]
    hours = next((section for section, daily in sections if not daily), None)
    days = next((section for section, daily in sections if daily), None)
    yield from _batches(hours, days, device, file, clock, log)


def _tables(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Part a file at its empty lines; each table comes with the line it begins on."""
    line = 1
    for piece in re.split(rb"\n[ \t]*(?=\n)", data):
        table = piece.lstrip(b"\n")
        line += piece.count(b"\n", 0, len(piece) - len(table))
        if table.strip() or line == 1:
            yield line, table
        line += table.count(b"\n") + 1


def _csv_section(
    data: bytes, line: int, offset: np.timedelta64, file: str, log: ProblemLog
) -> tuple[Section, bool] | None:
    """Return a table of hours or days and which of the two; None where it is neither."""
    table = csv_rows(data, file, log, first_line=line)
    if "time" not in table or not len(table):
        log.reject(file, line, "", "the table has no column time or no rows; it was left out", count=max(len(table), 1))
        return None
    if "location_id" in table:
        table = table.where((table.frame["location_id"] == table.frame["location_id"][0]).fill_null(False).to_numpy())
    stamps = table.frame["time"]
    time = _times(stamps, offset)
    steps = np.diff(time)
    daily = bool(stamps.str.contains(r"^\d{4}-\d\d-\d\d$").all()) or (steps.size > 0 and bool((steps == DAY).all()))
    if len(table) == 1 and not daily:
        log.remark(file, line, stamps[0], "a single reading (the weather of the moment of asking) was left out")
        return None
    named = {name: re.fullmatch(r"(\w+) \((.*)\)", name) for name in table.frame.columns}
    columns = {m[1]: table.numbers(name, log) for name, m in named.items() if m and _variable(m[1])}
    units = {m[1]: m[2] for m in named.values() if m}
    columns |= {m[1]: np.empty(0) for m in named.values() if m and not _variable(m[1])}
    return Section(time, columns, units, table.lines), daily


# -- both --------------------------------------------------------------------------------------------------------------


def _batches(
    hours: Section | None, days: Section | None, device: Device, file: str, clock: Clock, log: ProblemLog
) -> Iterator[Batch]:
    if hours is None and days is None:
        log.reject(file, None, "", "the answer holds neither hours nor days; ask for hourly=temperature_2m and more")
        return
    given: set[str] = set()
    unread: list[str] = []
    for section, known in ((hours, HOURLY), (days, DAILY)):
        if section is None:
            continue
        ok = possible(section.time, file, clock, log, lines=section.lines, forecasts=True)
        for name, value in section.columns.items():
            variable = known.get(FORMER_NAMES.get(name, name))
            if variable is None or (known is DAILY and variable.quantity in given):
                unread.append(name)
                continue
            converted = _in_our_unit(name, variable.quantity, value[ok], section.units.get(name, ""), file, log)
            if converted is None:
                continue
            note_missing(int(np.isnan(converted).sum()), name, file, log)
            time, end = _extent(section.time[ok], variable, daily=known is DAILY)
            for rows in batch(
                variable.quantity, time, converted, end=end, lines=section.lines[ok], file=file, log=log,
                device=device if variable.quantity == "station_pressure_hpa" else _without_height(device),
            ):  # fmt: skip
                given.add(variable.quantity)  # hours without a value leave the word to the days
                yield rows
    note_unread(unread, file, log)


def _extent(time: TimeArray, variable: Variable, *, daily: bool) -> tuple[TimeArray, TimeArray | None]:
    if daily:
        return time, time + DAY
    return (time, None) if variable.before is None else (time - variable.before, time)


def _in_our_unit(
    name: str, quantity: str, value: FloatArray, unit: str, file: str, log: ProblemLog
) -> FloatArray | None:
    if unit not in UNITS[quantity]:
        rule = f"{name}: the unit is none of {', '.join(UNITS[quantity])}; the column was left out"
        log.reject(file, None, unit, rule, count=max(int((~np.isnan(value)).sum()), 1))
        return None
    factor, offset = UNITS[quantity][unit]
    return value * factor + offset


def _variable(name: str) -> Variable | None:
    now = FORMER_NAMES.get(name, name)
    return HOURLY.get(now) or DAILY.get(now)


def _device(latitude: float, longitude: float, elevation_m: float | None) -> Device:
    """Name the grid cell by its place to 0.1°, too coarse for an address."""
    known = elevation_m is not None and np.isfinite(elevation_m)
    return Device(
        SOURCE, role="model", name=f"{latitude:.1f},{longitude:.1f}", site="outdoor",
        method=f"model at {elevation_m:g} m" if known else "",
    )  # fmt: skip


def _without_height(device: Device) -> Device:
    return Device(device.source, device.role, device.name, site=device.site)


def _note_places(n: int, file: str, log: ProblemLog) -> None:
    rule = "places in one answer, of which the first was read; ask for one place at a time"
    log.reject(file, None, n, rule, count=n - 1)


def without_fetched(timeline: Timeline, file: str) -> tuple[Timeline, tuple[Problem, ...]]:
    """Leave a service's weather out of what somebody has taken along, and say of how many values.

    Among other series it would not be known as fetched: it would have no credit, could not be taken out, and would mix
    with the weather of the place where the person lives now. It can be fetched again.

    Parameters
    ----------
    file : str
        What the records were taken along in.
    """
    left = [one for one in timeline.series if one.source == SOURCE and one.site == "outdoor"]
    if not left:
        return timeline, ()
    rule = "weather that was fetched from Open-Meteo is not taken over; it can be fetched again"
    told = Problem(file, None, "", rule, count=sum(map(len, left)), lost=False)
    return replace(timeline, series=tuple(one for one in timeline.series if one not in left)), (told,)
