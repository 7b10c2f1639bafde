"""On the skin or off it: simulated sensors that are taken off, put on, carried into the cold, or left on a table."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.records.timeline import FloatArray, TimeArray
from unaji.signals.wear import worn

START = np.datetime64("2024-03-01T12:00", "ms")


def times(n: int, spacing_s: float = 60.0) -> TimeArray:
    return START + np.round(np.arange(n) * spacing_s * 1000).astype("timedelta64[ms]")


def sensor(surroundings_c: FloatArray, tau_s: float = 420.0, spacing_s: float = 60.0) -> FloatArray:
    """A sensor that follows what it lies on, with a time constant of minutes."""
    out = np.empty(surroundings_c.size)
    out[0] = surroundings_c[0]
    for k in range(1, out.size):
        out[k] = out[k - 1] + (1.0 - np.exp(-spacing_s / tau_s)) * (surroundings_c[k] - out[k - 1])
    return out


def day(off: slice, room_c: float, skin_c: float = 33.5, n: int = 600) -> tuple[FloatArray, FloatArray]:
    surroundings = np.full(n, skin_c)
    surroundings[off] = room_c
    movement = np.full(n, 20.0)
    movement[off] = 2.0
    return sensor(surroundings), movement


def test_a_night_of_steady_skin_is_worn():
    skin = 34.0 + 0.5 * np.sin(np.arange(600) / 60.0)
    assert worn(times(600), skin).all()
    assert worn(times(600), skin, air_temp_c=np.full(600, 24.0), movement_mg=np.full(600, 1.0)).all()


@pytest.mark.parametrize("room_c", [20.0, 23.0, 27.0])
def test_laid_aside_on_a_table_with_movement_known(room_c: float):
    """Also in a room of 27 °C, where the reading alone could be a cool skin's."""
    skin, movement = day(slice(200, 400), room_c)
    on = worn(times(600), skin, movement_mg=movement)
    assert on[:200].all()
    assert not on[206:400].any()
    assert on[412:].all()


def test_laid_aside_in_a_cool_room_with_movement_unknown():
    skin, _ = day(slice(200, 400), 20.0)
    on = worn(times(600), skin)
    assert on[:200].all()
    assert not on[206:400].any()
    assert on[412:].all()


def test_laid_aside_in_a_warm_room_is_seen_by_the_air():
    skin, _ = day(slice(200, 400), 27.0)
    assert worn(times(600), skin)[300:400].all()  # cannot be told
    assert not worn(times(600), skin, air_temp_c=np.full(600, 27.0))[260:395].any()


def test_a_walk_in_the_cold_is_worn():
    """A wrist that cools by 6 K outdoors, moving: no device on a table."""
    skin, _ = day(slice(200, 300), 27.5)
    moving = np.full(600, 60.0)
    assert worn(times(600), skin, movement_mg=moving).all()


def test_air_as_warm_as_skin_says_nothing():
    skin = np.full(600, 33.0)
    assert worn(times(600), skin, air_temp_c=np.full(600, 33.0)).all()


def test_what_no_skin_can_be_is_not_worn():
    np.testing.assert_array_equal(worn(times(4), np.array([24.9, 25.0, 42.0, 42.1])), [False, True, True, False])


@pytest.mark.parametrize("spacing_s", [0.25, 60.0, 180.0])
def test_the_spacing_of_readings_does_not_matter_much(spacing_s: float):
    n = round(36_000 / spacing_s)
    seconds = np.arange(n) * spacing_s
    surroundings = np.where((seconds > 12_000) & (seconds < 24_000), 20.0, 33.5)
    on = worn(times(n, spacing_s), sensor(surroundings, spacing_s=spacing_s))
    assert on[seconds < 12_000].all()
    assert not on[(seconds > 12_500) & (seconds < 24_000)].any()
    assert on[seconds > 25_000].all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_readings(n: int):
    assert worn(times(n), np.full(n, 33.0)).all()


def test_not_a_number_is_not_worn_and_hides_nothing_else():
    skin = np.full(50, 33.0)
    skin[20] = np.nan
    on = worn(times(50), skin, air_temp_c=np.full(50, np.nan), movement_mg=np.full(50, np.nan))
    assert not on[20]
    assert on.sum() == 49


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="differ in shape"):
        worn(times(3), np.zeros(4))
