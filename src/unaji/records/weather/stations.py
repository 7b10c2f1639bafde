"""Which weather station is nearest? The lists are fetched whole and searched here, so that the place stays at home."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec
import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.records.problems import ProblemLog
from unaji.records.weather.client import Client, Request
from unaji.records.weather.rows import unzipped
from unaji.records.weather.services import JSON_TYPES, TABLE_TYPES, Place

METEOSTAT_LIST = "https://bulk.meteostat.net/v2/stations/lite.json.gz"
NOAA_LIST = "https://www.ncei.noaa.gov/pub/data/noaa/isd-history.csv"
EARTH_RADIUS_KM = 6371.0
FARTHEST_KM = 100.0
MAY_LAG = timedelta(days=30)
"""A list may be this much behind the data."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station that was found: its id with the service, and how far it is [km]."""

    id: str
    distance_km: float


class _Location(msgspec.Struct):
    latitude: float | None = None
    longitude: float | None = None


class _Span(msgspec.Struct):
    start: str | None = None
    end: str | None = None


class _Inventory(msgspec.Struct):
    hourly: _Span | None = None


class _Station(msgspec.Struct):
    id: str
    location: _Location
    inventory: _Inventory = msgspec.field(default_factory=_Inventory)


def nearest(provider: str, place: Place, first: date, last: date, client: Client) -> Station:
    """Find the nearest station of Meteostat or NOAA that reported over a period.

    Raises
    ------
    InputError
        There is none within 100 km, or the list cannot be had.
    """
    url, types, read = {
        "meteostat": (METEOSTAT_LIST, (*JSON_TYPES, *TABLE_TYPES), _meteostat),
        "noaa-isd": (NOAA_LIST, TABLE_TYPES, _noaa),
    }[provider]
    today = client.now().date()
    listed = read(client.get(Request(url, today, types, lambda data: len(read(data)) > 0, grows=True)))
    as_of = min(today, max(listed["end"].to_list()))  # a list kept for offline may be old
    stations = listed.filter((pl.col("start") <= first) & (pl.col("end") >= min(last, as_of - MAY_LAG)))
    distance_km = _distance_km(place, stations["latitude"].to_numpy(), stations["longitude"].to_numpy())
    if not distance_km.size or distance_km.min() > FARTHEST_KM:
        raise InputError(
            f"{provider}: {FARTHEST_KM:g} km 以内に、この期間の観測所がありません / there is no station within "
            f"{FARTHEST_KM:g} km that reported from {first} to {last}; name one with --station, or use --provider "
            "open-meteo"
        )
    i = int(distance_km.argmin())
    return Station(stations["id"][i], float(distance_km[i]))


def _meteostat(data: bytes) -> pl.DataFrame:
    try:
        stations = msgspec.json.decode(unzipped(data, METEOSTAT_LIST, ProblemLog()), type=list[_Station])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the list of stations cannot be read ({error})") from error
    rows = [
        (s.id, s.location.latitude, s.location.longitude, s.inventory.hourly.start, s.inventory.hourly.end)
        for s in stations
        if s.inventory.hourly is not None
    ]
    schema = {"id": pl.String, "latitude": pl.Float64, "longitude": pl.Float64, "start": pl.String, "end": pl.String}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.with_columns(pl.col("start", "end").str.to_date("%Y-%m-%d", strict=False)).drop_nulls()


def _noaa(data: bytes) -> pl.DataFrame:
    try:
        table = pl.read_csv(io.BytesIO(data), infer_schema=False, encoding="utf8-lossy", truncate_ragged_lines=True)
        return table.select(
            id=pl.col("USAF") + pl.col("WBAN"),
            latitude=pl.col("LAT").cast(pl.Float64, strict=False),
            longitude=pl.col("LON").cast(pl.Float64, strict=False),
            start=pl.col("BEGIN").str.to_date("%Y%m%d", strict=False),
            end=pl.col("END").str.to_date("%Y%m%d", strict=False),
        ).drop_nulls()
    except pl.exceptions.PolarsError as error:
        raise InputError("the list of stations cannot be read as CSV") from error


def _distance_km(place: Place, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return great-circle distances by the haversine formula [km], shape of `latitude`."""
    here, there = np.radians(place.latitude), np.radians(latitude)
    half_lat, half_lon = (there - here) / 2, np.radians(longitude - place.longitude) / 2
    haversine = np.sin(half_lat) ** 2 + np.cos(here) * np.cos(there) * np.sin(half_lon) ** 2
    distance: np.ndarray = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(haversine))
    return distance
