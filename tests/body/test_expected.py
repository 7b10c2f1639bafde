from __future__ import annotations

import numpy as np
import pytest

from unaji.body.expected import (
    expected_value,
    heat_excess_k,
    met_from_activity,
    quiet_covariance,
    window_means,
)

WINDOWS = ((-12, -4), (-4, -2), (0, 2))


def test_comfort_ends_at_26_degrees_at_rest_and_earlier_when_active():
    excess = heat_excess_k(np.array([26.0, 26.0, 30.0]), np.array([1.2, 2.2, np.nan]), near_body=False)
    assert excess == pytest.approx([0, 4, 4])
    assert heat_excess_k(np.array([28.4]), np.array([1.2]), near_body=True) == pytest.approx([0])


def test_walking_a_hundred_steps_a_minute_is_three_met():
    assert met_from_activity(np.array([0.0, 100.0])) == pytest.approx([1.2, 3.0])


def test_a_flush_that_air_does_not_explain_stands_above_what_was_expected():
    rng = np.random.default_rng(0)
    n = 288 * 14
    hour = np.arange(n) % 288 / 12
    air = 22 + 3 * np.sin(2 * np.pi * np.arange(n) / 700) + rng.normal(size=n) * 0.2
    skin = 33 + 0.3 * (air - 22) + 0.2 * np.cos(2 * np.pi * hour / 24) + rng.normal(size=n) * 0.2
    skin[2000:2006] += 1.0
    reference = np.ones(n, dtype=bool)
    reference[1990:2020] = False
    gap = slice(1200, 1260)
    skin[gap] = np.nan
    expected, sd = expected_value(skin, air, np.full(n, np.nan), hour, reference)
    rise = skin - expected
    assert rise[2000:2006].mean() == pytest.approx(1.0, abs=0.25)
    assert sd == pytest.approx(0.2, rel=0.15)
    assert abs(np.nanmean(rise[reference])) < 0.02
    # Where nothing was measured there still is something to expect.
    law = 33 + 0.3 * (air - 22) + 0.2 * np.cos(2 * np.pi * hour / 24)
    assert expected[gap] == pytest.approx(law[gap], abs=0.05)


def test_less_than_a_day_of_quiet_skin_teaches_nothing():
    n = 200
    expected, sd = expected_value(
        np.full(n, 33.0), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n), np.ones(n, dtype=bool)
    )
    assert np.isnan(expected).all()
    assert np.isnan(sd)


def test_window_means_agree_with_a_loop_over_windows_and_leave_gaps_out():
    rng = np.random.default_rng(1)
    value = rng.normal(size=60)
    value[rng.random(60) < 0.3] = np.nan
    value[20:30] = np.nan
    at = [0, 5, 24, 30, 59]
    by_hand = [[value[max(0, i + a) : max(0, i + b)] for a, b in WINDOWS] for i in at]
    expected = [[np.mean(w[np.isfinite(w)]) if np.isfinite(w).any() else np.nan for w in row] for row in by_hand]
    assert window_means(value, WINDOWS, at) == pytest.approx(np.array(expected), nan_ok=True)


def test_quiet_covariance_of_an_autoregressive_course_is_that_of_its_theory():
    """x_t = φ x_{t−1} + e: the covariance of two values k apart is φ^k σ²/(1 − φ²), averaged over pairs of bins."""
    rng = np.random.default_rng(2)
    phi, n = 0.8, 200_000
    noise = rng.normal(size=n)
    x = np.empty(n)
    x[0] = noise[0]
    for t in range(1, n):
        x[t] = phi * x[t - 1] + noise[t]
    found = quiet_covariance(x, WINDOWS, np.ones(n, dtype=bool))
    bins = [np.arange(a, b) for a, b in WINDOWS]
    theory = [[np.mean(phi ** np.abs(p[:, None] - q)) / (1 - phi**2) for q in bins] for p in bins]
    assert found == pytest.approx(np.array(theory), rel=0.08)


def test_too_few_quiet_moments_teach_no_covariance():
    assert quiet_covariance(np.zeros(100), WINDOWS, np.ones(100, dtype=bool)) is None
