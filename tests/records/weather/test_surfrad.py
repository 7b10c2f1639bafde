"""Minutes of a SURFRAD station: made ones, and a real day at 2317 m."""

from __future__ import annotations

import pytest

from unaji.records.weather.surfrad import claims_file, read

HEADING = " Alamosa\n   37.70  105.92 2317 m version 1\n"


def minute(at: int, temp: str = "-7.6 0", rh: str = "52.7 0", wind: str = "3.1 0", pressure: str = "773.5 0") -> str:
    radiation = "    -1.8 0" * 15
    return f" 2016   1  1  1  0 {at:2d}  0.{at:03d}  91.65{radiation} {temp} {rh} {wind} 304.7 0 {pressure}\n"


DAY = (HEADING + "".join(minute(at) for at in range(3))).encode()


def test_the_pressure_is_that_at_the_station_and_times_are_utc(importing):
    assert claims_file(DAY)
    got = importing(read, DAY)
    assert got.rows("station_pressure_hpa")[1] == ("2016-01-01T00:01", None, 773.5)
    assert got.values("air_temp_c") == [-7.6] * 3
    assert got.values("rel_humidity_pct") == [52.7] * 3
    assert got.values("wind_m_s") == [3.1] * 3
    assert got.of("air_temp_c").device.name == "Alamosa"
    assert got.quantities == {"station_pressure_hpa", "air_temp_c", "rel_humidity_pct", "wind_m_s"}
    assert got.told == []


def test_bad_values_are_left_out_questionable_ones_marked_and_nothing_is_counted_as_nothing(importing):
    data = HEADING + minute(0, temp="-7.6 2") + minute(1, temp="-7.9 1") + minute(2, temp="-9999.9 1")
    got = importing(read, data.encode())
    air = got.of("air_temp_c").rows
    assert air.select("value", "low_quality").rows() == [(-7.6, True)]
    assert got.sentence("temp: values that the source marks as bad")[:2] == (True, 1)
    assert got.sentence("temp: the source says that the value is missing")[:2] == (False, 1)


def test_a_line_without_a_time_is_told(importing):
    got = importing(read, (HEADING + minute(0) + minute(1).replace("2016   1  1  1", "2016   1 13  1")).encode())
    assert len(got.of("air_temp_c")) == 1
    assert "line 4" in got.sentence("no time that can be read")[2]


def test_only_its_files_are_claimed():
    for head in (b"", b"Alamosa\n37.70\n", b"a\nb\n", HEADING.encode()[:20]):
        assert not claims_file(head)


def test_broken_files_are_borne(survives):
    survives(read, claims_file, DAY, "slv16001.dat")


@pytest.mark.shared
def test_a_real_day_is_read_whole(shared_data, importing):
    data = (shared_data / "weather-hourly-tmy" / "surfrad-slv16001.dat").read_bytes()
    assert claims_file(data[:65536])
    got = importing(read, data)
    lines = [line.split() for line in data.decode().splitlines()[2:]]
    for quantity, place in (("air_temp_c", -10), ("station_pressure_hpa", -2)):
        expected = [float(cells[place]) for cells in lines if cells[place + 1] == "0"]
        assert got.values(quantity) == expected
    assert len(got.of("station_pressure_hpa")) == 1440
    assert set(got.of("station_pressure_hpa").rows["value"]) <= {round(v / 10, 1) for v in range(7650, 7800)}
