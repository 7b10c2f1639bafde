"""A level between its readings, against conditioning of the joint normal distribution and against simulation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from unaji.causes.design import BIN_MIN, Trigger
from unaji.causes.features import hold, known_level
from unaji.causes.grid import make_grid
from unaji.causes.levels import Level, _log_likelihood, _smooth, between_readings, is_sparse
from unaji.records.timeline import Zones

SETTING = (3.0, 0.8, 40.0, 0.5, 0.3)
"""Hours, variance, hours, variance, variance of the noise."""
STEP_H = BIN_MIN / 60


def covariance(hours_a: np.ndarray, hours_b: np.ndarray) -> np.ndarray:
    fast_h, fast, slow_h, slow, _ = SETTING
    apart = np.abs(hours_a[:, None] - hours_b[None, :])
    return fast * np.exp(-apart / fast_h) + slow * np.exp(-apart / slow_h)


@pytest.mark.parametrize("face", ["compiled", "python"])
def test_the_smoother_is_the_conditional_normal_distribution(face):
    rng = np.random.default_rng(4)
    rest = np.full(300, np.nan)
    known = np.sort(rng.choice(300, 14, replace=False))
    rest[known] = rng.normal(0, 1, 14)
    smooth = _smooth if face == "compiled" else _smooth.py_func
    mean, var = smooth(rest, STEP_H, *SETTING)
    hours, at = np.arange(300) * STEP_H, known * STEP_H
    inverse = np.linalg.inv(covariance(at, at) + SETTING[-1] * np.eye(14))
    gain = covariance(hours, at) @ inverse
    assert mean == pytest.approx(gain @ rest[known], abs=1e-9)
    assert var == pytest.approx(1.3 - (gain * covariance(hours, at)).sum(axis=1), abs=1e-9)


@pytest.mark.parametrize("face", ["compiled", "python"])
def test_the_filter_gives_the_joint_normal_density_up_to_its_constant(face):
    rng = np.random.default_rng(5)
    at = np.cumsum(rng.uniform(0.5, 9, 12))
    rest = rng.normal(0, 1, 12)
    likelihood = _log_likelihood if face == "compiled" else _log_likelihood.py_func
    found = likelihood(rest, np.diff(at, prepend=at[0]), *SETTING)
    joint = multivariate_normal(np.zeros(12), covariance(at, at) + SETTING[-1] * np.eye(12))
    assert found - 6 * np.log(2 * np.pi) == pytest.approx(joint.logpdf(rest))


def test_the_expected_excess_is_the_integral():
    level = Level(np.array([0.4, -1.0, 2.0]), np.array([0.7, 1.5, 0.0]))
    for i, (mean, sd) in enumerate(zip(level.mean[:2], level.sd[:2], strict=True)):
        exact, _ = quad(lambda x, m=mean, s=sd: (x - 0.5) * norm.pdf(x, m, s), 0.5, 15)
        assert level.expected_above(0.5)[i] == pytest.approx(exact, rel=1e-6)
    assert level.expected_above(0.5)[2] == pytest.approx(1.5)


@pytest.fixture(scope="module")
def rated():
    """Eight weeks of a level that moves over three hours and two days, rated four times a day as a whole number."""
    rng = np.random.default_rng(9)
    grid = make_grid(datetime(2026, 3, 1, 15, tzinfo=UTC), datetime(2026, 4, 26, tzinfo=UTC), Zones(("Asia/Tokyo",)))
    moving = np.zeros((2, grid.n_bins))
    for k, hours in enumerate((3.0, 48.0)):
        keep = np.exp(-STEP_H / hours)
        noise = rng.standard_normal(grid.n_bins) * np.sqrt(1 - keep**2)
        for i in range(1, grid.n_bins):
            moving[k, i] = keep * moving[k, i - 1] + noise[i]
    true = 4 + 1.2 * moving.sum(axis=0) + 1.0 * ((grid.local_hour > 9) & (grid.local_hour < 18) & ~grid.day_off)
    value = np.full(grid.n_bins, np.nan)
    asked = np.sort(rng.choice(np.flatnonzero((grid.local_hour > 7) & (grid.local_hour < 23)), 4 * grid.n_days))
    value[asked] = np.rint(true[asked] + rng.normal(0, 0.5, asked.size))
    return grid, true, value


def test_the_true_level_lies_within_the_stated_uncertainty(rated):
    grid, true, value = rated
    level = between_readings(value, grid)
    awake = (grid.local_hour > 7) & (grid.local_hour < 23)
    inside = np.abs(true - level.mean) < 1.645 * level.sd
    assert inside[awake].mean() == pytest.approx(0.90, abs=0.05)


def test_it_comes_nearer_to_the_true_level_than_the_last_reading_does(rated):
    grid, true, value = rated
    level = between_readings(value, grid)
    known = np.flatnonzero(~np.isnan(value))
    last = value[known[np.maximum(np.searchsorted(known, np.arange(value.size), side="right") - 1, 0)]]
    awake = (grid.local_hour > 7) & (grid.local_hour < 23)
    assert np.std((true - level.mean)[awake]) < 0.8 * np.std((true - last)[awake])


def test_a_level_that_is_followed_is_left_as_it_is(rated):
    grid, true, value = rated
    assert is_sparse(value)
    assert not is_sparse(true)
    level, missing = known_level(Trigger("x", "level", true), grid)
    assert level.mean.tolist() == true.tolist()
    assert not missing.any()


def test_readings_behind_a_held_level_are_what_counts(rated):
    grid, _, value = rated
    held = hold(value, 72)
    level, missing = known_level(Trigger("x", "level", held, hold_min=0.0, readings=value), grid)
    assert np.array_equal(level.mean, between_readings(value, grid).mean)
    assert np.array_equal(missing, np.isnan(held))


def test_a_handful_of_readings_is_not_modelled(rated):
    grid, _, value = rated
    few = np.full(grid.n_bins, np.nan)
    few[np.flatnonzero(~np.isnan(value))[:19]] = 3.0
    assert not is_sparse(few)


def test_what_lies_long_after_the_last_reading_counts_as_unknown(rated):
    grid, _, value = rated
    value = value.copy()
    start = int(np.searchsorted(grid.time, np.datetime64(datetime(2026, 4, 1), "ms")))
    until = start + int(timedelta(days=5) / timedelta(minutes=BIN_MIN))
    value[start:until] = np.nan
    level, missing = known_level(Trigger("x", "level", value), grid)
    assert missing[start + 72 : until].all()
    middle = (start + until) // 2
    assert level.sd[middle] > 0.9 * level.sd.max()
