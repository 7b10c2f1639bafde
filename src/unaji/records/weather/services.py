"""Who keeps past weather, how it is asked for, and how an answer is judged before it is believed."""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import numpy as np

from unaji.errors import InputError
from unaji.records.batch import Batch
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.weather import meteostat, noaa_isd, open_meteo
from unaji.records.weather.client import Request

OPEN_METEO = "https://archive-api.open-meteo.com/v1/archive"
METEOSTAT = "https://data.meteostat.net/hourly"
NOAA_ISD = "https://www.ncei.noaa.gov/data/global-hourly/access"
OPEN_METEO_HOURLY = (
    "temperature_2m", "relative_humidity_2m", "dew_point_2m", "surface_pressure", "pressure_msl", "wind_speed_10m",
    "precipitation", "shortwave_radiation", "sunshine_duration",
)  # fmt: skip
JSON_TYPES = ("application/json",)
TABLE_TYPES = (
    "text/csv", "text/plain", "application/gzip", "application/x-gzip", "application/octet-stream",
    "binary/octet-stream",
)  # fmt: skip
MOST_REJECTED = 0.2
"""Share of an answer's values that may be implausible before none of it is believed."""
FARTHEST_CELL_DEG = 0.5
"""A cell's middle lies this near to the place asked for, or the answer is about another place."""
LAST_REPORT_H = 18
"""The last hour of a day at which the rarest reporters report (UTC)."""
STATION_IDS = {"meteostat": r"[0-9A-Z]{5}", "noaa-isd": r"[0-9A-Z]{11}"}

Read = Callable[[Sequence[Source], Clock, ProblemLog], Iterator[Batch]]


@dataclass(frozen=True, slots=True)
class Place:
    """A place to 0.1°: enough for the weather, too coarse for an address."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise InputError(
                f"--place {self.latitude},{self.longitude}: latitude must be -90 to 90 and longitude -180 to 180, "
                "as in --place 35.7,139.7"
            )
        # What is added turns -0.0, which would be another address and another file, into 0.0.
        object.__setattr__(self, "latitude", round(self.latitude, 1) + 0.0)
        object.__setattr__(self, "longitude", round(self.longitude, 1) + 0.0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of a service: how to ask for it, under which name it is put, and who reads it."""

    request: Request
    file_name: str
    read: Read


def place_of(text: str) -> Place:
    """Read ``LAT,LON`` in degrees.

    Raises
    ------
    InputError
        It is not two numbers, or no place on Earth.
    """
    parts = text.replace("，", ",").split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError as error:
        raise InputError(
            f"--place {text}: write latitude and longitude in degrees, such as --place 35.7,139.7"
        ) from error
    return Place(latitude, longitude)


def station_of(provider: str, text: str) -> str:
    """Return a station's id, or say how the service writes them.

    Raises
    ------
    InputError
        The service has no ids of this form.
    """
    station = text.strip().upper().replace("-", "")
    if not re.fullmatch(STATION_IDS[provider], station):
        example = "47662" if provider == "meteostat" else "47662099999"
        raise InputError(f"--station {text}: ids of {provider} look like {example}")
    return station


def open_meteo_files(place: Place, first: date, last: date, now: datetime, stem: str = "") -> Iterator[Wanted]:
    """Ask Open-Meteo for the hours of a place in whole months, the present one up to yesterday.

    So a month's address is the same whoever's days are in it, a past month is asked for once, and a newer file of a
    month holds all that the older one held. `stem` is how the files' names begin, before the month; by default they
    say the service and the place.
    """
    stem = stem or f"open-meteo_{place.latitude:.1f}_{place.longitude:.1f}_"
    for start, end in _months(first, last, now.date() - timedelta(days=1)):
        url = (
            f"{OPEN_METEO}?latitude={place.latitude:.1f}&longitude={place.longitude:.1f}&start_date={start}"
            f"&end_date={end}&hourly={','.join(OPEN_METEO_HOURLY)}&wind_speed_unit=ms&timezone=GMT"
        )
        name = f"{stem}{start:%Y-%m}.json"
        check = partial(_check_place, place, partial(_check, name, open_meteo.read, start, end, 23, now))
        yield Wanted(Request(url, end, JSON_TYPES, check), name, open_meteo.read)


def station_files(provider: str, station: str, first: date, last: date, now: datetime) -> Iterator[Wanted]:
    """Ask Meteostat or NOAA for the years of a station."""
    read, url, name = {
        "meteostat": (meteostat.read, METEOSTAT + "/{year}/{station}.csv.gz", "{station}-{year}.csv.gz"),
        "noaa-isd": (noaa_isd.read, NOAA_ISD + "/{year}/{station}.csv", "noaa-isd_{station}_{year}.csv"),
    }[provider]
    for year in range(first.year, last.year + 1):
        file_name = name.format(station=station, year=year)
        start, end = date(year, 1, 1), date(year, 12, 31)
        check = partial(_check, file_name, read, start, end, LAST_REPORT_H, now)
        yield Wanted(Request(url.format(station=station, year=year), end, TABLE_TYPES, check), file_name, read)


def source_of(name: str, data: bytes) -> Source:
    """Return bytes as a file that importers read."""
    return Source(name, data[:HEAD_BYTES], lambda: io.BytesIO(data), len(data))


def _months(first: date, last: date, yesterday: date) -> Iterator[tuple[date, date]]:
    """Give first and last day of the months in which a period lies; no day after yesterday."""
    start = first.replace(day=1)
    while start <= min(last, yesterday):
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        yield start, min(end, yesterday)
        start = end + timedelta(days=1)


def last_stamp(batches: Sequence[Batch]) -> np.datetime64:
    """Return the last stamp of the readings (UTC), which of a sum is its end."""
    return _extent(batches)[1]


def _check(name: str, read: Read, first: date, last: date, last_h: int, now: datetime, data: bytes) -> bool:
    """Say whether an answer reaches to an hour of the last day of its period.

    Raises
    ------
    InputError
        It cannot be read, is of another period, or too much of it is implausible.
    """
    log = ProblemLog()
    batches = list(read([source_of(name, data)], Clock(None, now), log))
    problems = [problem for problem in log.problems() if problem.rejected]
    if not batches:
        raise InputError(str(problems[0]) if problems else f"{name}: it holds no weather")
    rejected, kept = sum(problem.count for problem in problems), sum(len(batch) for batch in batches)
    if rejected > MOST_REJECTED * (rejected + kept):
        raise InputError(f"{rejected:,} of {rejected + kept:,} values are implausible, such as {problems[0]}")
    begin, stop = _extent(batches)
    if begin < np.datetime64(first) - np.timedelta64(1, "h") or stop >= np.datetime64(last) + np.timedelta64(1, "D"):
        raise InputError(f"{name}: {first} to {last} was asked for, and it is about {begin} to {stop} (UTC)")
    return bool(stop >= np.datetime64(last) + np.timedelta64(last_h, "h"))


def _extent(batches: Sequence[Batch]) -> tuple[np.datetime64, np.datetime64]:
    stamps = np.concatenate(
        [(b.rows["time"] if b.rows["end"].null_count() else b.rows["end"]).to_numpy() for b in batches]
    ).astype("datetime64[ms]")
    return stamps.min(), stamps.max()


def _check_place(place: Place, check: Callable[[bytes], bool], data: bytes) -> bool:
    whole = check(data)
    try:
        answer = msgspec.json.decode(data, type=open_meteo.Answer)
    except msgspec.MsgspecError as error:
        raise InputError(f"it is not about one place ({error})") from error
    off = max(abs(answer.latitude - place.latitude), abs(answer.longitude - place.longitude))
    if off > FARTHEST_CELL_DEG:
        raise InputError(
            f"{place.latitude},{place.longitude} was asked for, and it is about {answer.latitude},{answer.longitude}"
        )
    return whole
