"""Each doubt is raised by what deserves it, and by nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.suspicions import Doubt, Measured, other_unit, suspicions
from unaji.records.timeline import Zones

START = np.datetime64("2024-05-01", "ms")
MINUTE, DAY = np.timedelta64(1, "m"), np.timedelta64(1, "D")
TOKYO = Zones(("Asia/Tokyo",))
RNG = np.random.default_rng(1)


def measured(quantity, time, value, source="a", zones=TOKYO):
    return Measured(quantity, source, "", "", np.asarray(time, dtype="datetime64[ms]"), np.asarray(value, float), zones)


def doubts(*rows):
    return [(one.doubt, one.sources) for one in suspicions(rows)]


def days(n, start=START):
    return start + np.arange(n) * DAY


def heart(n_days, quietest_h, step_min=10):
    """Heart rate over whole local days in Tokyo, lowest around an hour."""
    minutes = np.arange(n_days * 24 * 60 // step_min) * step_min
    time = START - np.timedelta64(9, "h") + minutes * MINUTE
    level = 70 - 12 * np.cos(2 * np.pi * (minutes / 60 - quietest_h) / 24)
    return measured("hr_bpm", time, level + RNG.normal(0, 1, minutes.size))


@pytest.mark.parametrize(
    ("unit", "ours", "theirs", "name"),
    [  # conversions as published: BIPM brochure and NIST SP 811
        ("°C", 36.8, 98.24, "F"), ("kg", 60.0, 132.277, "lb"), ("hPa", 1013.25, 760.0, "mmHg"),
        ("ms", 800.0, 0.8, "s"), ("cm", 172.0, 67.72, "in"), ("%", 55.0, 0.55, "fraction"), ("m/s", 5.0, 18.0, None),
        ("kg", 60.0, 61.0, None), ("°C", 22.0, 25.0, None), ("1/min", 60.0, 120.0, None), ("kg", 60.0, 90.0, None),
    ],
)  # fmt: skip
def test_a_value_in_another_unit_is_recognised(unit, ours, theirs, name):
    assert other_unit(unit, ours, theirs) == name


@given(st.floats(1, 100), st.floats(0.96, 1.04))
def test_close_values_are_never_taken_for_another_unit(value, ratio):
    assert other_unit("kg", value, value * ratio) is None


def test_two_scales_in_two_units_are_told_and_two_that_agree_are_not():
    kilos = measured("weight_kg", days(5), 61 + RNG.normal(0, 0.2, 5), "a")
    pounds = measured("weight_kg", days(5), 134.5 + RNG.normal(0, 0.5, 5), "b")
    also_kilos = measured("weight_kg", days(5), 61.5 + RNG.normal(0, 0.2, 5), "c")
    assert doubts(kilos, pounds) == [(Doubt.UNIT_BETWEEN, ("b", "a"))]
    assert doubts(pounds, kilos) == [(Doubt.UNIT_BETWEEN, ("b", "a"))]
    assert doubts(kilos, also_kilos) == []


def test_a_unit_that_changes_is_told_with_its_month():
    kilos = 61 + RNG.normal(0, 0.2, 80)
    changed = np.where(np.arange(80) < 31, kilos, kilos / 0.45359237)
    found = list(suspicions([measured("weight_kg", days(80), changed)]))
    assert [(one.doubt, one.values["month"], one.values["unit"]) for one in found] == [
        (Doubt.UNIT_CHANGED, "2024-06", "lb")
    ]
    assert doubts(measured("weight_kg", days(80), kilos)) == []


def test_beats_that_do_not_fit_the_heart_rate_are_told():
    minutes = START + np.arange(600) * MINUTE
    rate = measured("hr_bpm", minutes, 60 + RNG.normal(0, 1, 600), "watch")
    seconds = START + np.arange(36_000) * np.timedelta64(1, "s")
    halved = measured("rri_ms", seconds[::2][:18_000], np.full(18_000, 500.0), "strap")
    right = measured("rri_ms", seconds, np.full(36_000, 1000.0), "strap")
    assert (Doubt.BEATS_AND_RATE, ("strap", "watch")) in doubts(rate, halved)
    assert doubts(rate, right) == []


def test_a_station_above_the_sea_has_less_pressure_than_the_sea():
    station = measured("station_pressure_hpa", days(5), [1005, 1010, 1015, 1008, 1012], "a")
    sea = measured("sea_level_pressure_hpa", days(5), np.array([1005, 1010, 1015, 1008, 1012]) + 6.5, "b")
    assert doubts(station, sea) == []
    mixed_up = measured("sea_level_pressure_hpa", days(5), np.array([1005, 1010, 1015, 1008, 1012]) - 6.5, "b")
    assert doubts(station, mixed_up) == [(Doubt.PRESSURES, ("a", "b"))]


@pytest.mark.parametrize(("quietest_h", "told"), [(3, False), (14, True), (23, False)])
def test_a_heart_that_sleeps_by_day_raises_a_question(quietest_h, told):
    found = [one for one in suspicions([heart(8, quietest_h)]) if one.doubt is Doubt.NIGHT_BY_DAY]
    assert bool(found) == told
    if told:
        assert found[0].values["hour"] == pytest.approx(quietest_h, abs=1)


def test_a_few_days_and_a_flat_heart_raise_none():
    assert doubts(heart(4, 14)) == []
    flat = heart(8, 14)
    assert doubts(measured("hr_bpm", flat.time, 70 + RNG.normal(0, 1, flat.time.size))) == []


def test_one_recording_by_two_roads_is_told_once():
    minutes = START + np.arange(300) * MINUTE
    rates = np.round(70 + 5 * np.sin(np.arange(300) / 9) + RNG.normal(0, 3, 300))
    strap = measured("hr_bpm", minutes, rates, "fit")
    same = measured("hr_bpm", minutes[:200] + np.timedelta64(900, "ms"), rates[:200], "connect")
    own = measured("hr_bpm", minutes[:200] + np.timedelta64(900, "ms"), rates[:200] + 7, "watch")
    assert doubts(strap, same) == [(Doubt.SAME_TWICE, ("connect", "fit"))]
    assert doubts(strap, own) == []


def test_dry_hours_and_whole_numbers_are_no_copies():
    hours = START + np.arange(500) * np.timedelta64(60, "m")
    rains = [np.where(RNG.random(500) < 0.07, np.round(RNG.exponential(2, 500), 1), 0) for _ in range(2)]
    assert doubts(*(measured("precip_mm", hours, rain, name) for rain, name in zip(rains, "ab", strict=True))) == []
    minutes = START + np.arange(500) * MINUTE
    oxygen = [RNG.choice([96, 97], 500, p=[0.3, 0.7]) for _ in range(2)]
    assert doubts(*(measured("spo2_pct", minutes, one, name) for one, name in zip(oxygen, "ab", strict=True))) == []


def test_a_winter_and_the_next_summer_are_no_change_of_unit():
    winter, summer = days(31), days(31, np.datetime64("2024-12-01", "ms"))
    time = np.concatenate([winter, summer])
    assert doubts(measured("air_temp_c", time, np.r_[np.full(31, -3.0), np.full(31, 26.4)])) == []


def test_two_clocks_that_differ_are_told():
    slow = np.cumsum(np.random.default_rng(4).normal(0, 1, 1500))
    rates = 70 + 10 * np.sin(np.arange(1500) / 40) + slow - np.linspace(0, slow[-1], 1500)
    minutes = START + np.arange(1500) * MINUTE
    right = measured("hr_bpm", minutes, rates, "watch")
    late = measured("hr_bpm", minutes + np.timedelta64(60, "m"), rates + RNG.normal(0, 0.5, 1500), "strap")
    (found,) = [one for one in suspicions([right, late]) if one.doubt is Doubt.CLOCK]
    assert (found.sources, found.values) == (("strap", "watch"), {"minutes": 60, "late": 1.0})


def test_intervals_longer_than_the_time_that_passed_are_told():
    rri_ms = np.full(1000, 800.0)
    good = START + np.cumsum(rri_ms).astype("timedelta64[ms]")
    assert doubts(measured("rri_ms", good, rri_ms)) == []
    mixed = np.sort(np.concatenate([good, good + np.timedelta64(300, "ms")]))
    assert doubts(measured("rri_ms", mixed, np.full(2000, 1500.0))) == [(Doubt.BEATS_OVERLAP, ("a",))]
