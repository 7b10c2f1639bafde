"""The cosinor against a published example and known curves; the gradient between distal and proximal skin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx  # noqa: PT013

from unaji.records.timeline import FloatArray, Person, Series, Timeline
from unaji.signals.grid import Gridded, step_starts
from unaji.signals.skin import cosinor, gradient_on_grid, skin_rhythm

NELSON_TIME_H = np.array([97, 130, 167.5, 187.5, 218, 247.5, 285, 315, 337.5]) * 24.0 / 360.0
NELSON_VALUE = np.array([102, 96.8, 97, 92.5, 95, 93, 99.4, 99.8, 105.5])


def test_the_example_of_nelson_1979():
    """Data of the worked example in Nelson et al. 1979, as it is handed on in open implementations of the cosinor.

    Midline, amplitude and angle are the ones which a public test-suite of such an implementation expects. Its p of
    0.000511 is the F density at the statistic; the tail beyond it is 0.00340, by the closed form for 2 and 6 degrees.
    """
    found = cosinor(NELSON_TIME_H, NELSON_VALUE)
    (day,) = found.waves
    assert found.midline.value == approx(99.7269745887, abs=1e-9)
    assert day.amplitude.value == approx(6.38383296016, abs=1e-9)
    assert day.acrophase_h.value == approx(0.4754187912802497 * 24.0 / (2.0 * np.pi), abs=1e-9)
    share = found.share_explained.value
    assert share is not None
    f = (share / 2.0) / ((1.0 - share) / 6.0)
    assert day.p_value == approx((1.0 + f / 3.0) ** -3.0, rel=1e-9)
    assert (1.0 + f / 3.0) ** -4.0 == approx(0.000511378765161, rel=1e-6)


def test_intervals_are_those_of_linear_regression():
    """The midline's standard error, and the amplitude's along its own direction, from plain matrices."""
    found = cosinor(NELSON_TIME_H, NELSON_VALUE)
    angle = 2.0 * np.pi * (NELSON_TIME_H - found.waves[0].acrophase_h.value) / 24.0
    # Turned so that the peak is at 0, the amplitude is the cosine's coefficient.
    x = np.column_stack((np.ones(9), np.cos(angle), np.sin(angle)))
    coefficients, left, *_ = np.linalg.lstsq(x, NELSON_VALUE, rcond=None)
    error = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * left[0] / 6.0)
    t_975 = 2.446911851  # Student's t, 6 degrees of freedom
    assert found.midline_interval == approx((coefficients[0] - t_975 * error[0], coefficients[0] + t_975 * error[0]))
    assert found.waves[0].amplitude_interval == approx(
        (coefficients[1] - t_975 * error[1], coefficients[1] + t_975 * error[1])
    )
    half_h = t_975 * error[2] / coefficients[1] * 24.0 / (2.0 * np.pi)
    low, high = found.waves[0].acrophase_interval_h or (0.0, 0.0)
    assert (high - low) / 2.0 == approx(half_h)


@given(st.floats(-50, 50), st.floats(0.1, 10), st.floats(0, 23.9), st.floats(0.1, 5), st.floats(0, 11.9))
def test_two_waves_are_found_again(midline: float, day: float, day_peak: float, half: float, half_peak: float):
    t = np.arange(0.0, 72.0, 0.5)
    value = midline + day * np.cos(2 * np.pi * (t - day_peak) / 24) + half * np.cos(2 * np.pi * (t - half_peak) / 12)
    found = cosinor(t, value, periods_h=(24.0, 12.0))
    assert found.midline.value == approx(midline, abs=1e-8)
    assert [w.amplitude.value for w in found.waves] == approx([day, half], abs=1e-8)
    for wave, peak in zip(found.waves, (day_peak, half_peak), strict=True):
        assert wave.acrophase_h.value is not None
        assert np.cos(2 * np.pi * (wave.acrophase_h.value - peak) / wave.period_h) == approx(1.0, abs=1e-9)
    assert found.share_explained.value == approx(1.0, abs=1e-9)


def test_peak_trough_and_range_of_one_wave():
    t = np.arange(0.0, 48.0, 0.5)
    found = cosinor(t, 33.0 + 1.5 * np.cos(2 * np.pi * (t - 3.0) / 24.0))
    assert (found.peak_h.value, found.trough_h.value) == approx((3.0, 15.0), abs=0.01)
    assert found.range.value == approx(3.0)


def noisy_days(rng: np.random.Generator, rho: float, amplitude: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Four days of five-minute readings with noise that lasts (an autoregression of the first order)."""
    t = np.arange(0.0, 96.0, 1.0 / 12.0)
    noise = rng.standard_normal(t.size) * np.sqrt(1.0 - rho**2)
    for k in range(1, t.size):
        noise[k] += rho * noise[k - 1]
    return t, 33.0 + amplitude * np.cos(2 * np.pi * (t - 3.0) / 24.0) + noise


def test_intervals_hold_what_they_promise_for_readings_that_repeat_each_other():
    """95 % by name; taken for independent, the same readings would give a quarter of that."""
    rng = np.random.default_rng(2)
    held = naive = false_alarm = 0
    for _ in range(200):
        t, value = noisy_days(rng, 0.95)
        found = cosinor(t, value, correlated=True)
        low, high = found.midline_interval or (0.0, 0.0)
        held += low <= 33.0 <= high
        false_alarm += found.waves[0].p_value < 0.05
        low, high = cosinor(t, value).midline_interval or (0.0, 0.0)
        naive += low <= 33.0 <= high
    assert held >= 180
    assert false_alarm <= 20
    assert naive < 120


def test_the_peaks_interval_holds_what_it_promises():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        found = cosinor(*noisy_days(rng, 0.9, amplitude=2.0), correlated=True)
        low, high = found.waves[0].acrophase_interval_h or (np.nan, np.nan)
        held += low <= 3.0 <= high
    assert held >= 180


def test_a_wave_that_may_be_none_has_no_interval_and_says_so():
    t, value = noisy_days(np.random.default_rng(3), 0.95)
    wave = cosinor(t, value, correlated=True).waves[0]
    assert wave.amplitude_interval is None
    assert "cannot be told from zero" in wave.acrophase_h.reason


def test_skin_warms_in_the_night():
    t, value = noisy_days(np.random.default_rng(4), 0.9, amplitude=5.0)
    value[100:160] = np.nan
    found = skin_rhythm(Gridded(value, np.isfinite(value).astype(float)), t)
    assert found.midline.unit == "°C"
    assert found.waves[0].amplitude.value == approx(5.0, abs=0.4)
    assert found.waves[0].acrophase_h.value == approx(3.0, abs=0.4)
    assert found.independent < 200


@pytest.mark.parametrize("hours", [(0.0, 8.0), (22.0, 31.0), (0.0, 16.0)])
def test_less_than_a_day_is_no_daily_rhythm(hours: tuple[float, float]):
    t = np.arange(*hours, 1.0 / 12.0)
    found = skin_rhythm(Gridded(33.0 + 0.1 * t, np.ones(t.size)), t)
    assert found.midline.value is None
    assert "day" in found.midline.reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [(np.full(200, 33.0), "the same"), (np.full(200, np.nan), "few"), (np.arange(3.0), "few")],
)
def test_nothing_to_fit_has_its_reason(value: FloatArray, reason: str):
    found = cosinor(np.arange(value.size) / 4.0, value)
    assert found.midline.value is None
    assert reason in found.midline.reason
    assert found.waves == ()


def test_all_readings_at_one_hour_of_the_day_tell_no_wave():
    assert "apart" in cosinor(24.0 * np.arange(10.0), np.arange(10.0)).midline.reason


START = np.datetime64("2024-03-01T12:00", "ms")
MINUTES = START + 60_000 * np.arange(10).astype("timedelta64[ms]")


def series(quantity: str, value: float, site: str = "", n: int = 10) -> Series:
    return Series(quantity, MINUTES[:n], np.full(n, value), None, site)


def test_the_gradient_is_hand_less_trunk():
    grid = step_starts(MINUTES[0], MINUTES[-1], 300.0)
    timeline = Timeline(
        Person("p"), series=(series("skin_temp_c", 31.0, "wrist"), series("skin_temp_c", 34.5, "chest", n=5))
    )
    found = gradient_on_grid(timeline, grid, 300.0)
    assert found is not None
    np.testing.assert_allclose(found.value, [-3.5, np.nan])
    np.testing.assert_allclose(found.coverage, [1.0, 0.0])


def test_a_finger_is_more_distal_than_a_wrist_and_a_nape_counts_as_trunk():
    grid = step_starts(MINUTES[0], MINUTES[-1], 300.0)
    all_sites = (
        series("skin_temp_c", 32.0, "wrist"),
        series("finger_skin_temp_c", 30.0),
        series("neck_skin_temp_c", 35.0),
    )
    found = gradient_on_grid(Timeline(Person("p"), series=all_sites), grid, 300.0)
    assert found is not None
    np.testing.assert_allclose(found.value, -5.0)


@pytest.mark.parametrize("site", ["wrist", "chest", ""])
def test_one_site_has_no_gradient(site: str):
    grid = step_starts(MINUTES[0], MINUTES[-1], 300.0)
    assert gradient_on_grid(Timeline(Person("p"), series=(series("skin_temp_c", 33.0, site),)), grid, 300.0) is None
