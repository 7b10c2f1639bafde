"""Reports of the Integrated Surface Database, made after its format document."""

from __future__ import annotations

import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.problems import ProblemLog
from unaji.records.weather.noaa_isd import claims_file, read

COLUMNS = ("STATION", "DATE", "SOURCE", "LATITUDE", "LONGITUDE", "ELEVATION", "NAME", "REPORT_TYPE", "CALL_SIGN",
           "QUALITY_CONTROL", "WND", "CIG", "VIS", "TMP", "DEW", "SLP", "AA1", "AA2", "MA1", "REM")  # fmt: skip
USUAL = {
    "STATION": "08495099999", "SOURCE": "4", "LATITUDE": "36.15", "LONGITUDE": "-5.349", "ELEVATION": "4.6",
    "NAME": "GIBRALTAR, GI", "REPORT_TYPE": "FM-15", "CALL_SIGN": "99999", "QUALITY_CONTROL": "V020",
}  # fmt: skip


def reports(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    lines = [columns, *([{**USUAL, **row}.get(name, "") for name in columns] for row in rows)]
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n" for line in lines).encode()


TWO = reports(
    {"DATE": "2024-03-01T05:50:00", "TMP": "+0155,1", "DEW": "+0120,1", "SLP": "99999,9", "WND": "090,1,N,0082,1",
     "MA1": "10182,1,99999,9", "REM": 'MET "quoted", and more'},
    {"DATE": "2024-03-01T06:00:00", "REPORT_TYPE": "FM-12", "TMP": "-0021,5", "DEW": "+9999,9", "SLP": "10182,1",
     "WND": "999,9,C,0000,1", "MA1": "99999,9,10176,1", "AA1": "01,0004,9,1"},
)  # fmt: skip


def test_a_cell_is_ten_times_too_large_and_carries_its_quality(importing):
    got = importing(read, TWO)
    assert sorted(got.rows("air_temp_c")) == [("2024-03-01T05:50", None, 15.5), ("2024-03-01T06:00", None, -2.1)]
    assert got.values("dew_point_c") == [12.0]
    assert sorted(got.values("wind_m_s")) == [0.0, 8.2]
    device = got.of("air_temp_c").device
    assert (device.source, device.role, device.name, device.site) == ("noaa_isd", "station", "08495099999", "outdoor")


def test_pressure_at_sea_level_and_at_the_station_are_told_apart_and_the_altimeter_setting_is_neither(importing):
    got = importing(read, TWO)
    assert got.values("sea_level_pressure_hpa") == [1018.2]
    assert got.values("station_pressure_hpa") == [1017.6]


def test_codes_for_nothing_are_counted(importing):
    got = importing(read, TWO)
    assert got.sentence("SLP: the source says that the value is missing")[:2] == (False, 1)
    assert got.sentence("MA1: the source says")[:2] == (False, 1)


@pytest.mark.parametrize(
    ("quality", "kept"),
    [*((q, True) for q in "01459ACIMPRU"), *((q, False) for q in "2367")],
)
def test_suspect_and_erroneous_values_are_left_out(importing, quality, kept):
    got = importing(read, reports({"DATE": "2024-03-01T06:00:00", "TMP": f"+0155,{quality}"}))
    assert bool(got.batches) == kept
    assert any("suspect or erroneous" in told[2] for told in got.told) == (not kept)


def test_of_reports_at_one_minute_each_quantity_is_taken_once_the_synoptic_one_first(importing):
    at = {"DATE": "2024-03-01T06:00:00"}
    data = reports(
        {**at, "REPORT_TYPE": "FM-16", "TMP": "+0170,1", "SLP": "10170,1"},
        {**at, "REPORT_TYPE": "FM-15", "TMP": "+0165,1", "SLP": "10165,1"},
        {**at, "REPORT_TYPE": "FM-12", "TMP": "+0160,1", "SLP": "99999,9"},
    )
    got = importing(read, data)
    assert got.values("air_temp_c") == [16.0]
    assert got.values("sea_level_pressure_hpa") == [1016.5]


def test_summaries_of_a_day_are_no_readings(importing):
    data = reports(
        {"DATE": "2024-03-01T06:00:00", "TMP": "+0160,1"},
        {"DATE": "2024-03-01T23:59:00", "REPORT_TYPE": "SOD  ", "TMP": "+0111,1", "AA1": "24,0100,9,1"},
    )
    got = importing(read, data)
    assert got.values("air_temp_c") == [16.0]
    assert "precip_mm" not in got.quantities
    assert got.sentence("SOD, SOM")[:2] == (False, 1)


def test_rain_is_a_sum_over_the_hours_its_cell_states_and_overlapping_sums_are_not_added(importing):
    data = reports(
        {"DATE": "2024-03-01T06:00:00", "AA1": "06,0100,9,1", "AA2": "01,0012,9,1"},
        {"DATE": "2024-03-01T07:00:00", "AA1": "01,0000,2,1"},
        {"DATE": "2024-03-01T08:00:00", "AA1": "01,0050,3,1"},
        {"DATE": "2024-03-01T09:00:00", "AA1": "01,9999,9,9"},
    )
    got = importing(read, data)
    assert sorted(got.rows("precip_mm")) == [
        ("2024-03-01T05:00", "2024-03-01T06:00", 1.2), ("2024-03-01T06:00", "2024-03-01T07:00", 0.0),
    ]  # fmt: skip
    assert got.sentence("overlap the others")[:2] == (False, 1)
    assert got.sentence("part of a longer one")[:2] == (True, 1)


def test_where_rain_is_given_over_six_hours_only_it_is_read_so(importing):
    got = importing(read, reports({"DATE": "2024-03-01T06:00:00", "AA1": "06,0100,9,1"}))
    assert got.rows("precip_mm") == [("2024-03-01T00:00", "2024-03-01T06:00", 10.0)]


def test_another_station_in_the_file_is_counted_and_left_out(importing):
    data = reports(
        {"DATE": "2024-03-01T06:00:00", "TMP": "+0160,1"},
        {"DATE": "2024-03-01T06:00:00", "STATION": "47662099999", "TMP": "+0050,1"},
    )
    got = importing(read, data)
    assert got.values("air_temp_c") == [16.0]
    assert got.sentence("other stations than the first, 08495099999")[:2] == (True, 1)


def test_a_word_for_a_number_and_an_impossible_value_are_told_with_their_line(importing):
    data = reports(
        {"DATE": "2024-03-01T06:00:00", "TMP": "warm,1"}, {"DATE": "2024-03-01T07:00:00", "TMP": "+0160,1"},
        {"DATE": "2024-03-01T08:00:00", "TMP": "+0170,1"}, {"DATE": "2024-03-01T09:00:00", "TMP": "+0990,1"},
        {"DATE": "yesterday", "TMP": "+0150,1"},
    )  # fmt: skip
    got = importing(read, data)
    assert got.values("air_temp_c") == [16.0, 17.0]
    assert "line 2" in got.sentence("TMP must be a number")[2]
    assert "line 5" in got.sentence("air_temp_c lies")[2]
    assert "line 6" in got.sentence("no time that can be read")[2]


def test_a_file_cut_inside_a_quotation_still_gives_the_rows_before(importing):
    whole = reports(*({"DATE": f"2024-03-01T{h:02d}:00:00", "TMP": "+0160,1"} for h in range(20)))
    got = importing(read, whole[: whole.rfind(b'"2024-03-01T19')])
    assert len(got.of("air_temp_c")) == 19


@given(st.lists(st.integers(-600, 449), min_size=1, max_size=30))
def test_writing_then_reading_gives_the_same_temperatures(tenths):
    from tests.records.weather.conftest import CLOCK, source

    data = reports(*({"DATE": f"2024-03-{1 + i:02d}T06:00:00", "TMP": f"{t:+05d},1"} for i, t in enumerate(tenths)))
    found = [v for b in read([source(data)], CLOCK, ProblemLog()) for v in b.rows["value"]]
    assert found == [t / 10 for t in tenths]


def test_the_made_files_are_csv_as_others_read_it():
    frame = pl.read_csv(io.BytesIO(TWO), infer_schema=False)
    assert frame.columns == list(COLUMNS)
    assert frame["REM"][0] == 'MET "quoted", and more'


def test_only_its_files_are_claimed():
    assert claims_file(TWO)
    assert claims_file(TWO.replace(b'"', b"").replace(b"\n", b"\r\n"))
    for head in (b"", b"STATION,DATE\n", b"STATION,DATE,REPORT_TYPE,PRCP\n", b"time,TMP,SLP,REPORT_TYPE\n"):
        assert not claims_file(head)


def test_broken_files_are_borne(survives):
    survives(read, claims_file, TWO, "08495099999.csv")
