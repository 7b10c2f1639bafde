"""Downloads of the Japan Meteorological Agency: made ones, and six real years of Tokyo."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.records.barometer import height_steps, segment_name
from unaji.records.exporting import export_folder
from unaji.records.folder import read_folder
from unaji.records.importing import import_files
from unaji.records.jma import parse
from unaji.records.problems import ProblemLog
from unaji.records.timeline import utc_ms

MARKED = ("", "品質情報", "均質番号")


def download(first_cell: str, elements: list[str], rows: list[str], stations: list[str] | None = None) -> bytes:
    names = [element for element in elements for _ in MARKED]
    places = [station for station in stations or ["東京"] * len(elements) for _ in MARKED]
    lines = [
        "ダウンロードした時刻：2024/06/01 10:00:00", "", "," + ",".join(places), f"{first_cell}," + ",".join(names),
        "," + ",".join(MARKED * len(elements)), *rows,
    ]  # fmt: skip
    return "\r\n".join([*lines, ""]).encode("cp932")


def test_a_day_is_from_midnight_to_midnight_in_japan_wherever_the_person_lives(read):
    data = download(
        "年月日", ["平均気温(℃)", "日照時間(時間)"], ["2024/5/1,15.2,8,1,2.5,8,1", "2024/5/2,16.0,5,1,0,8,1"]
    )
    timeline = read({"data.csv": data, "person.toml": 'timezone = "Europe/Paris"'})
    air = timeline.of("air_temp_c", "outdoor")
    assert air.value.tolist() == [15.2, 16.0]
    assert [str(t) for t in air.time] == ["2024-04-30T15:00:00.000", "2024-05-01T15:00:00.000"]
    assert (air.end - air.time).astype(int).tolist() == [86_400_000] * 2
    assert timeline.of("sunshine_min").value.tolist() == [150.0, 0.0]
    assert timeline.problems == ()


def test_doubtful_and_missing_values_are_left_out_and_counted_and_incomplete_means_are_kept(read):
    rows = ["2024/5/1,1009.1,8,1", "2024/5/2,1010,4,1", "2024/5/3,,1,1", "2024/5/4,1011,2,1", "2024/5/5,,1,1"]
    timeline = read({"data.csv": download("年月日", ["平均現地気圧(hPa)"], rows)})
    assert timeline.of("station_pressure_hpa").value.tolist() == [1009.1, 1010.0]
    assert [str(p) for p in timeline.problems] == [
        "data.csv: found '2': 平均現地気圧(hPa): values of quality 1 (missing) were left out",
        "data.csv: found '1': 平均現地気圧(hPa): values of quality 2 (doubtful) were left out",
    ]


def test_a_new_homogeneity_number_of_any_element_parts_the_pressure(read):
    rows = ["2024/5/1,1009.1,8,1,15,8,1", "2024/5/2,1010.6,8,1,15,8,2", "2024/5/3,1010.7,8,1,15,8,2"]
    timeline = read({"data.csv": download("年月日", ["平均現地気圧(hPa)", "平均気温(℃)"], rows)})
    assert [(s.source, s.value.tolist()) for s in timeline.series if s.quantity == "station_pressure_hpa"] == [
        ("jma", [1009.1]), ("jma:2024-05-02", [1010.6, 1010.7])
    ]  # fmt: skip
    assert timeline.of("air_temp_c").source == "jma"


def parts_of(timeline, quantity="station_pressure_hpa"):
    return {s.source: s.value.tolist() for s in timeline.series if s.quantity == quantity}


@pytest.mark.parametrize("order", ["whole first", "later first"])
def test_downloads_that_overlap_are_parted_alike_in_whatever_order_they_come(tmp_path, order):
    """The later one begins behind the move and counts its homogeneity numbers from 1 anew."""
    rows = [f"2024/5/{d},{1009 + d / 10},8,1,15,8,{1 if d < 6 else 2}" for d in range(1, 11)]
    again = [row[:-1] + "1" for row in rows[6:]] + [f"2024/5/11,{1010.1},8,1,15,8,1"]
    elements, person = ["平均現地気圧(hPa)", "平均気温(℃)"], tmp_path / "person"
    files = [tmp_path / "data.csv", tmp_path / "data (1).csv"]
    for file, part in zip(files, (rows, again), strict=True):
        file.write_bytes(download("年月日", elements, part))
    for file in files if order == "whole first" else files[::-1]:
        import_files([file], person, timezone="Asia/Tokyo")
    expected = {"jma": [1009.1, 1009.2, 1009.3, 1009.4, 1009.5],
                "jma:2024-05-06": [1009.6, 1009.7, 1009.8, 1009.9, 1010.0, 1010.1]}  # fmt: skip
    timeline = read_folder(person)
    assert parts_of(timeline) == expected
    assert len(timeline.of("air_temp_c")) == 11
    assert timeline.exposures == ()
    export_folder(person, tmp_path / "exported")
    assert parts_of(read_folder(tmp_path / "exported")) == expected


def test_hourly_values_are_at_their_stamp_or_of_the_time_before_it(read):
    elements = ["現地気圧(hPa)", "降水量(mm)", "日照時間(時間)", "風速(m/s)"]
    rows = ["2024/5/1 1:00:00,1009.1,8,1,2.5,8,1,0.5,8,1,3,8,1", "2024/5/2 0:00:00,1010,8,1,0,8,1,0,8,1,4,8,1"]
    timeline = read({"data.csv": download("年月日時", elements, rows)})
    pressure, rain = timeline.of("station_pressure_hpa"), timeline.of("precip_mm")
    assert pressure.end is None
    assert str(pressure.time[0]) == "2024-04-30T16:00:00.000"
    assert (str(rain.time[0]), str(rain.end[0])) == ("2024-04-30T15:00:00.000", "2024-04-30T16:00:00.000")
    assert timeline.of("sunshine_min").value.tolist() == [30.0, 0.0]
    wind = timeline.of("wind_m_s")
    assert (wind.end - wind.time).astype(int).tolist() == [600_000] * 2


def test_of_several_stations_the_first_is_read_and_the_choice_told(read):
    data = download("年月日", ["平均気温(℃)"] * 2, ["2024/5/1,15.2,8,1,3.1,8,1"], ["東京", "札幌"])
    timeline = read({"data.csv": data})
    assert timeline.of("air_temp_c").value.tolist() == [15.2]
    assert str(timeline.problems[0]).startswith("data.csv: found '東京, 札幌': several stations; 東京 was read")


def pressures(height_m, air_c, station_hpa):
    """Rows of a barometer at a height, by the barometric formula."""
    time = utc_ms(datetime(2024, 1, 1, tzinfo=UTC)) + np.arange(len(height_m)) * np.timedelta64(1, "D")
    sea = station_hpa * np.exp(9.80665 * height_m / (287.05 * (273.15 + air_c)))
    return {
        "station_pressure_hpa": (time, np.round(station_hpa, 1)),
        "sea_level_pressure_hpa": (time, np.round(sea, 1)),
        "air_temp_c": (time, np.round(air_c, 1)),
    }


@pytest.mark.parametrize("height_m", [5.0, 36.5, 418.0, 1350.0])
def test_weather_alone_is_no_step_and_a_moved_barometer_is(height_m):
    rng = np.random.default_rng(3)
    air_c = 12 - 14 * np.cos(np.arange(365) / 58) + rng.normal(0, 3, 365)
    station_hpa = 1010 - height_m / 8.3 + np.cumsum(rng.normal(0, 3, 365)) * 0.3
    steady = np.full(365, height_m)
    assert height_steps(pressures(steady, air_c, station_hpa)).size == 0
    moved = np.where(np.arange(365) < 200, height_m, height_m * 1.1 + 12)
    (step,) = height_steps(pressures(moved, air_c, station_hpa))
    assert step == utc_ms(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=200))


def test_a_front_and_a_missing_temperature_are_no_move():
    """Hours at 1650 m: a service that reduces with the mean temperature of 12 hours, and a day without any at 700 m."""
    hours = utc_ms(datetime(2024, 1, 1, tzinfo=UTC)) + np.arange(240) * np.timedelta64(1, "h")
    air_c = np.where(np.arange(240) < 120, 6.0, -10.0)
    mean_c = np.convolve(np.concatenate([np.full(11, 6.0), air_c]), np.full(12, 1 / 12), "valid")

    def rows(height_m, reduced_at_c, measured):
        station = 1013 * np.exp(-height_m / 8300) + 3 * np.sin(np.arange(240) / 20)
        sea = station * np.exp(9.80665 * height_m / (287.05 * (273.15 + reduced_at_c)))
        return {
            "station_pressure_hpa": (hours, np.round(station, 1)),
            "sea_level_pressure_hpa": (hours, np.round(sea, 1)),
            "air_temp_c": (hours[measured], air_c[measured]),
        }

    everywhere = np.ones(240, dtype=bool)
    assert height_steps(rows(1650.0, mean_c, everywhere)).size == 0
    day_off = (np.arange(240) < 30) | (np.arange(240) >= 54)
    assert height_steps(rows(700.0, air_c, day_off)).size == 0


@pytest.mark.parametrize(
    ("began", "name"),
    [
        ("2014-12-01T15:00", "jma:2014-12-02"),
        ("2014-12-02T00:00", "jma:2014-12-02T09"),
        ("2014-12-02T00:05", "jma:2014-12-02T09:05"),
        ("2014-12-02T00:05:07.500", "jma:2014-12-02T09:05:07.500"),
    ],
)
def test_two_parts_never_bear_one_name(began, name):
    assert segment_name("jma", np.datetime64(began, "ms"), 540) == name


@pytest.mark.shared
def test_six_real_years_give_the_expected_numbers(shared_data):
    folder = shared_data / "weather-jma-tokyo-daily"
    timeline = read_folder(folder, timezone="Asia/Tokyo")
    names = {
        "station_pressure_hPa": "station_pressure_hpa",
        "sea_level_pressure_hPa": "sea_level_pressure_hpa",
        "mean_temp_C": "air_temp_c",
    }
    for year in json.loads((folder / "expected.json").read_text()):
        first = datetime.strptime(year["first"] + " +0900", "%Y/%m/%d %z")
        last = datetime.strptime(year["last"] + " +0900", "%Y/%m/%d %z")
        for column, quantity in names.items():
            parts = [s for s in timeline.series if s.quantity == quantity]
            values = np.concatenate([s.value[(s.time >= utc_ms(first)) & (s.time <= utc_ms(last))] for s in parts])
            n, mean, lowest, highest = year[column]
            assert (values.size, values.min(), values.max()) == (n, lowest, highest)
            assert values.mean() == pytest.approx(mean, abs=5e-5)


@pytest.mark.shared
def test_the_real_files_quality_marks_count_as_told(shared_data):
    counts: Counter[str] = Counter()
    for file in sorted((shared_data / "weather-jma-tokyo-daily").glob("*.csv")):
        counts += parse(file.read_bytes(), file.name, ProblemLog()).quality_counts()
    assert counts == {"8": 67_723, "5": 156, "4": 36, "1": 6, "": 2_191}


@pytest.mark.shared
@pytest.mark.parametrize("way", ["one folder", "one by one"])
def test_the_move_of_tokyos_station_parts_its_pressure(shared_data, tmp_path, way):
    folder = shared_data / "weather-jma-tokyo-daily"
    if way == "one by one":
        for file in sorted(folder.glob("*.csv"), reverse=True):
            import_files([file], tmp_path, timezone="Asia/Tokyo")
    timeline = read_folder(folder if way == "one folder" else tmp_path, timezone="Asia/Tokyo")
    parts = {s.source: s for s in timeline.series if s.quantity == "station_pressure_hpa"}
    sea = {s.source: s for s in timeline.series if s.quantity == "sea_level_pressure_hpa"}
    # The day of the move holds readings of both places and stands alone.
    assert {source: len(s) for source, s in parts.items()} == {"jma": 408, "jma:2014-12-02": 1, "jma:2014-12-03": 1782}
    assert str(parts["jma:2014-12-02"].end[0]) == "2014-12-02T15:00:00.000"
    difference = {source: (sea[source].value - s.value).mean() for source, s in parts.items()}
    assert difference["jma"] == pytest.approx(4.33, abs=0.005)
    assert difference["jma:2014-12-03"] == pytest.approx(2.87, abs=0.005)
