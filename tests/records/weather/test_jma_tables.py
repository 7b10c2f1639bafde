"""Tables of the Japanese agency's search pages: three real copies, and pages made after the agency's layout."""

from __future__ import annotations

import pytest

from unaji.records.source import file_source
from unaji.records.weather.jma_tables import claims_file, read

HOURLY = (
    ",現地気圧 (hPa),海面気圧 (hPa),降水量 (mm),気温,露天温度,蒸気圧 (hPa),湿度 (%),風速 (m/s),風向,"
    "日照時間 (h),全天日射量 (MJ/m**2)\n"
    "1,1014.4,1015.0,,5.5,-1.2,5.6,62.0,5.3,北西,,0.00\n"
    "13,1013.1,1013.7,0.5,9.9,-4.5,4.4,36.0,6.3,北西,0.5,1.80\n"
    "24,1014.6,1015.2,--,4.4,-2.4,5.1,61.0,3.2,北,///,×\n"
).encode()
PAGE = """<!DOCTYPE html><html lang="ja"><head><title>気象庁｜過去の気象データ検索</title></head><body><h1>気象庁</h1>
<h3>小名浜　2020年1月4日　（1時間ごとの値）</h3>
<table id="tablefix1" class="data2_s"><tr class="mtx"><th rowspan="2">時</th><th colspan="2">気圧(hPa)</th>
<th rowspan="2">降水量<br>(mm)</th><th rowspan="2">気温<br>(℃)</th><th colspan="2">風向・風速(m/s)</th></tr>
<tr class="mtx"><th>現地</th><th>海面</th><th>風速</th><th>風向</th></tr>
<tr class="mtx"><td>1</td><td>1014.4</td><td>1015.0</td><td>--</td><td>5.5</td><td>5.3</td><td>北西</td></tr>
<tr class="mtx"><td>24</td><td class="data_0_0">1014.6 ]</td>
<td>1015.2 )</td><td>0.5 ]</td><td>4.4 #</td><td>×</td><td>北</td></tr>
</table></body></html>""".encode()
MONTH = """<html><body>気象庁<h3>東京　2015年2月（日ごとの値）</h3><table class="data2_s">
<tr><th rowspan=3>日</th><th colspan=2>気圧(hPa)</th><th colspan=2>気温(℃)</th>
<th rowspan=3>日照<br>時間<br>(h)</th></tr>
<tr><th>現地</th><th>海面</th><th rowspan=2>平均</th><th rowspan=2>最高</th></tr><tr><th>平均</th><th>平均</th></tr>
<tr><td>1</td><td>1010.1</td><td>1013.0</td><td>5.0</td><td>9.0</td><td>8.1</td></tr>
<tr><td>31</td><td>1011.1</td><td>1014.0</td><td>6.0</td><td>9.9</td><td>8.0</td></tr></table></body></html>""".encode()


def test_hours_run_from_1_to_24_in_japan_and_amounts_are_of_the_time_before(importing):
    got = importing(read, {"福島県小名浜2020_1_4.csv": HOURLY})
    assert got.rows("air_temp_c")[0] == ("2020-01-03T16:00", None, 5.5)
    assert got.rows("air_temp_c")[2] == ("2020-01-04T15:00", None, 4.4)
    assert got.rows("precip_mm")[0] == ("2020-01-04T03:00", "2020-01-04T04:00", 0.5)
    assert got.rows("wind_m_s")[0] == ("2020-01-03T15:50", "2020-01-03T16:00", 5.3)
    assert got.values("solar_w_m2") == [0.0, pytest.approx(500.0)]
    assert got.of("air_temp_c").rows["zone_min"].to_list() == [540] * 3
    assert got.of("air_temp_c").device.name == "福島県小名浜"


def test_an_empty_cell_is_not_known_and_only_the_sign_for_nothing_is_no_rain(importing):
    got = importing(read, {"x2020_1_4.csv": HOURLY})
    assert got.values("precip_mm") == [0.5, 0.0]
    assert got.sentence("日照時間: values marked missing")[:2] == (True, 1)
    assert got.sentence("全天日射量: values marked missing")[:2] == (True, 1)


@pytest.mark.parametrize("name", ["weather.csv", "福島県小名浜2020_1.csv", "x2020_13_4.csv", "x2020_2_31.csv"])
def test_without_the_date_of_its_hours_a_copy_is_refused_and_the_person_asked(importing, name):
    got = importing(read, {name: HOURLY})
    assert got.batches == []
    assert got.sentence("rename the file like 名前_2020_1_4.csv")[:2] == (True, 3)


def test_a_site_without_a_barometer_gives_no_pressure_and_advice(importing):
    data = ",降水量 (mm),気温,風速 (m/s),風向\n1,0.0,5.1,2.0,北\n".encode()
    got = importing(read, {"福島県平2020_1_4.csv": data})
    assert got.quantities == {"precip_mm", "air_temp_c", "wind_m_s"}
    assert "no barometer" in got.sentence("気圧計はありません")[2]


def test_a_page_tells_its_date_and_station_itself(importing):
    assert claims_file(PAGE)
    got = importing(read, {"saved.html": PAGE})
    assert got.rows("sea_level_pressure_hpa") == [
        ("2020-01-03T16:00", None, 1015.0),
        ("2020-01-04T15:00", None, 1015.2),
    ]
    assert got.of("air_temp_c").device.name == "小名浜"
    assert got.values("wind_m_s") == [5.3]


def test_signs_beside_values_decide_what_is_kept(importing):
    got = importing(read, PAGE)
    pressure = got.of("station_pressure_hpa").rows
    assert pressure["value"].to_list() == [1014.4, 1014.6]
    assert pressure["low_quality"].to_list() == [False, True]
    assert got.of("sea_level_pressure_hpa").rows["low_quality"].to_list() == [False, False]
    assert got.values("precip_mm") == [0.0]  # of an incomplete sum only a bound is known
    assert got.sentence("of which a sum is only a bound")[:2] == (True, 1)
    assert got.values("air_temp_c") == [5.5]
    assert got.sentence("marked doubtful")[:2] == (True, 1)


def test_a_page_of_days_gives_days_in_japan_and_no_31st_of_february(importing):
    got = importing(read, MONTH)
    assert got.rows("air_temp_c") == [("2015-01-31T15:00", "2015-02-01T15:00", 5.0)]
    assert got.rows("station_pressure_hpa") == [("2015-01-31T15:00", "2015-02-01T15:00", 1010.1)]
    assert got.values("sunshine_min") == pytest.approx([486.0])
    assert got.sentence("no time that can be read")[0]


def test_a_page_of_ten_minutes_is_refused_with_what_to_save_instead(importing):
    page = PAGE.replace('<th rowspan="2">時</th>'.encode(), '<th rowspan="2">時分</th>'.encode())
    got = importing(read, page)
    assert got.batches == []
    assert got.sentence("1時間ごとの値")[:2] == (True, 2)


def test_only_its_tables_are_claimed():
    assert claims_file(HOURLY)
    assert claims_file(MONTH)
    for head in (b"", b"<html></html>", ",気温\n".encode(), "日付,気温,降水量\n".encode(), b",a,b\n", b"<html>data2_s"):
        assert not claims_file(head)


@pytest.mark.parametrize(("data", "name"), [(HOURLY, "x2020_1_4.csv"), (PAGE, "page.html"), (MONTH, "month.html")])
def test_broken_tables_are_borne(survives, data, name):
    survives(read, claims_file, data, name)


@pytest.mark.shared
def test_the_real_hours_of_an_observatory_are_read_whole(shared_data, importing):
    file = file_source(shared_data / "weather-jma-etrn" / "onahama_2020_01_04_hourly.csv")
    assert claims_file(file.head)
    got = importing(read, {file.name: file.load()})
    counts = {b.quantity: len(b) for b in got.batches}
    assert counts == {
        "station_pressure_hpa": 24, "sea_level_pressure_hpa": 24, "precip_mm": 2, "air_temp_c": 24, "dew_point_c": 24,
        "rel_humidity_pct": 24, "wind_m_s": 24, "sunshine_min": 11,
    }  # fmt: skip
    station, sea = got.values("station_pressure_hpa"), got.values("sea_level_pressure_hpa")
    assert [b - a for a, b in zip(station, sea, strict=True)] == pytest.approx([0.6] * 24, abs=0.05)


@pytest.mark.shared
def test_the_real_month_and_the_real_site_without_a_barometer(shared_data, importing):
    folder = shared_data / "weather-jma-etrn"
    month = importing(read, {"onahama_2020_01_daily.csv": (folder / "onahama_2020_01_daily.csv").read_bytes()})
    assert {b.quantity: len(b) for b in month.batches} == {
        "station_pressure_hpa": 31, "sea_level_pressure_hpa": 31, "precip_mm": 17, "air_temp_c": 31,
        "rel_humidity_pct": 31, "wind_m_s": 31, "sunshine_min": 31,
    }  # fmt: skip
    taira = importing(read, {"taira_2020_01_04_hourly.csv": (folder / "taira_2020_01_04_hourly.csv").read_bytes()})
    assert {b.quantity: len(b) for b in taira.batches} == {"precip_mm": 24}
    assert taira.sentence("no barometer")[0] is False
