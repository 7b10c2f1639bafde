"""Which record of movement and of skin temperature is used, and what of it counts."""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import Person, Series, Timeline
from unaji.signals.activity import (
    activity_on_grid,
    activity_series,
    activity_unit,
    skin_temp_on_grid,
    skin_temp_series,
)
from unaji.signals.grid import step_starts

START = np.datetime64("2024-03-01T12:00", "ms")
MINUTES = START + 60_000 * np.arange(10).astype("timedelta64[ms]")
GRID = step_starts(MINUTES[0], MINUTES[-1], 300.0)


def series(quantity: str, value: float, site: str = "", n: int = 10) -> Series:
    return Series(quantity, MINUTES[:n], np.full(n, value), MINUTES[:n] + np.timedelta64(1, "m"), site)


def timeline(*all_series: Series) -> Timeline:
    return Timeline(Person("p"), series=all_series)


def test_acceleration_comes_before_steps():
    both = timeline(series("steps", 30), series("activity_mg", 12, "wrist"))
    chosen = activity_series(both)
    assert chosen is not None
    assert activity_unit(chosen) == "mg"
    np.testing.assert_allclose(activity_on_grid(chosen, GRID, 300.0).value, [12, 12])


def test_steps_stand_in_as_a_rate_a_minute():
    chosen = activity_series(timeline(series("steps", 30)))
    assert chosen is not None
    assert activity_unit(chosen) == "steps/min"
    np.testing.assert_allclose(activity_on_grid(chosen, GRID, 300.0).value, [30, 30])


def test_no_record_of_movement_is_no_movement_claimed():
    assert activity_series(timeline(series("hr_bpm", 60))) is None
    assert activity_series(timeline(series("activity_mg", 12, n=0))) is None


def test_the_nape_comes_before_the_wrist():
    nape, neck, wrist, chest = (
        series("skin_temp_c", 35, "nape"),
        series("neck_skin_temp_c", 36),
        series("skin_temp_c", 32, "wrist"),
        series("skin_temp_c", 34, "chest"),
    )
    assert skin_temp_series(timeline(wrist, nape, neck)) is neck
    assert skin_temp_series(timeline(chest, wrist, nape)) is nape
    assert skin_temp_series(timeline(chest, wrist)) is wrist
    assert skin_temp_series(timeline(chest)) is chest
    assert skin_temp_series(timeline(series("finger_skin_temp_c", 30))) is None


def test_a_sensor_laid_aside_lowers_the_quality_and_not_the_temperature():
    value = np.array([34.0, 34.0, 19.0, 19.0, 19.0, 19.0, 19.0, 19.0, 19.0, 19.0])
    found = skin_temp_on_grid(Series("skin_temp_c", MINUTES, value, None, "wrist"), GRID, 300.0)
    np.testing.assert_allclose(found.value, [34.0, np.nan])
    np.testing.assert_allclose(found.coverage, [0.4, 0.0])


def test_a_sensor_that_cools_on_a_table_is_not_skin_though_it_is_not_cold_yet():
    minutes = START + 60_000 * np.arange(60).astype("timedelta64[ms]")
    cooling = 20.0 + 14.0 * np.exp(-np.maximum(np.arange(60) - 30, 0) / 7.0)
    found = skin_temp_on_grid(
        Series("skin_temp_c", minutes, cooling, None, "wrist"), step_starts(minutes[0], minutes[-1], 300.0), 300.0
    )
    np.testing.assert_allclose(found.value[:6], 34.0)
    assert (found.coverage[7:] == 0.0).all()
