"""Means on the grid: half-open steps, time-weighted, gaps left open, whatever the sampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx  # noqa: PT013

from unaji.records.timeline import Series, TimeArray
from unaji.signals.grid import LONGEST_INTERVAL_S, MIN_COVERAGE, mean_on_grid, step_of, step_starts

NOON = np.datetime64("2024-03-01T12:00", "ms")
STEP_S = 300.0


def after_noon(*seconds: float) -> TimeArray:
    return NOON + np.round(1000 * np.array(seconds, dtype=float)).astype("timedelta64[ms]")


def grid(n: int = 4) -> TimeArray:
    return step_starts(NOON, NOON + np.timedelta64(round((n - 1) * STEP_S), "s"), STEP_S)


def test_steps_start_on_the_clock_and_hold_both_ends():
    steps = step_starts(*after_noon(-1, 300), STEP_S)
    np.testing.assert_array_equal(steps, after_noon(-300, 0, 300))


def test_a_step_of_no_or_broken_length_is_refused():
    for step_s in (0.0, -300.0, 0.0001):
        with pytest.raises(ValueError, match="step_s"):
            step_starts(NOON, NOON, step_s)


def test_steps_are_half_open():
    np.testing.assert_array_equal(step_of(after_noon(-0.001, 0, 299.999, 300, 1200), grid(), STEP_S), [-1, 0, 0, 1, -1])


def test_a_value_a_second_fills_its_steps():
    time = after_noon(*np.arange(0, 600))
    found = mean_on_grid(Series("hr_bpm", time, 60 + np.arange(600) / 100), grid(), STEP_S)
    np.testing.assert_allclose(found.value, [60 + 1.495, 60 + 4.495, np.nan, np.nan])
    np.testing.assert_allclose(found.coverage, [1, 1, 0, 0])


def test_dense_instants_do_not_outweigh_sparse_ones():
    """Two minutes of rest at one value a minute, then two at one a second: the mean over the time is 80, not 99."""
    time = after_noon(0, 60, *np.arange(120, 240))
    value = np.array([60.0, 60.0] + [100.0] * 120)
    found = mean_on_grid(Series("hr_bpm", time, value), grid(1), STEP_S)
    assert found.value[0] == approx(80.0, abs=0.2)
    assert found.coverage[0] == approx(240 / 300, abs=0.01)


def test_the_last_value_before_a_gap_does_not_speak_for_the_gap():
    time = after_noon(*np.arange(0, 60), 900)
    found = mean_on_grid(Series("hr_bpm", time, np.full(61, 70.0)), grid(), STEP_S)
    assert found.coverage[0] == approx(60 / 300)
    assert found.coverage[1] == found.coverage[2] == 0
    assert np.isnan(found.value[1])


def test_a_value_every_ten_minutes_is_given_in_its_own_steps_only():
    found = mean_on_grid(Series("neck_skin_temp_c", after_noon(10, 610), np.array([34.0, 35.0])), grid(), STEP_S)
    np.testing.assert_allclose(found.value, [34.0, np.nan, 35.0, np.nan])


def test_an_interval_counts_with_its_overlap():
    series = Series("hr_bpm", after_noon(200, 400), np.array([60.0, 90.0]), after_noon(400, 500))
    found = mean_on_grid(series, grid(), STEP_S)
    np.testing.assert_allclose(found.value, [60.0, 75.0, np.nan, np.nan])
    np.testing.assert_allclose(found.coverage, [1 / 3, 2 / 3, 0, 0])


def test_totals_become_a_rate_a_minute():
    ten_minutes = Series("steps", after_noon(0), np.array([1000.0]), after_noon(600))
    found = mean_on_grid(ten_minutes, grid(), STEP_S)
    np.testing.assert_allclose(found.value, [100.0, 100.0, np.nan, np.nan])
    every_minute = Series("steps", after_noon(*range(0, 300, 60)), np.array([10.0, 20, 30, 40, 50]))
    assert mean_on_grid(every_minute, grid(), STEP_S).value[0] == approx(30.0)


def test_the_total_of_a_day_says_nothing_of_a_step():
    day = Series("steps", after_noon(0), np.array([8000.0]), after_noon(LONGEST_INTERVAL_S + 1))
    assert np.isnan(mean_on_grid(day, grid(), STEP_S).value).all()


def test_overlapping_intervals_are_measured_once():
    series = Series("hr_bpm", after_noon(0, 0), np.array([60.0, 80.0]), after_noon(150, 150))
    found = mean_on_grid(series, grid(1), STEP_S)
    assert found.value[0] == approx(70.0)
    assert found.coverage[0] == approx(0.5)


def test_values_no_body_has_are_left_out():
    series = Series("hr_bpm", after_noon(*range(0, 300, 60)), np.array([60.0, 0.0, 60.0, 999.0, 60.0]))
    found = mean_on_grid(series, grid(1), STEP_S)
    assert found.value[0] == approx(60.0)
    assert found.coverage[0] == approx(0.6)


def test_too_little_of_a_step_gives_nothing():
    time = after_noon(*np.arange(0, MIN_COVERAGE * STEP_S - 1))
    found = mean_on_grid(Series("hr_bpm", time, np.full(time.size, 70.0)), grid(1), STEP_S)
    assert np.isnan(found.value[0])
    assert found.coverage[0] > 0


@given(st.lists(st.tuples(st.integers(-500, 1500), st.integers(0, 700), st.floats(30, 200)), max_size=12))
def test_intervals_agree_with_counting_seconds(rows: list[tuple[int, int, float]]):
    rows.sort()
    begin = after_noon(*(row[0] for row in rows))
    end = after_noon(*(row[0] + row[1] for row in rows))
    found = mean_on_grid(Series("hr_bpm", begin, np.array([row[2] for row in rows]), end), grid(), STEP_S)
    for k in range(4):
        seconds = range(300 * k, 300 * (k + 1))
        hits = [[v for b, length, v in rows if b <= s < b + length] for s in seconds]
        coverage = sum(bool(values) for values in hits) / 300
        assert found.coverage[k] == approx(coverage)
        values = [v for hit in hits for v in hit]
        expected = np.mean(values) if coverage >= MIN_COVERAGE else np.nan
        assert found.value[k] == approx(expected, nan_ok=True)
