"""Meteostat's bulk files, made after its documentation."""

from __future__ import annotations

import gzip

import pytest

from unaji.records.weather.meteostat import claims_file, read

HEADER = (
    "year,month,day,hour,temp,temp_source,rhum,rhum_source,prcp,prcp_source,wdir,wdir_source,wspd,wspd_source,"
    "pres,pres_source,tsun,tsun_source,coco,coco_source\n"
)
YEAR = (
    HEADER
    + "2023,1,1,0,10.9,dwd_hourly,76,dwd_hourly,0.3,dwd_hourly,200,metar,36.0,metar,1013.2,metar,,,,\n"
    + "2023,1,1,1,12.4,dwd_mosmix,73,dwd_hourly,,,200,metar,7.2,isd_lite,1013.9,isd_lite,12,dwd_hourly,3,metar\n"
    + "2023,12,31,23,8.0,metno_forecast,90,something_new,,,,,,,,,,,,\n"
).encode()
FORMER = b"2016-01-01,0,1.5,-2.7,74,0.2,,200,9.0,,1033.4,30,7\n2016-01-01,1,1.2,-2.6,76,,,200,9.0,,1033.5,,7\n"


def test_hours_are_utc_wind_is_in_kilometres_an_hour_and_rain_of_the_hour_before(importing):
    got = importing(read, {"10637.csv": YEAR})
    assert got.rows("air_temp_c", role="station") == [("2023-01-01T00:00", None, 10.9)]
    assert got.values("wind_m_s") == pytest.approx([10.0, 2.0])
    assert got.rows("precip_mm") == [("2022-12-31T23:00", "2023-01-01T00:00", 0.3)]
    assert got.rows("sunshine_min") == [("2023-01-01T00:00", "2023-01-01T01:00", 12.0)]


def test_pressure_is_that_at_sea_level(importing):
    got = importing(read, YEAR)
    assert got.values("sea_level_pressure_hpa") == [1013.2, 1013.9]
    assert "station_pressure_hpa" not in got.quantities


def test_what_a_model_filled_in_is_another_device_of_lower_rank(importing):
    got = importing(read, YEAR)
    model = got.of("air_temp_c", role="model")
    assert model.rows["value"].to_list() == [12.4, 8.0]
    assert model.device.method == "filled in by a model"
    # A source nobody has heard of is not believed to be a station.
    assert got.values("rel_humidity_pct", role="station") == [76.0, 73.0]
    assert got.values("rel_humidity_pct", role="model") == [90.0]


@pytest.mark.parametrize("name", ["10637.csv.gz", "10637-2023.csv.gz"])
def test_gzip_is_unpacked_and_the_station_taken_from_the_name(importing, name):
    packed = gzip.compress(YEAR)
    assert claims_file(packed)
    got = importing(read, {name: packed})
    assert got.values("air_temp_c", role="station") == [10.9]
    assert {b.device.name for b in got.batches} == {"10637"}


def test_a_name_that_is_no_station_is_not_kept(importing):
    assert {b.device.name for b in importing(read, {"Wetter bei Hana.csv": YEAR}).batches} == {""}


def test_a_gzip_that_ends_early_gives_the_whole_lines_before_it_and_says_so(importing):
    rows = "".join(
        f"2023,{m},{d},{h},{m + d / 10:.1f},metar{',' * 14}\n"
        for m in range(1, 7)
        for d in range(1, 29)
        for h in range(24)
    )
    packed = gzip.compress((HEADER + rows).encode())
    got = importing(read, packed[: len(packed) // 2])
    assert 0 < len(got.of("air_temp_c")) < 6 * 28 * 24
    assert got.sentence("ends early")[0]


def hours_of(month: int) -> bytes:
    return "".join(f"2023,{month},1,{h},{month}.{h},metar{',' * 14}\n" for h in range(24)).encode()


def test_a_gzip_of_several_parts_is_read_to_its_end(importing):
    """As `cat a.gz b.gz` and some servers write it; zeros may fill up the end, which GNU gzip ignores too."""
    packed = gzip.compress(HEADER.encode() + hours_of(1)) + gzip.compress(hours_of(2)) + gzip.compress(hours_of(3))
    for end in (b"", b"\0" * 300):
        got = importing(read, packed + end)
        assert len(got.of("air_temp_c")) == 72
        assert not [told for told in got.told if told[0]]
    got = importing(read, packed + b"<html>")
    assert len(got.of("air_temp_c")) == 72
    assert got.sentence("after its end") == (True, 1, got.sentence("after its end")[2])


def test_of_several_parts_those_before_a_damaged_one_are_kept(importing):
    damaged = bytearray(gzip.compress(hours_of(2)))
    damaged[-6] ^= 0xFF  # the checksum
    got = importing(read, gzip.compress(HEADER.encode() + hours_of(1)) + bytes(damaged))
    assert len(got.of("air_temp_c")) == 24
    assert got.sentence("damaged")[0]


def test_many_parts_together_may_not_be_larger_than_one(importing, monkeypatch):
    monkeypatch.setattr("unaji.records.weather.rows.LARGEST_BYTES", 1 << 20)
    got = importing(read, gzip.compress(YEAR) + gzip.compress(b"\n" * (600 << 10)) * 2)
    assert got.batches == []
    assert got.sentence("unpacks to more than 1 MB")[0]


def test_a_gzip_of_more_than_a_year_could_hold_is_not_read(importing, monkeypatch):
    monkeypatch.setattr("unaji.records.weather.rows.LARGEST_BYTES", 1 << 20)
    got = importing(read, gzip.compress(YEAR + b"\n" * (2 << 20)))
    assert got.batches == []
    assert got.sentence("unpacks to more than 1 MB")[0]


def test_the_former_files_have_no_header_and_do_not_say_what_is_modelled(importing):
    assert claims_file(FORMER)
    got = importing(read, FORMER)
    assert got.rows("air_temp_c") == [("2016-01-01T00:00", None, 1.5), ("2016-01-01T01:00", None, 1.2)]
    assert got.values("dew_point_c") == [-2.7, -2.6]
    assert got.values("wind_m_s") == [2.5, 2.5]
    assert {b.device.role for b in got.batches} == {"merged"}


def test_a_row_without_a_time_is_told_with_its_line(importing):
    got = importing(read, (HEADER + "2023,13,1,0,10.9,metar" + "," * 14 + "\n").encode())
    assert got.batches == []
    assert got.told[0] == (True, 1, "weather, line 2: the row has no time that can be read")


def test_only_its_files_are_claimed():
    assert claims_file(YEAR)
    for head in (b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00damaged", gzip.compress(b"time,hr_bpm\n"), b"date,hour,steps\n",
                 b"2016-01-01,0,1.5\n", b"year,month,day,value\n"):  # fmt: skip
        assert not claims_file(head)


@pytest.mark.parametrize("data", [YEAR, gzip.compress(YEAR), FORMER], ids=["csv", "gzip", "former"])
def test_broken_files_are_borne(survives, data):
    survives(read, claims_file, data, "10637.csv.gz")
