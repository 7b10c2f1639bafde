"""What would the barometer show at another height? Station pressure to sea level and back.

The two are different quantities and never mixed in one series. They do not even change alike: for a barometer at 300 m,
a fall of the air's temperature by 10 K alone raises the sea-level pressure by more than 1 hPa. So station pressure is
preferred, and what was computed says so in `Device.method`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from unaji.records.batch import Batch, frame
from unaji.records.timeline import FloatArray

GRAVITY_M_S2 = 9.80665
DRY_AIR_J_PER_KG_K = 287.05
ZERO_C_K = 273.15
LAPSE_K_PER_M = 0.005
HIGHEST_M = 800.0
"""Above it the agency does not reduce pressure to sea level: too much of the column would be made up."""


def to_sea_level(station_pressure_hpa: FloatArray, air_temp_c: FloatArray, height_m: float) -> FloatArray:
    """Reduce station pressure to sea level.

    Parameters
    ----------
    station_pressure_hpa : ndarray, shape (n,)
        Pressure at the barometer [hPa].
    air_temp_c : ndarray, shape (n,)
        Air temperature at the station [°C].
    height_m : float
        Height of the barometer above the sea [m], at most `HIGHEST_M`.

    Returns
    -------
    ndarray, shape (n,)
        Pressure at sea level [hPa]; NaN where either value is.

    Raises
    ------
    ValueError
        The height is not one that the agency reduces from.

    Notes
    -----
    ``p0 = p exp(g z / (R Tm))``, see `column_temperature_k`.

    References
    ----------
    Japan Meteorological Agency, 気象観測の手引き (Guide to meteorological observations), section on sea-level pressure.
    """
    reduced: FloatArray = np.asarray(station_pressure_hpa) * _ratio(air_temp_c, height_m)
    return reduced


def to_station(sea_level_pressure_hpa: FloatArray, air_temp_c: FloatArray, height_m: float) -> FloatArray:
    """Take sea-level pressure [hPa] back to the height of a barometer; the inverse of `to_sea_level`."""
    raised: FloatArray = np.asarray(sea_level_pressure_hpa) / _ratio(air_temp_c, height_m)
    return raised


def column_temperature_k(air_temp_c: FloatArray, height_m: float) -> FloatArray:
    """Return the mean virtual temperature of the air between a station and the sea.

    Parameters
    ----------
    air_temp_c : ndarray, shape (n,)
        Air temperature at the station [°C].
    height_m : float
        Height of the barometer [m].

    Returns
    -------
    ndarray, shape (n,)
        ``Tm = 273.15 + tm + em`` [K], with ``tm = t + 0.005 z / 2`` and the moisture term ``em(tm)`` [K].

    Notes
    -----
    The first coefficient below 0 °C is 0.000489: only with it does the term meet its neighbours at -30 and at 0 °C
    (it is at times printed with one more zero).

    References
    ----------
    As `to_sea_level`.
    """
    tm = np.asarray(air_temp_c, dtype=float) + LAPSE_K_PER_M * height_m / 2
    em = np.select(
        [tm < -30, tm < 0, tm < 20, tm < 33.8],
        [
            0.09,
            0.000489 * tm**2 + 0.0300 * tm + 0.550,
            0.002850 * tm**2 + 0.0165 * tm + 0.550,
            -0.006933 * tm**2 + 0.4687 * tm - 4.580,
        ],
        3.34,
    )
    kelvin: FloatArray = ZERO_C_K + tm + em
    return kelvin


def derived_station_pressure(sea_level: Batch, air: Batch, height_m: float) -> Batch:
    """Compute station pressure where only sea-level pressure was given, at the instants that have a temperature too.

    Parameters
    ----------
    sea_level, air : Batch
        ``sea_level_pressure_hpa`` and ``air_temp_c`` of one station.
    height_m : float
        Height of its barometer [m], at most `HIGHEST_M`.

    Returns
    -------
    Batch
        ``station_pressure_hpa`` whose device says in `method` that it was derived, and for which height.
    """
    both = sea_level.rows.join(air.rows.select("time", air_temp_c="value"), on="time", how="inner").drop_nulls(
        ("value", "air_temp_c")
    )
    pressure = to_station(both["value"].to_numpy(), both["air_temp_c"].to_numpy(), height_m)
    rows = frame(
        time=both["time"],
        zone_min=both["zone_min"],
        value=pl.Series(pressure, dtype=pl.Float64),
        low_quality=both["low_quality"],
    )
    device = replace(sea_level.device, method=f"derived from sea-level pressure, barometer at {height_m:g} m")
    return Batch(sea_level.kind, "station_pressure_hpa", device, rows)


def _ratio(air_temp_c: FloatArray, height_m: float) -> FloatArray:
    if not -500 <= height_m <= HIGHEST_M:
        raise ValueError(f"height_m is {height_m:g}; pressure is reduced to sea level from up to {HIGHEST_M:g} m only")
    exponent = GRAVITY_M_S2 * height_m / (DRY_AIR_J_PER_KG_K * column_temperature_k(air_temp_c, height_m))
    ratio: FloatArray = np.exp(exponent)
    return ratio
