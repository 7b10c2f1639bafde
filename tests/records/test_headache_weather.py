"""The headache diary with weather: onsets known to the day, moves marked as travel."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime

import pytest

from unaji.records.folder import read_folder

HEADER = (
    "Year,Month,Day,Hour,Minute,Location,Location_ID,Country,Latitude (°),Longitude (°),Min_temp (°C),Max_temp (°C),"
    "Mean_temp (°C),Feel_temp (°C),Pressure (hPa),Humidity (%),Visibility (m),Wind_speed (m/s),Wind_deg (°),"
    "Wind_gust (m/s),Clouds (%),Headache,Severity,Medication,Relief\n"
)


PLACE_IDS = {"A": 1850147, "B": 1853909, "B2": 1853910}


def row(day: int, place: str, latitude: float, headache: int, severity: str) -> str:
    return (
        f"2024,5,{day},21,7,{place},{PLACE_IDS[place]},JP,{latitude},139.7,9,15,12.5,11,1008,71,10000,3.1,180,,20,"
        f"{headache},{severity},1,4\n"
    )


DIARY = HEADER + row(1, "A", 35.7, 0, "0") + row(2, "A", 35.7, 1, "4") + row(3, "B", 34.7, 2, "")


def test_a_headache_is_known_to_the_day_and_not_to_the_hour_of_entry(read):
    timeline = read({"daily.csv": DIARY})
    first, second = timeline.episodes
    assert (first.start, first.whole_day, first.intensity) == (datetime(2024, 5, 1, 15, tzinfo=UTC), True, 8.0)
    assert (second.intensity, second.note) == (None, "2 headaches")
    assert [e.start for e in timeline.exposures_of("check_in")] == [datetime(2024, 5, 1, 12, 7, tzinfo=UTC)]


def test_a_new_place_is_travel_and_a_new_number_of_the_same_place_is_not(read):
    timeline = read({"daily.csv": DIARY + row(4, "B2", 34.71, 0, "0")})
    assert [e.start.day for e in timeline.exposures_of("travel")] == [3]


def test_the_weather_is_kept_at_the_time_of_the_reading(read):
    pressure = read({"daily.csv": DIARY}).of("sea_level_pressure_hpa")
    assert pressure.value.tolist() == [1008.0] * 3
    assert str(pressure.time[0]) == "2024-05-01T12:07:00.000"


@pytest.mark.shared
def test_the_real_diary_gives_its_counts(shared_data):
    folder = shared_data / "headache-weather-diary"
    timeline = read_folder(folder, timezone="America/New_York")
    with (folder / "daily_weather_data.csv").open() as file:
        rows = list(csv.DictReader(file))
    # The README counts 91 headaches: 89 days with one and one day with two.
    assert sum(int(r["Headache"]) for r in rows) == 91
    assert Counter(e.note for e in timeline.episodes) == {"": 89, "2 headaches": 1}
    assert len(timeline.exposures_of("check_in")) == 374 - 90
    assert len(timeline.of("sea_level_pressure_hpa")) == 374
    assert timeline.of("air_temp_c").value.mean() == pytest.approx(
        sum(float(r["Mean_temp (°C)"]) for r in rows) / len(rows)
    )
    assert not [p for p in timeline.problems if p.rejected]
