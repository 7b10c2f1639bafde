"""Pressure at the station and at sea level: against six published years of Tokyo and the agency's own table."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import Clock, now_utc
from unaji.records.jma import read as read_jma
from unaji.records.problems import ProblemLog
from unaji.records.source import file_source
from unaji.records.timeline import Zones, utc_ms
from unaji.records.weather.pressure import (
    column_temperature_k,
    derived_station_pressure,
    to_sea_level,
    to_station,
)


@pytest.mark.parametrize(("border_c", "moisture_k"), [(-30, 0.09), (0, 0.55), (20, 2.02), (33.8, 3.34)])
def test_the_moisture_term_has_no_step_where_its_pieces_meet(border_c, moisture_k):
    below, above = column_temperature_k(np.array([border_c - 1e-9, border_c + 1e-9]), 0.0) - 273.15 - border_c
    assert below == pytest.approx(above, abs=0.0025)
    assert above == pytest.approx(moisture_k, abs=0.0025)


def test_dry_freezing_air_is_an_isothermal_atmosphere():
    # Below -30 °C the term is a constant, and the formula is the barometric one at 233.24 K: H = RT/g = 6827.1 m.
    assert to_sea_level(np.array([1000.0]), np.array([-40.0 - 0.25]), 100.0)[0] == pytest.approx(
        1000 * np.exp(100 / 6827.1), abs=1e-3
    )


@given(st.floats(850, 1080), st.floats(-45, 45), st.floats(-400, 800))
def test_there_and_back_is_the_same_pressure(hpa, air_c, height_m):
    pressure, air = np.array([hpa]), np.array([air_c])
    assert to_station(to_sea_level(pressure, air, height_m), air, height_m)[0] == pytest.approx(hpa, rel=1e-12)


def test_a_fall_of_the_temperature_alone_raises_sea_level_pressure_at_300_m_by_more_than_1_hpa():
    # (p0 - p) dT / T = 36 hPa x 10 K / 289 K = 1.2 hPa, and the vapour lost on the way adds to it.
    before, after = to_sea_level(np.array([978.0, 978.0]), np.array([20.0, 10.0]), 300.0)
    assert after - before == pytest.approx(1.3, abs=0.1)


@pytest.mark.parametrize("height_m", [801.0, 3776.0, -501.0, float("nan")])
def test_no_pressure_is_reduced_from_a_mountain(height_m):
    with pytest.raises(ValueError, match="up to 800 m"):
        to_sea_level(np.array([900.0]), np.array([10.0]), height_m)


def test_what_was_derived_says_so_and_needs_both_values():
    device = Device("noaa_isd", role="station", name="47662", site="outdoor")
    sea = Batch(
        Kind.SERIES, "sea_level_pressure_hpa", device, frame(time=[0, 60_000, 120_000], value=[1013.0, 1012.0, 1011.0])
    )
    air = Batch(Kind.SERIES, "air_temp_c", device, frame(time=[0, 120_000, 180_000], value=[15.0, 16.0, 17.0]))
    derived = derived_station_pressure(sea, air, 24.2)
    assert (derived.quantity, derived.rows["time"].to_list()) == ("station_pressure_hpa", [0, 120_000])
    assert derived.device.method == "derived from sea-level pressure, barometer at 24.2 m"
    assert derived.device.name == device.name
    assert derived.rows["value"].to_list() == pytest.approx([1010.11, 1008.13], abs=0.01)
    assert sea.device.method == ""


@pytest.mark.shared
def test_six_years_of_tokyo_are_reproduced_to_the_printed_digit(shared_data):
    """Both pressures are printed to 0.1 hPa; the barometer stood at 36.5 m, after the move at 24.2 m."""
    files = [file_source(f) for f in sorted((shared_data / "weather-jma-tokyo-daily").glob("*.csv"))]
    found = list(read_jma(files, Clock(Zones(("Asia/Tokyo",)), now_utc()), ProblemLog()))

    def column(quantity: str) -> dict[int, float]:
        rows = [b.rows for b in found if b.quantity == quantity]
        return {time: value for r in rows for time, value in zip(r["time"], r["value"], strict=True)}

    air, station, sea = (column(name) for name in ("air_temp_c", "station_pressure_hpa", "sea_level_pressure_hpa"))
    moved = int(utc_ms(datetime(2014, 12, 1, 15, tzinfo=UTC)).astype(np.int64))  # a day with readings of both places
    before, after = [t for t in station if t < moved], [t for t in station if t > moved]
    for time, height_m in ((before, 36.5), (after, 24.2)):
        printed = np.array([sea[t] for t in time])
        reduced = to_sea_level(np.array([station[t] for t in time]), np.array([air[t] for t in time]), height_m)
        assert np.sqrt(np.mean((reduced - printed) ** 2)) < 0.045
        assert np.abs(np.round(reduced, 1) - printed).max() < 0.1 + 1e-9
    assert len(before) + len(after) == 2190
