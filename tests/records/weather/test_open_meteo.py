"""Answers of Open-Meteo, made after its documentation and the texts its own tests expect of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.weather.open_meteo import claims_file, read


def answer(**changes: object) -> bytes:
    whole = {
        "latitude": 35.7, "longitude": 139.6875, "generationtime_ms": 0.1, "utc_offset_seconds": 32400,
        "timezone": "Asia/Tokyo", "timezone_abbreviation": "JST", "elevation": 38.0,
        "hourly_units": {"time": "iso8601", "temperature_2m": "°C", "precipitation": "mm"},
        "hourly": {
            "time": ["2024-05-01T00:00", "2024-05-01T01:00", "2024-05-01T02:00"],
            "temperature_2m": [15.0, 14.5, 14.1], "precipitation": [0.0, 1.2, 0.3],
        },
    }  # fmt: skip
    return json.dumps({**whole, **changes}, ensure_ascii=False).encode()


def hourly(name: str, unit: str, values: list[float | None]) -> bytes:
    times = [f"2024-05-01T{hour:02d}:00" for hour in range(len(values))]
    return answer(hourly_units={name: unit}, hourly={"time": times, name: values})


CSV = """latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation
41.0,2.0,NaN,3600,GMT,GMT

time,temperature_20m (°C),windspeed_100m (km/h)
2022-07-12T02:15,20.0,10.0

time,temperature_2m (°C),windspeed_10m (km/h)
2022-07-12T01:00,20.0,10.0
2022-07-12T02:00,21.5,36.0

time,temperature_2m_mean (°C),windspeed_10m_mean (km/h),precipitation_sum (mm)
2022-07-12,20.0,10.0,4.5
2022-07-13,20.0,10.0,0.0

""".encode()


def test_a_reading_is_at_its_stamp_and_rain_of_the_hour_before_it(importing):
    got = importing(read, answer())
    assert got.rows("air_temp_c")[0] == ("2024-04-30T15:00", None, 15.0)
    assert got.rows("precip_mm")[1] == ("2024-04-30T15:00", "2024-04-30T16:00", 1.2)
    device = got.of("air_temp_c").device
    assert (device.source, device.role, device.site, device.method) == ("open_meteo", "model", "outdoor", "")
    assert got.told == []


def test_the_place_leaves_to_a_tenth_of_a_degree(importing):
    assert importing(read, answer()).of("air_temp_c").device.name == "35.7,139.7"


def test_one_offset_holds_for_the_whole_answer_also_across_a_clock_change(importing):
    """Asked in summer for March: Berlin's wall clock changed on 31 March 2024, the stamps did not."""
    times = ["2024-03-31T00:00", "2024-03-31T02:00", "2024-03-31T03:00", "2024-10-27T03:00"]
    data = answer(
        utc_offset_seconds=7200, timezone="Europe/Berlin",
        hourly={"time": times, "temperature_2m": [1.0, 2.0, 3.0, 4.0]},
    )  # fmt: skip
    assert [row[0] for row in importing(read, data).rows("air_temp_c")] == [
        "2024-03-30T22:00", "2024-03-31T00:00", "2024-03-31T01:00", "2024-10-27T01:00",
    ]  # fmt: skip


def test_unix_times_are_utc_whatever_the_offset(importing):
    data = answer(hourly={"time": [1657584000, 1657587600], "temperature_2m": [20.0, 21.0]})
    assert [row[0] for row in importing(read, data).rows("air_temp_c")] == ["2022-07-12T00:00", "2022-07-12T01:00"]


@pytest.mark.parametrize(
    ("name", "unit", "given_", "quantity", "expected"),
    [
        ("temperature_2m", "°F", 59.0, "air_temp_c", 15.0),
        ("dewpoint_2m", "°C", 3.2, "dew_point_c", 3.2),
        ("relativehumidity_2m", "%", 71, "rel_humidity_pct", 71.0),
        ("wind_speed_10m", "km/h", 36.0, "wind_m_s", 10.0),
        ("wind_speed_10m", "mp/h", 22.369362920544, "wind_m_s", 10.0),
        ("wind_speed_10m", "kn", 19.4384449244, "wind_m_s", 10.0),
        ("windspeed_10m", "m/s", 10.0, "wind_m_s", 10.0),
        ("precipitation", "inch", 0.5, "precip_mm", 12.7),
        ("sunshine_duration", "s", 1800.0, "sunshine_min", 30.0),
        ("shortwave_radiation", "W/m²", 512.0, "solar_w_m2", 512.0),
        ("pressure_msl", "hPa", 1013.2, "sea_level_pressure_hpa", 1013.2),
        ("surface_pressure", "hPa", 1008.6, "station_pressure_hpa", 1008.6),
    ],
)
def test_the_unit_is_the_one_the_file_declares(importing, name, unit, given_, quantity, expected):
    assert importing(read, hourly(name, unit, [given_])).values(quantity) == pytest.approx([expected])


def test_a_unit_nobody_knows_is_not_guessed(importing):
    got = importing(read, hourly("temperature_2m", "K", [288.0, 289.0]))
    assert got.batches == []
    assert got.sentence("the unit is none of")[:2] == (True, 2)


def test_surface_pressure_names_the_height_of_the_model(importing):
    got = importing(read, hourly("surface_pressure", "hPa", [1008.6]))
    assert got.of("station_pressure_hpa").device.method == "model at 38 m"


def test_a_null_is_counted_and_what_is_not_used_is_named(importing):
    data = answer(
        hourly={
            "time": ["2024-05-01T00:00", "2024-05-01T01:00"],
            "temperature_2m": [None, 14.5],
            "weather_code": [1, 2],
        }
    )
    got = importing(read, data)
    assert got.values("air_temp_c") == [14.5]
    assert got.sentence("temperature_2m: the source says that the value is missing")[:2] == (False, 1)
    assert "weather_code" in got.sentence("columns that unaji does not use")[2]


def test_hours_that_have_not_been_are_a_forecast(importing):
    times = ["2025-06-01T09:00", "2025-06-01T10:00", "2025-06-08T10:00"]  # it is 2025-06-01T00:00 UTC
    got = importing(read, answer(hourly={"time": times, "temperature_2m": [15.0, 16.0, 17.0]}))
    assert got.values("air_temp_c") == [15.0]
    assert [told[:2] for told in got.told] == [(True, 1), (True, 1)]
    assert all("a forecast is no record" in told[2] for told in got.told)


def test_a_day_is_read_where_its_hours_are_not_given(importing):
    data = answer(
        daily_units={"precipitation_sum": "mm", "temperature_2m_mean": "°C", "shortwave_radiation_sum": "MJ/m²"},
        daily={
            "time": ["2024-05-01"], "precipitation_sum": [1.5], "temperature_2m_mean": [14.0],
            "shortwave_radiation_sum": [8.64],
        },
    )  # fmt: skip
    got = importing(read, data)
    assert len(got.of("precip_mm")) == len(got.of("air_temp_c")) == 3
    assert got.rows("solar_w_m2") == [("2024-04-30T15:00", "2024-05-01T15:00", pytest.approx(100.0))]


@pytest.mark.parametrize("hours", [[None, None], [999.0, None]])
def test_a_day_is_read_where_its_hours_have_no_value_that_can_be(importing, hours):
    times = ["2024-05-01T00:00", "2024-05-01T01:00"]
    days = {
        "daily_units": {"temperature_2m_mean": "°C"},
        "daily": {"time": ["2024-05-01"], "temperature_2m_mean": [15.0]},
    }
    units = {"temperature_2m": "°C"}
    got = importing(read, answer(hourly_units=units, hourly={"time": times, "temperature_2m": hours}, **days))
    assert got.rows("air_temp_c") == [("2024-04-30T15:00", "2024-05-01T15:00", 15.0)]
    got = importing(read, answer(hourly_units=units, hourly={"time": times, "temperature_2m": [14.0, None]}, **days))
    assert got.rows("air_temp_c") == [("2024-04-30T15:00", None, 14.0)]


def test_of_several_places_the_first_is_read(importing):
    first, second = json.loads(answer()), json.loads(answer(latitude=43.1))
    got = importing(read, json.dumps([first, second]).encode())
    assert got.of("air_temp_c").device.name == "35.7,139.7"
    assert got.sentence("places in one answer")[:2] == (True, 1)


@pytest.mark.parametrize(
    ("hours", "part"),
    [
        ({"time": ["2024-05-01T00:00"], "temperature_2m": [1.0, 2.0]}, "another number of values"),
        ({"time": ["2024-05-01T00:00"], "temperature_2m": ["warm"]}, "no list of numbers"),
        ({"time": {"a": 1}, "temperature_2m": [1.0]}, "the list of times cannot be read"),
        ({"time": ["1. Mai"], "temperature_2m": [1.0]}, "no time that can be read"),
        ({"time": ["1985-05-01T00:00"], "temperature_2m": [1.0]}, "before 1990"),
        ({"time": ["2024-05-01T00:00"], "temperature_2m": [71.0]}, "Fahrenheit"),
    ],
)
def test_what_cannot_be_is_left_out_with_its_reason(importing, hours, part):
    got = importing(read, answer(hourly=hours))
    assert got.batches == []
    assert got.sentence(part)[0]


def test_the_form_of_several_tables_reads_the_hours_and_only_the_days_that_add_something(importing):
    assert claims_file(CSV)
    got = importing(read, CSV)
    assert got.rows("air_temp_c") == [("2022-07-12T00:00", None, 20.0), ("2022-07-12T01:00", None, 21.5)]
    assert got.values("wind_m_s") == pytest.approx([10 / 3.6, 10.0])
    assert got.rows("precip_mm")[0] == ("2022-07-11T23:00", "2022-07-12T23:00", 4.5)
    assert "line 4" in got.sentence("a single reading")[2]


def test_the_form_of_several_tables_takes_windows_line_ends_unix_times_and_the_first_place(importing):
    data = (
        "location_id,latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
        "0,41.0,2.0,12.0,3600,GMT,GMT\n1,43.0,2.0,NaN,3600,GMT,GMT\n\n"
        "location_id,time,surface_pressure (hPa)\n0,1657584000,1001.5\n0,1657587600,1001.0\n1,1657584000,950.0\n"
    )
    got = importing(read, data.replace("\n", "\r\n").encode())
    assert claims_file(data.encode())
    assert got.rows("station_pressure_hpa") == [("2022-07-12T00:00", None, 1001.5), ("2022-07-12T01:00", None, 1001.0)]
    assert got.of("station_pressure_hpa").device.method == "model at 12 m"


@given(st.lists(st.one_of(st.none(), st.floats(-50, 44).map(lambda x: round(x, 1))), min_size=1, max_size=24))
def test_json_and_csv_of_the_same_hours_give_the_same_rows(values):
    from tests.records.weather.conftest import CLOCK, Outcome, source
    from unaji.records.problems import ProblemLog

    rows = "".join(f"2024-05-01T{h:02d}:00,{'' if v is None else v}\n" for h, v in enumerate([*values, 12.0]))
    csv = (
        "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
        f"35.7,139.6875,38.0,32400,Asia/Tokyo,JST\n\ntime,temperature_2m (°C)\n{rows}"
    )
    both = []
    for data in (hourly("temperature_2m", "°C", [*values, 12.0]), csv.encode()):
        log = ProblemLog()
        both.append(Outcome(list(read([source(data)], CLOCK, log)), log).rows("air_temp_c"))
    assert both[0] == both[1]
    assert [value for _, _, value in both[0]] == [v for v in [*values, 12.0] if v is not None]


def test_only_its_answers_are_claimed():
    assert claims_file(answer())
    assert claims_file(b"\xef\xbb\xbf" + CSV)
    for head in (
        b"",
        b"{}",
        b"[]",
        b'{"hourly": {}}',
        b'{"latitude": 1, "activities-heart": []}',
        b"latitude,longitude\n",
    ):
        assert not claims_file(head)


@pytest.mark.parametrize("data", [answer(), CSV], ids=["json", "csv"])
def test_broken_answers_are_borne(survives, data):
    survives(read, claims_file, data, "open-meteo.json")
