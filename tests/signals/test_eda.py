"""Skin conductance: the quality rules, and level and responses against known ones and against a textbook filter."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx  # noqa: PT013

from unaji.records.timeline import FloatArray, Series, TimeArray
from unaji.signals.eda import CUTOFF_HZ, eda_on_grid, split_eda, valid_eda
from unaji.signals.grid import step_starts

START = np.datetime64("2024-03-01T12:00", "ms")


def times(n: int, rate_hz: float = 4.0) -> TimeArray:
    return START + np.round(np.arange(n) / rate_hz * 1000).astype("timedelta64[ms]")


def responses(n: int, onsets: list[int], height: float, rate_hz: float = 4.0) -> FloatArray:
    """Skin conductance responses as Bateman curves of 0.75 s rise and 2 s decay."""
    t = np.arange(n) / rate_hz
    out = np.zeros(n)
    for onset in onsets:
        since = np.maximum(t - onset / rate_hz, 0.0)
        curve = np.exp(-since / 2.0) - np.exp(-since / 0.75)
        out += height * curve / curve.max()
    return out


def test_a_sensor_off_the_skin_and_a_saturated_one_are_rejected_with_five_seconds_around():
    value = np.full(400, 2.0)
    value[100], value[300] = 0.01, 61.0
    invalid = np.flatnonzero(~valid_eda(times(400), value))
    # Five seconds are twenty samples; the way up to saturation is also too quick, which marks one more on either side.
    np.testing.assert_array_equal(invalid, np.concatenate((np.arange(80, 121), np.arange(279, 322))))


def test_a_quicker_change_than_skin_can_make_is_rejected():
    value = np.full(200, 2.0)
    value[100:] += 2.4  # 9.6 µS/s
    assert valid_eda(times(200), value).all()
    value[100:] += 0.2  # 10.4 µS/s
    assert not valid_eda(times(200), value)[[99, 100]].any()


def test_level_and_responses_add_up_to_the_signal():
    rng = np.random.default_rng(1)
    value = 3 + np.cumsum(0.005 * rng.standard_normal(2000)) + responses(2000, [300, 900, 1500], 0.5)
    eda = split_eda(times(2000), value)
    assert eda.valid.all()
    np.testing.assert_allclose(eda.tonic + eda.phasic, value, atol=1e-9)


@pytest.mark.parametrize(("frequency_hz", "share"), [(0.005, 1.0), (CUTOFF_HZ, 0.5), (0.25, 0.0)])
def test_slow_waves_are_level_and_quick_ones_are_responses(frequency_hz: float, share: float):
    """The share of a wave left in the level is 1/(1 + (f/f_c)⁴): a Butterworth filter run both ways."""
    t = np.arange(8000) / 4.0
    wave = np.sin(2 * np.pi * frequency_hz * t)
    tonic = split_eda(times(8000), 5 + wave).tonic
    middle = slice(2000, 6000)
    passed = np.dot(tonic[middle] - 5, wave[middle]) / np.dot(wave[middle], wave[middle])
    assert passed == approx(share, abs=0.01)


def test_the_level_is_that_of_a_butterworth_filter_run_forwards_and_backwards():
    from scipy.signal import butter, sosfiltfilt

    rng = np.random.default_rng(2)
    value = 5 + np.cumsum(0.02 * rng.standard_normal(6000))
    ours = split_eda(times(6000), value).tonic
    theirs = sosfiltfilt(butter(2, CUTOFF_HZ, fs=4.0, output="sos"), value)
    middle = slice(500, -500)
    assert np.abs(ours - theirs)[middle].max() < 0.005


def test_a_straight_rise_is_all_level_to_its_very_ends():
    value = np.linspace(2.0, 4.0, 1200)
    np.testing.assert_allclose(split_eda(times(1200), value).phasic, 0.0, atol=1e-6)


def test_pieces_do_not_see_each_other_across_a_gap():
    rng = np.random.default_rng(3)
    first, second = 3 + 0.1 * rng.standard_normal(400), 9 + 0.1 * rng.standard_normal(500)
    time = np.concatenate((times(400), times(500) + np.timedelta64(1, "h")))
    together = split_eda(time, np.concatenate((first, second))).tonic
    np.testing.assert_allclose(together[:400], split_eda(times(400), first).tonic, atol=1e-9)
    np.testing.assert_allclose(together[400:], split_eda(times(500), second).tonic, atol=1e-9)


def test_a_short_piece_has_a_level_but_no_responses():
    eda = split_eda(times(40), np.full(40, 2.0) + responses(40, [10], 0.5))
    assert np.isfinite(eda.tonic).all()
    assert np.isnan(eda.phasic).all()


def test_a_sample_every_half_minute_is_a_level_only():
    time = START + 30_000 * np.arange(40).astype("timedelta64[ms]")
    value = 2 + 0.1 * np.sin(np.arange(40))
    eda = split_eda(time, value)
    np.testing.assert_array_equal(eda.tonic, value)
    assert np.isnan(eda.phasic).all()
    level, size = eda_on_grid(Series("scl_microsiemens", time, value), step_starts(time[0], time[-1], 300.0), 300.0)
    np.testing.assert_allclose(level.value, value.reshape(4, 10).mean(axis=1))
    np.testing.assert_allclose(level.coverage, 1.0)
    assert np.isnan(size.value).all()
    assert (size.coverage == 0).all()


def test_steps_with_more_responses_have_larger_ones():
    n = 4 * 300 * 2
    value = 3 + responses(n, [1200 + 80 * k for k in range(14)], 0.4)
    series = Series("scl_microsiemens", times(n), value)
    level, size = eda_on_grid(series, step_starts(START, times(n)[-1], 300.0), 300.0)
    assert size.value[1] > 10 * size.value[0]
    np.testing.assert_allclose(level.coverage, 1.0)


def test_no_samples_give_no_state():
    eda = split_eda(times(0), np.zeros(0))
    assert eda.tonic.size == eda.phasic.size == eda.valid.size == 0
