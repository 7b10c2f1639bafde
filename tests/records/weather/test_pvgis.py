"""A typical year is nobody's weather."""

from __future__ import annotations

import pytest

from unaji.records.weather.pvgis import claims_file, read

YEAR = (
    b"Latitude (decimal degrees): 45.000\r\nLongitude (decimal degrees): 8.000\r\n\r\n"
    b"time(UTC),T2m,SP\r\n20180101:0000,2.04,99870.0\r\n"
)


def test_a_typical_year_is_refused_with_the_reason(importing):
    assert claims_file(YEAR)
    got = importing(read, YEAR)
    assert got.batches == []
    assert got.sentence("nobody's weather")[:2] == (True, 1)
    assert not claims_file(b"Latitude,Longitude\n")


def test_broken_files_are_borne(survives):
    survives(read, claims_file, YEAR, "tmy.csv")


@pytest.mark.shared
def test_all_hours_of_the_real_year_are_counted(shared_data, importing):
    data = (shared_data / "weather-hourly-tmy" / "tmy_45.000_8.000_2005_2023.csv").read_bytes()
    assert claims_file(data[:65536])
    assert importing(read, data).told[0][:2] == (True, 8760)
