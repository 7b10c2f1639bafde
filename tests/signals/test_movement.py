"""Movement from acceleration: known angles, known sizes, simulated walks, and hours at a desk without a step."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pytest import approx  # noqa: PT013

from unaji.records.timeline import FloatArray
from unaji.signals.movement import E4_COUNTS_PER_G, MODERATE_MG, Kind, find_steps, movement

START = np.datetime64("2024-03-01T12:00", "ms")
RATE_HZ = 32.0


def still(seconds: float, toward: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> FloatArray:
    noise = 0.004 * np.random.default_rng(1).standard_normal((round(seconds * RATE_HZ), 3))
    return np.asarray(toward) + noise


def walk(
    seconds: float, steps_per_s: float, *, seed: int = 0, limp: float = 0.2, swing: float = 0.5, size_g: float = 0.25
) -> tuple[FloatArray, int]:
    """A wrist in walking: an impact and a dip a step, left and right unlike, uneven steps, an arm that swings a stride.

    Rounded to an E4's 1/64 g. Returns the acceleration and the number of steps.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    step_s = (1.0 + 0.02 * rng.standard_normal(round(1.3 * seconds * steps_per_s) + 2)) / steps_per_s
    at = np.cumsum(step_s)
    at = at[at < seconds]
    size = np.ones(t.size)
    for k, moment in enumerate(at):
        height = size_g * (1.0 + (limp if k % 2 else -limp)) * (1.0 + 0.1 * rng.standard_normal())
        size += 2.0 * height * np.exp(-(((t - moment) / 0.06) ** 2))
        size -= height * np.exp(-(((t - moment - 0.12) / 0.1) ** 2))
    angle = swing * np.sin(np.pi * np.interp(t, np.concatenate(([0.0], at)), np.arange(at.size + 1.0)))
    axes = np.column_stack((size * np.sin(angle), np.zeros(t.size), size * np.cos(angle)))
    axes += 0.02 * rng.standard_normal(axes.shape)
    return np.round(axes * E4_COUNTS_PER_G) / E4_COUNTS_PER_G, at.size


@pytest.mark.parametrize("limp", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("steps_per_s", [1.3, 1.6, 1.9, 2.2, 2.6, 2.9])
def test_steps_of_a_walk_are_counted(steps_per_s: float, limp: float):
    """Measured within 0.3 % on these walks; real wrists are harder, and none with counted steps was at hand."""
    axes, count = walk(300.0, steps_per_s, limp=limp, seed=round(10 * steps_per_s))
    found = movement(START, axes, RATE_HZ)
    assert found.steps.sum() == approx(count, rel=0.02)
    np.testing.assert_allclose(found.cadence_per_min, 60.0 * steps_per_s, rtol=0.03)
    assert (found.kind == Kind.WALKING).all()


@pytest.mark.parametrize("swing", [0.0, 0.3, 0.9])
def test_steps_are_counted_however_the_arm_swings(swing: float):
    axes, count = walk(300.0, 1.8, swing=swing, seed=3)
    assert movement(START, axes, RATE_HZ).steps.sum() == approx(count, rel=0.03)


def test_a_walk_between_two_rests_has_steps_there_only():
    axes, count = walk(120.0, 1.8)
    found = movement(START, np.concatenate((still(120.0), axes, still(60.0))), RATE_HZ)
    np.testing.assert_array_equal(found.kind, [Kind.SEDENTARY] * 2 + [Kind.WALKING] * 2 + [Kind.SEDENTARY])
    np.testing.assert_allclose(found.steps[[0, 1, 4]], 0.0)
    assert found.steps[2:4].sum() == approx(count, rel=0.02)
    assert np.isnan(found.cadence_per_min[[0, 1, 4]]).all()
    np.testing.assert_allclose(found.still_share, [1, 1, 0, 0, 1])


def swinging(frequency_hz: float) -> FloatArray:
    t = np.arange(round(300 * RATE_HZ)) / RATE_HZ
    return np.column_stack((np.zeros(t.size), np.zeros(t.size), 1.0 + 0.3 * np.sin(2 * np.pi * frequency_hz * t)))


@pytest.mark.parametrize("frequency_hz", [0.4, 0.65, 4.0, 5.5, 8.0])
def test_what_swings_or_shakes_is_no_walk(frequency_hz: float):
    """Slower than steps and without an impact halfway (a rocking chair); quicker than steps (a toothbrush, a road)."""
    assert movement(START, swinging(frequency_hz), RATE_HZ).steps.sum() == 0.0


def test_restless_hands_do_not_walk():
    rng = np.random.default_rng(4)
    axes = np.cumsum(rng.standard_normal((round(3600 * RATE_HZ), 3)), axis=0) * 0.05
    axes -= np.column_stack([np.convolve(axis, np.ones(32) / 32, "same") for axis in axes.T])
    axes[:, 2] += 1.0
    found = movement(START, axes, RATE_HZ)
    assert np.median(np.sqrt((axes**2).sum(axis=1)).reshape(-1, 320).std(axis=1)) > 0.04
    assert found.steps.sum() < 60  # in an hour


def test_size_of_movement_by_hand():
    axes = np.tile([[0.0, 0.0, 1.3], [0.0, 0.0, 0.8]], (960, 1))
    found = movement(START, axes, RATE_HZ)
    assert found.activity_mg == approx([250.0])  # mean of 300 and 200
    assert found.enmo_mg == approx([150.0])  # mean of 300 and 0
    assert found.kind[0] == Kind.MODERATE
    assert MODERATE_MG < 150.0


@pytest.mark.parametrize(
    ("toward", "angle"),
    [
        ((0.0, 0.0, 1.0), (0.0, 0.0, 90.0)),
        ((0.0, -1.0, 0.0), (0.0, -90.0, 0.0)),
        ((0.5, 0.0, np.sqrt(0.75)), (30.0, 0.0, 60.0)),
        ((np.sqrt(1 / 3), np.sqrt(1 / 3), np.sqrt(1 / 3)), (35.2644, 35.2644, 35.2644)),
    ],
)
def test_angles_of_a_sensor_at_rest(toward: tuple[float, float, float], angle: tuple[float, float, float]):
    np.testing.assert_allclose(movement(START, still(60.0, toward), RATE_HZ).angle_deg[0], angle, atol=0.5)


def test_where_gravity_does_not_show_there_is_no_angle():
    assert np.isnan(movement(START, still(60.0, (0.0, 0.0, 1.5)), RATE_HZ).angle_deg).all()


def test_gravity_tells_a_sensor_that_is_not_calibrated():
    assert movement(START, still(120.0, (0.0, 0.0, 1.04)), RATE_HZ).gravity.value == approx(1.04, abs=0.001)
    never = movement(START, walk(120.0, 1.8)[0], RATE_HZ).gravity
    assert never.value is None
    assert "never still" in never.reason


def test_pieces_of_whole_epochs_give_what_the_whole_gives():
    axes = np.concatenate([still(600.0), np.tile(walk(400.0, 1.7)[0], (10, 1)), still(2600.0)])
    whole = movement(START, axes, RATE_HZ)
    cuts = [0, 60, 1500, 4800, 7200]
    parts = [movement(START, axes[round(a * RATE_HZ) : round(b * RATE_HZ)], RATE_HZ) for a, b in pairwise(cuts)]
    for name in ("activity_mg", "enmo_mg", "angle_deg", "steps", "kind", "still_share", "quality"):
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))


def test_what_was_not_measured_is_left_out_and_lowers_the_quality():
    axes, _ = walk(240.0, 1.8)
    axes[: round(20 * RATE_HZ)] = np.nan
    axes[round(60 * RATE_HZ) : round(110 * RATE_HZ), 1] = np.nan
    found = movement(START, axes, RATE_HZ)
    np.testing.assert_allclose(found.quality, [2 / 3, 1 / 6, 1, 1], atol=0.01)
    assert found.steps[0] == approx(found.steps[2], rel=0.05)
    assert np.isnan(found.activity_mg[1])
    assert found.kind[1] == Kind.NOT_MEASURED


def test_saturated_readings_are_not_measured():
    axes = still(60.0)
    axes[:100, 0] = 2.0
    assert movement(START, axes, RATE_HZ, range_g=2.0).quality[0] == approx(1.0 - 100 / 1920)


@pytest.mark.parametrize("rate_hz", [12.5, 25.0, 31.25, 64.0, 100.0])
def test_other_rates_count_the_same_steps(rate_hz: float):
    axes, count = walk(300.0, 1.8)
    t = np.arange(axes.shape[0]) / RATE_HZ
    other = np.arange(round(300 * rate_hz)) / rate_hz
    resampled = np.column_stack([np.interp(other, t, axis) for axis in axes.T])
    assert movement(START, resampled, rate_hz).steps.sum() == approx(count, rel=0.03)


def test_a_slow_recording_has_no_steps_and_says_why():
    found = movement(START, still(600.0)[::16], 2.0)
    assert np.isfinite(found.activity_mg).all()
    assert np.isnan(found.steps).all()
    assert "steps" in found.reason


@pytest.mark.parametrize("value", [0.0, 2.0, np.nan, np.inf, 1e6])
def test_bad_signals_give_a_value_or_nothing_and_no_exception(value: float):
    found = movement(START, np.full((4000, 3), value), RATE_HZ, range_g=8.0)
    assert found.time.size == 2
    assert ((found.kind == Kind.NOT_MEASURED) == np.isnan(found.activity_mg)).all()


@pytest.mark.parametrize("n", [0, 1, 100])
def test_next_to_nothing(n: int):
    assert movement(START, np.ones((n, 3)), RATE_HZ).time.size == 0


def test_a_programmers_mistake_is_one():
    with pytest.raises(ValueError, match="shape"):
        movement(START, np.zeros((10, 2)), RATE_HZ)
    with pytest.raises(ValueError, match="rate above 0"):
        movement(START, np.zeros((10, 3)), 0.0)
    with pytest.raises(ValueError, match="epochs"):
        movement(START, np.zeros((10, 3)), 32.0, epoch_s=5.0)


def test_windows_too_short_to_hold_a_stride_are_not_looked_at():
    assert np.isnan(find_steps(np.random.default_rng(5).standard_normal((2, 30)), 25.0).step_s).all()


@pytest.mark.shared
def test_people_who_sit_in_a_laboratory_take_no_steps(shared_data: Path):
    """Twelve sessions of an hour at a table with an Empatica E4: no step in any, and gravity within 1.1 %."""
    sessions = sorted((shared_data / "e4-stress-predict").glob("S*/ACC.csv"))
    assert len(sessions) == 12
    for file in sessions:
        counts = np.loadtxt(io.StringIO(file.read_text()), delimiter=",", skiprows=2)
        found = movement(START, counts / E4_COUNTS_PER_G, RATE_HZ, range_g=127 / E4_COUNTS_PER_G)
        assert np.nansum(found.steps) < 100, file
        assert found.gravity.value == approx(1.0, abs=0.02), file
        assert (found.kind == Kind.SEDENTARY).mean() > 0.8, file
