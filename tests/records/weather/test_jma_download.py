"""What the Japanese agency's download form adds beyond values and marks: other layouts, doubtful values, batches."""

from __future__ import annotations

import pytest

from tests.records.test_jma import download
from tests.records.weather.conftest import utc
from unaji.records.batch import Kind
from unaji.records.jma import claims_file, parse, read
from unaji.records.problems import ProblemLog
from unaji.records.weather.jma_cells import DAILY, element_name

APART = (
    "ダウンロードした時刻：2024/06/01 10:00:00\r\n\r\n,,,,東京,東京,東京\r\n年,月,日,時,気温(℃),気温(℃),気温(℃)\r\n"
    ",,,,,品質情報,均質番号\r\n2024,5,1,1,15.2,8,1\r\n2024,5,1,24,14.0,8,1\r\n"
).encode("cp932")


def test_readings_of_a_station_are_batches_on_the_japanese_clock(importing):
    data = download("年月日時", ["現地気圧(hPa)", "日射量(MJ/㎡)"], ["2024/5/1 13:00:00,1009.1,8,1,1.80,8,1"])
    got = importing(read, data)
    pressure = got.of("station_pressure_hpa")
    assert (pressure.kind, pressure.device.source, pressure.device.role) == (Kind.SERIES, "jma", "station")
    assert (pressure.device.name, pressure.rows["zone_min"].to_list()) == ("東京", [540])
    # 1.8 MJ/m² in an hour are 500 W/m² on average.
    assert got.rows("solar_w_m2") == [("2024-05-01T03:00", "2024-05-01T04:00", pytest.approx(500.0))]


def test_the_day_of_the_week_may_stand_beside_the_date(importing):
    got = importing(read, download("年月日", ["平均気温(℃)"], ["2024/5/1(水),15.2,8,1"]))
    assert got.rows("air_temp_c") == [("2024-04-30T15:00", "2024-05-01T15:00", 15.2)]


def test_a_days_radiation_is_its_mean_over_24_hours(importing):
    got = importing(read, download("年月日", ["合計全天日射量(MJ/㎡)"], ["2024/5/1,8.64,8,1"]))
    assert got.rows("solar_w_m2") == [("2024-04-30T15:00", "2024-05-01T15:00", pytest.approx(100.0))]


def test_of_incomplete_data_means_are_kept_as_doubtful_and_sums_are_not(importing):
    data = download(
        "年月日", ["平均気温(℃)", "降水量の合計(mm)"], ["2024/5/1,15.2,4,1,2.5,4,1", "2024/5/2,16.0,8,1,1,8,1"]
    )
    got = importing(read, data)
    air = got.of("air_temp_c").rows
    assert air.select("value", "low_quality").rows() == [(15.2, True), (16.0, False)]
    assert got.values("precip_mm") == [1.0]
    assert got.sentence("降水量の合計(mm): values of quality 4 (incomplete)")[:2] == (True, 1)


def test_an_empty_mark_beside_an_empty_value_is_no_error(importing):
    got = importing(read, download("年月日", ["平均気温(℃)"], ["2024/5/1,,,", "2024/5/2,16.0,8,1"]))
    assert got.values("air_temp_c") == [16.0]
    assert got.told == []


def test_year_month_day_and_hour_may_stand_apart_and_24_is_the_next_midnight(importing):
    got = importing(read, APART)
    assert got.rows("air_temp_c") == [("2024-04-30T16:00", None, 15.2), ("2024-05-01T15:00", None, 14.0)]


@pytest.mark.parametrize(
    "heading", ["集計開始,集計終了,東京\r\n年月日,年月日,平均気温(℃)", ",東京\r\n年月,平均気温(℃)"]
)
def test_sums_over_days_or_months_are_refused_with_what_to_choose(importing, heading):
    data = f"ダウンロードした時刻：2024/06/01 10:00:00\r\n\r\n{heading}\r\n2024/5/1,2024/5/10,15.2\r\n".encode("cp932")
    got = importing(read, data)
    assert got.batches == []
    assert got.sentence("時別値")[:2] == (True, 1)


def test_signs_of_the_pages_are_understood_where_no_marks_were_downloaded(importing):
    data = (
        "ダウンロードした時刻：2024/06/01 10:00:00\r\n\r\n,東京,東京\r\n年月日時,気温(℃),降水量(mm)\r\n"
        "2024/5/1 1:00:00,15.2 ],--\r\n2024/5/1 2:00:00,15.0 ),0.5 ]\r\n2024/5/1 3:00:00,///,#\r\n"
    )
    got = importing(read, data.encode("cp932"))
    assert got.of("air_temp_c").rows.select("value", "low_quality").rows() == [(15.2, True), (15.0, False)]
    assert got.values("precip_mm") == [0.0]
    assert got.sentence("気温(℃): values of quality 1 (missing)")[:2] == (True, 1)
    assert got.sentence("降水量(mm): values of quality 2 (doubtful)")[:2] == (True, 1)


def test_another_station_is_counted_also_when_it_has_the_same_name(importing):
    rows = ["2024/5/1,15.2,8,1,3.1,8,1", "2024/5/2,16.0,8,1,4.0,8,1"]
    for names in (["府中", "府中"], ["東京", "札幌"]):
        got = importing(read, download("年月日", ["平均気温(℃)"] * 2, rows, names))
        assert got.values("air_temp_c") == [15.2, 16.0]
        assert got.sentence("several stations")[:2] == (True, 2)


def test_elements_without_use_are_named(importing):
    got = importing(read, download("年月日", ["平均気温(℃)", "最深積雪(cm)"], ["2024/5/1,15.2,8,1,3,8,1"]))
    assert "最深積雪(cm)" in got.sentence("elements that unaji does not use")[2]


def test_a_new_homogeneity_number_is_kept_where_there_is_a_barometer(importing):
    rows = [f"2024/5/{d},{1009 + d / 10},8,1,15,8,{1 if d < 6 else 2}" for d in range(1, 11)]
    moved = importing(read, download("年月日", ["平均現地気圧(hPa)", "平均気温(℃)"], rows)).of("barometer_moved")
    assert moved.device.name == "東京"
    assert [utc(time) for time in moved.rows["time"]] == ["2024-05-05T15:00"]
    without = importing(read, download("年月日", ["平均気温(℃)"], ["2024/5/1,15,8,1", "2024/5/2,15,8,2"]))
    assert without.quantities == {"air_temp_c"}


def test_broken_downloads_are_borne(survives):
    rows = [f"2024/5/1 {h}:00:00,1009.1,8,1,15.2,8,1,0.5,8,1" for h in range(1, 24)]
    data = download("年月日時", ["現地気圧(hPa)", "気温(℃)", "降水量(mm)"], rows)
    survives(read, claims_file, data, "data.csv")
    survives(read, claims_file, APART, "data.csv")


@pytest.mark.shared
def test_all_values_of_the_real_years_are_kept_or_counted(shared_data, importing):
    """Of the 36 values marked 4 in the files, those of the elements in use are means (kept) or sums (counted)."""
    files = sorted((shared_data / "weather-jma-tokyo-daily").glob("*.csv"))
    got = importing(read, {f.name: f.read_bytes() for f in files})
    days = {q: sum(len(b) for b in got.batches if b.quantity == q) for q in got.quantities - {"barometer_moved"}}
    assert days == {
        "station_pressure_hpa": 2191, "sea_level_pressure_hpa": 2191, "air_temp_c": 2191, "rel_humidity_pct": 2191,
        "wind_m_s": 2191, "precip_mm": 2191, "sunshine_min": 2187, "solar_w_m2": 2186,
    }  # fmt: skip
    doubtful = sum(b.rows["low_quality"].sum() for b in got.batches)
    left_out = sum(count for rejected, count, sentence in got.told if "quality 4" in sentence)
    marks = [
        mark
        for file in files
        for column in parse(file.read_bytes(), file.name, ProblemLog()).columns
        if (column.mark, column.sub_item) == ("品質情報", "") and element_name(column.element) in DAILY
        for mark in column.cells
    ]
    assert doubtful + left_out == marks.count("4")
    assert doubtful > 0
