"""One day from top to bottom: what was measured is drawn, what was not stays empty."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.records.timeline import Person, Series, Timeline, utc_ms
from unaji.report.day import DayStrip, Hot, day_strip, draw_day

START = datetime(2026, 4, 26, 15, tzinfo=UTC)  # midnight in Tokyo
END = START + timedelta(days=1)


def series(quantity: str, every_min: int, values) -> Series:
    values = np.asarray(values, dtype=float)
    first = utc_ms(START - timedelta(hours=3))
    return Series(quantity, first + np.arange(len(values)) * np.timedelta64(every_min, "m"), values)


def test_a_steady_fall_of_one_hpa_an_hour_is_three_in_three_hours():
    timeline = Timeline(Person("x"), series=(series("station_pressure_hpa", 60, 1010 - np.arange(28)),))

    strip = day_strip(timeline, START, END)

    assert len(strip.fall_hpa) == 144
    assert strip.fall_hpa[0] == pytest.approx(3.0)
    assert strip.fall_hpa[100] == pytest.approx(3.0)


def test_a_rise_counts_as_no_fall():
    timeline = Timeline(Person("x"), series=(series("station_pressure_hpa", 60, 1000 + np.arange(28)),))

    assert set(day_strip(timeline, START, END).fall_hpa) <= {0.0, None}


def test_a_gap_of_two_hours_in_the_pressure_is_not_bridged():
    whole = series("station_pressure_hpa", 60, 1010 - np.arange(28))
    keep = np.ones(28, dtype=bool)
    keep[10] = False
    timeline = Timeline(Person("x"), series=(Series(whole.quantity, whole.time[keep], whole.value[keep]),))

    strip = day_strip(timeline, START, END)

    assert strip.fall_hpa[7 * 6 + 3] is None


def test_the_heart_rate_is_the_mean_of_ten_minutes_and_none_where_nothing_was_measured():
    heart = series("hr_bpm", 5, [60, 70] * 30)  # five hours from three hours before midnight

    strip = day_strip(Timeline(Person("x"), series=(heart,)), START, END)

    assert strip.hr_bpm[:12] == (65.0,) * 12
    assert strip.hr_bpm[12:] == (None,) * 132


def test_a_day_of_25_hours_has_150_bins():
    strip = day_strip(Timeline(Person("x")), START, END + timedelta(hours=1))

    assert len(strip.hr_bpm) == 150


def test_a_strip_survives_being_kept_as_json():
    strip = day_strip(Timeline(Person("x"), series=(series("hr_bpm", 5, [60] * 90),)), START, END)

    again = DayStrip(**json.loads(json.dumps(strip.as_json())))

    assert draw_day(again, [], [], "ja").svg == draw_day(strip, [], [], "ja").svg


def test_each_episode_is_a_dot_with_its_strength_and_the_future_is_blank(language):
    drawn = draw_day(None, [Hot(120, 7), Hot(300, None)], [(60, 90)], language, now_min=600)

    assert drawn.svg.count('class="heat"') == 2
    assert ">7</text>" in drawn.svg
    assert 'class="blank"' in drawn.svg
    assert "style=" not in drawn.svg


def test_a_gap_in_the_heart_rate_ends_the_line():
    values = [60] * 60 + [np.nan] * 24 + [70] * 60
    whole = np.array(values)
    time = utc_ms(START) + np.arange(len(values)) * np.timedelta64(5, "m")
    known = np.isfinite(whole)
    heart = Series("hr_bpm", time[known], whole[known])

    drawn = draw_day(day_strip(Timeline(Person("x"), series=(heart,)), START, END), [], [], "ja")

    assert drawn.svg.count('class="measured"') == 2


def outdoors(quantity: str, values) -> Series:
    one = series(quantity, 60, values)
    return Series(one.quantity, one.time, one.value, site="outdoor", source="open_meteo")


@pytest.fixture
def weathered() -> DayStrip:
    """A day on which it warmed from -3 by a degree every two hours while the pressure fell by 1 hPa an hour."""
    air, hpa = outdoors("air_temp_c", -3 + np.arange(28) / 2), outdoors("station_pressure_hpa", 1010 - np.arange(28))
    indoors = Series("air_temp_c", air.time, np.full(28, 24.0), site="near_body", source="ibutton")
    return day_strip(Timeline(Person("x"), series=(indoors, air, hpa)), START, END)


def test_the_temperature_is_that_outdoors_and_follows_the_hours_in_between(weathered):
    assert weathered.air_temp_c[0] == -1.5
    assert weathered.air_temp_c[3] == -1.2
    assert weathered.pressure_hpa[:7] == (1007.0, 1006.8, 1006.7, 1006.5, 1006.3, 1006.2, 1006.0)
    assert len(weathered.air_temp_c) == 144
    assert weathered.air_temp_c[-1] == 10.4, "the way to the first hour of the next day"


def test_temperature_and_pressure_are_drawn_and_said_with_their_units(weathered):
    drawn = draw_day(weathered, [], [], "ja")

    assert drawn.svg.count('class="measured"') == 2
    for said in ("℃", "低下 hPa", "−2〜11", "983〜1007"):
        assert f">{said}</text>" in drawn.svg
    assert drawn.caption.startswith("外の気温は−1.5〜10.4℃でした。気圧は983〜1007 hPaでした。")
    assert "It was −1.5 to 10.4 °C outdoors. The pressure was 983 to 1007 hPa." in draw_day(weathered, [], [], "en").svg


def test_a_quiet_day_looks_quiet():
    timeline = Timeline(Person("x"), series=(outdoors("station_pressure_hpa", 1008 + np.arange(28) % 2),))

    drawn = draw_day(day_strip(timeline, START, END), [], [], "ja")

    assert ">1004〜1014</text>" in drawn.svg


def test_a_strip_that_was_kept_before_the_weather_was_told_is_drawn_still(weathered):
    kept = weathered.as_json()
    del kept["air_temp_c"], kept["pressure_hpa"]

    drawn = draw_day(DayStrip(**json.loads(json.dumps(kept))), [], [], "ja")

    assert 'class="measured"' not in drawn.svg
    assert "f-weather" in drawn.svg
