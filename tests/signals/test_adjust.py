"""Movement, time of day and missing covariates are taken out, and stress stays in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.timeline import FloatArray
from unaji.signals.adjust import MIN_STEPS, day_waves, lagged, unexplained


def test_lags_bring_the_past_and_leave_the_start_open():
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(lagged(x, 0), x)
    np.testing.assert_array_equal(lagged(x, 2), [np.nan, np.nan, 1.0])
    np.testing.assert_array_equal(lagged(x, 5), [np.nan] * 3)


def test_day_waves_repeat_every_day_and_turn_over_in_half_of_one():
    hours = np.arange(0.0, 24.0)
    for wave in day_waves(hours):
        assert abs(wave.sum()) < 1e-9
    np.testing.assert_allclose(day_waves(hours), day_waves(hours + 24.0), atol=1e-9)


def simulated(rng: np.random.Generator, n: int) -> tuple[FloatArray, list[FloatArray], FloatArray]:
    """Give a heart rate of 65 + movement now and before + the day + 4 × stress + 3 × noise."""
    movement = np.maximum(rng.standard_normal(n), 0.0)
    covariates = [lagged(movement, 0), lagged(movement, 1), *day_waves(np.arange(n) / 12 % 24)]
    stress = (rng.random(n) < 0.05).astype(float)
    moved = 10 * movement + 5 * np.nan_to_num(lagged(movement, 1))
    return 65 + moved + 6 * covariates[2] + 12 * stress + 3 * rng.standard_normal(n), covariates, stress


def test_what_is_left_is_stress_in_personal_standard_deviations():
    y, covariates, stress = simulated(np.random.default_rng(1), 4000)
    z = unexplained(y, covariates)
    for covariate in covariates:
        known = np.isfinite(covariate)
        assert abs(np.corrcoef(z[known], covariate[known])[0, 1]) < 0.03
    assert z[stress == 1].mean() - z[stress == 0].mean() == pytest.approx(12 / 3, abs=0.4)
    assert z[stress == 0].std() == pytest.approx(1.0, abs=0.1)


def test_a_line_is_not_bent_by_the_stress_it_measures():
    """Stress that comes while the person moves: least squares would call half of it movement."""
    rng = np.random.default_rng(2)
    movement = rng.random(2000)
    stress = (movement > 0.9) & (rng.random(2000) < 0.7)
    z = unexplained(20 * movement + 30 * stress + rng.standard_normal(2000), [movement])
    assert z[stress].mean() > 20
    assert abs(np.corrcoef(z[~stress], movement[~stress])[0, 1]) < 0.5


def test_steps_without_a_covariate_are_compared_with_each_other():
    """A counter worn only out of doors: heart rate is lower without it, and that is no sign of calm."""
    rng = np.random.default_rng(3)
    walking = rng.random(2000) < 0.5
    steps_min = np.where(walking, 40 + 40 * rng.random(2000), np.nan)
    y = np.where(walking, 80 + 0.3 * np.nan_to_num(steps_min), 62) + rng.standard_normal(2000)
    z = unexplained(y, [np.sqrt(steps_min)])
    # Unadjusted, the two lie 36 beats a minute apart, and the noise is 1.
    assert abs(z[walking].mean()) < 0.25
    assert abs(z[~walking].mean()) < 0.25


def test_a_gap_of_the_signal_stays_a_gap():
    y, covariates, _ = simulated(np.random.default_rng(4), 500)
    y[100:150] = np.nan
    np.testing.assert_array_equal(np.isnan(unexplained(y, covariates)), np.isnan(y))


def test_too_short_or_flat_a_record_says_nothing():
    assert np.isnan(unexplained(np.append(np.arange(MIN_STEPS - 1.0), np.nan), [])).all()
    assert np.isfinite(unexplained(np.arange(float(MIN_STEPS)), [])).all()
    assert np.isnan(unexplained(np.full(50, 60.0), [np.arange(50.0)])).all()


@given(st.floats(-100, 100), st.floats(0.1, 50))
def test_unit_and_zero_of_a_signal_do_not_matter(shift: float, scale: float):
    y, covariates, _ = simulated(np.random.default_rng(5), 300)
    np.testing.assert_allclose(unexplained(scale * y + shift, covariates), unexplained(y, covariates), atol=1e-4)


def test_a_dozen_steps_are_not_explained_away_by_anything():
    """An hour of pure noise and three covariates: least squares alone would leave much less of it."""
    rng = np.random.default_rng(6)
    left = []
    for _ in range(200):
        y, x = rng.standard_normal(12), list(rng.standard_normal((3, 12)))
        residual = y - np.column_stack([np.ones(12), *x]) @ np.linalg.lstsq(np.column_stack([np.ones(12), *x]), y)[0]
        left.append((np.corrcoef(unexplained(y, x), y)[0, 1], np.corrcoef(residual, y)[0, 1]))
    ours, least_squares = np.mean(left, axis=0)
    assert ours > 0.93 > least_squares
