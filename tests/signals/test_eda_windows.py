"""Skin conductance by window: the spectral index against a sine and a textbook, and what is missing with its reason."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx  # noqa: PT013

from unaji.records.timeline import FloatArray, Series, TimeArray
from unaji.signals.eda_windows import SYMPATHETIC_BAND_HZ, EdaWindows, eda_windows
from unaji.signals.grid import step_starts

START = np.datetime64("2024-03-01T12:00", "ms")


def times(n: int, rate_hz: float = 4.0) -> TimeArray:
    return START + np.round(np.arange(n) / rate_hz * 1000).astype("timedelta64[ms]")


def windows(value: FloatArray, rate_hz: float = 4.0, step_s: float = 300.0, keep: slice | None = None) -> EdaWindows:
    time = times(value.size, rate_hz)
    rows = np.ones(value.size, dtype=bool)
    if keep is not None:
        rows[keep] = False
    series = Series("scl_microsiemens", time[rows], value[rows])
    return eda_windows(series, step_starts(time[0], time[-1], step_s), step_s)


@pytest.mark.parametrize("rate_hz", [1.0, 4.0, 32.0])
@pytest.mark.parametrize("frequency_hz", [0.1, 0.15, 0.2])
def test_a_sine_in_the_band_has_half_its_amplitude_squared(rate_hz: float, frequency_hz: float):
    t = np.arange(round(600 * rate_hz)) / rate_hz
    found = windows(5.0 + 0.1 * np.sin(2 * np.pi * frequency_hz * t), rate_hz)
    # Averaging down to 2 Hz takes a little from the quicker waves: sin(πf/2)/(πf/2), squared.
    lost = np.sinc(frequency_hz / 2.0) ** 2 if rate_hz > 2.0 else 1.0
    np.testing.assert_allclose(found.edasymp_microsiemens2, 0.005 * lost, rtol=0.03)
    np.testing.assert_allclose(found.edasymp_share, 1.0, atol=0.03)
    np.testing.assert_array_equal(found.edasymp_quality, 1.0)


@pytest.mark.parametrize("frequency_hz", [0.005, 0.4])
def test_waves_outside_the_band_are_not_in_it(frequency_hz: float):
    t = np.arange(2400) / 4.0
    found = windows(5.0 + 0.1 * np.sin(2 * np.pi * frequency_hz * t))
    assert (found.edasymp_microsiemens2 < 0.03 * 0.005).all()


def test_the_spectrum_is_that_of_welch():
    from scipy.signal import welch

    value = 5.0 + np.cumsum(0.01 * np.random.default_rng(1).standard_normal(1200))
    found = windows(value)
    at_2_hz = value.reshape(-1, 2).mean(axis=1)
    frequency, density = welch(at_2_hz, 2.0, window="blackman", nperseg=128, noverlap=64, detrend="linear")
    in_band = (frequency >= SYMPATHETIC_BAND_HZ[0]) & (frequency <= SYMPATHETIC_BAND_HZ[1])
    assert found.edasymp_microsiemens2[0] == approx(density[in_band].sum() * frequency[1], rel=1e-6)


def test_a_gap_takes_its_segments_and_lowers_the_quality():
    value = 5.0 + 0.1 * np.sin(2 * np.pi * 0.1 * np.arange(2400) / 4.0)
    found = windows(value, keep=slice(400, 600))
    assert 0.0 < found.edasymp_quality[0] < 0.8
    assert found.edasymp_quality[1] == 1.0
    assert found.edasymp_microsiemens2[0] == approx(0.005, rel=0.04)
    assert found.phasic_quality[0] == approx(1.0 - 50.0 / 300.0, abs=0.01)


def test_more_responses_mean_more_drive_and_a_higher_count():
    t = np.arange(2400) / 4.0
    value = np.full(2400, 3.0)
    for begin, height in [(100.0, 0.3), *((320.0 + 20.0 * k, 0.3) for k in range(12))]:
        since = np.maximum(t - begin, 0.0)
        value += height * (np.exp(-since / 2.0) - np.exp(-since / 0.7)) / 0.3703
    found = windows(value)
    np.testing.assert_allclose(found.responses_per_min, [0.2, 2.4])
    np.testing.assert_allclose(found.drive_microsiemens_min, 0.3 * found.responses_per_min, rtol=0.06)
    np.testing.assert_allclose(found.amplitude_microsiemens, 0.3, rtol=0.06)
    np.testing.assert_allclose(found.tonic_microsiemens, 3.0, atol=0.02)


def test_one_window_is_a_grid_of_one_and_speaks_in_values():
    found = windows(5.0 + 0.1 * np.sin(2 * np.pi * 0.1 * np.arange(1200) / 4.0)).values(0)
    assert found.edasymp.value == approx(0.005, rel=0.03)
    assert found.edasymp.unit == "µS²"
    assert found.tonic.quality == 1.0
    assert found.drive.n == 300


def test_what_is_missing_has_its_reason():
    slow = windows(np.full(20, 2.0), rate_hz=1 / 30).values(0)
    assert slow.tonic.value == 2.0
    assert slow.drive.value is None
    assert "slower" in slow.drive.reason
    assert slow.edasymp.value is None
    nothing = windows(np.zeros(1200)).values(0)
    assert nothing.tonic.value is None
    assert nothing.tonic.reason
    short = windows(np.full(1200, 2.0), step_s=60.0).values(0)
    assert short.edasymp.value is None
    assert "64 s" in short.edasymp.reason


def test_a_flat_line_has_no_drive_and_no_share_of_no_power():
    found = windows(np.full(1200, 2.0)).values(0)
    assert found.drive.value == approx(0.0, abs=1e-3)
    assert found.responses.value == 0.0
    assert found.edasymp.value == approx(0.0, abs=1e-12)
