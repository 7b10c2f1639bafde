"""When was a barometer moved? Its pressure is parted there, so that no change is taken from one place to the other.

It is looked for when rows are read, never when they are imported: so it does not matter which files came together, and
a download that overlaps another gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from unaji.records.timeline import BoolArray, FloatArray, TimeArray

BAROMETERS = ("station_pressure_hpa", "sea_level_pressure_hpa")
"""Each barometer stays a series of its own: from one to another the pressure jumps, and no change is taken there."""

MOVED = "barometer_moved"
"""Name of the rows that tell when a station says that its instruments are no longer the same."""

AIR = "air_temp_c"
NEEDED = (*BAROMETERS, AIR, MOVED)
"""Quantities that must be looked at together to part the pressure."""

DRY_AIR_J_PER_KG_K = 287.05
GRAVITY_M_S2 = 9.80665
USUAL_AIR_C = 15.0
ROWS_BESIDE_STEP = 5
SMALLEST_STEP_M = 4.0  # pressures rounded to 0.1 hPa leave the height uncertain by about 1 m
SMALLEST_STEP_SHARE = 0.05  # neglected moisture leaves about 1 %, a service's mean temperature in a front about 3 %


def moves(measured: Mapping[str, pl.DataFrame], told: Sequence[pl.DataFrame]) -> dict[int, TimeArray]:
    """Find when each barometer was moved: when its station says so, and when its height changes.

    Parameters
    ----------
    measured : dict of str to polars.DataFrame
        Rows of `BAROMETERS` and `AIR`, as far as there are any, with ``source_id``, ``time``, ``end``, ``value`` and
        ``low_quality``.
    told : sequence of polars.DataFrame
        Rows of `MOVED`, with ``source_id`` and ``time``.

    Returns
    -------
    dict of int to ndarray of datetime64[ms]
        By ``source_id``, each moment once and in order.
    """
    moments: dict[int, list[TimeArray]] = {}
    for rows in told:
        for number, time in rows.select("source_id", "time").rows():
            moments.setdefault(number, []).append(np.array([time], dtype="datetime64[ms]"))
    if all(quantity in measured for quantity in BAROMETERS):
        station, sea = (measured[quantity] for quantity in BAROMETERS)
        for number in set(station["source_id"].unique()) & set(sea["source_id"].unique()):
            for lasts in (False, True):
                own = {quantity: _good(rows, number, lasts=lasts) for quantity, rows in measured.items()}
                moments.setdefault(number, []).append(height_steps(own))
    return {number: np.unique(np.concatenate(found)) for number, found in moments.items()}


def segment_name(source: str, began: np.datetime64, zone_min: int) -> str:
    """Name a segment of pressure after when it began there, as coarsely as that can be said: a day, an hour …"""
    wall = began + np.timedelta64(zone_min, "m")
    text = str(np.datetime_as_string(wall, unit="ms"))
    for nothing in (".000", ":00", ":00", "T00"):  # no milliseconds, no seconds, no minutes, midnight
        text = text.removesuffix(nothing)
    return f"{source}:{text}"


def height_steps(rows: Mapping[str, tuple[TimeArray, FloatArray]]) -> TimeArray:
    """Find when a barometer was moved up or down.

    Parameters
    ----------
    rows : dict of str to (ndarray, ndarray)
        Instants, each once and in order, and values of `BAROMETERS` [hPa], and of `AIR` [°C] if it is known.

    Notes
    -----
    The height follows from station and sea-level pressure by ``z = (R T / g) ln(p_sea / p_station)``, with the air
    temperature for T (15 °C where it was never measured). A step is a change from one row to the next, larger than 4 m
    and 5 % of the height, that the medians of the five rows before and after confirm. It must be one with a single
    temperature on both sides too: services reduce with means over hours, and a front makes the air colder at once.
    Tokyo's station moved so on 2014-12-02 without a new homogeneity number for its station pressure.
    """
    (station_time, station), (sea_time, sea) = (rows[quantity] for quantity in BAROMETERS)
    time, at_station, at_sea = np.intersect1d(station_time, sea_time, assume_unique=True, return_indices=True)
    if time.size < 2 * ROWS_BESIDE_STEP:
        return np.array([], dtype="datetime64[ms]")
    ratio = DRY_AIR_J_PER_KG_K / GRAVITY_M_S2 * np.log(sea[at_sea] / station[at_station])
    kelvin = 273.15 + _air_c(rows, time)
    moved = _steps(kelvin * ratio) & _steps(float(np.median(kelvin)) * ratio)
    moments: TimeArray = time[np.flatnonzero(moved) + ROWS_BESIDE_STEP]
    return moments


def _steps(height_m: FloatArray) -> BoolArray:
    """Say between which rows a height changes for good, from the fifth row on."""
    beside = np.lib.stride_tricks.sliding_window_view(height_m, ROWS_BESIDE_STEP)
    median = np.median(beside, axis=1)
    before, after = median[:-ROWS_BESIDE_STEP], median[ROWS_BESIDE_STEP:]
    step = np.diff(height_m)[ROWS_BESIDE_STEP - 1 : -(ROWS_BESIDE_STEP - 1)]
    smallest = np.maximum(SMALLEST_STEP_M, SMALLEST_STEP_SHARE * np.abs(before))
    changed: BoolArray = (np.abs(step) > smallest) & (np.abs(after - before) > smallest)
    return changed


def _good(rows: pl.DataFrame, number: int, *, lasts: bool) -> tuple[TimeArray, FloatArray]:
    """Return the readings, or the means over intervals, of one source that it does not doubt; each instant once."""
    undoubted = ~pl.col("low_quality").fill_null(value=False)
    ended = pl.col("end").is_not_null() if lasts else pl.col("end").is_null()
    own = rows.filter((pl.col("source_id") == number) & undoubted & ended & pl.col("value").is_not_null())
    own = own.unique("time", keep="first").sort("time")
    return own["time"].to_numpy().astype("datetime64[ms]"), own["value"].to_numpy()


def _air_c(rows: Mapping[str, tuple[TimeArray, FloatArray]], time: TimeArray) -> FloatArray:
    """Return the air temperature at some instants [°C]: between readings where one is missing, else the usual."""
    known, value = rows.get(AIR, (time[:0], np.array([])))
    if not known.size:
        return np.full(time.size, USUAL_AIR_C)
    return np.asarray(np.interp(time.astype(np.int64), known.astype(np.int64), value))
