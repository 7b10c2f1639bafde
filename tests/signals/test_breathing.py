"""The breathing rate of a window: found where it is plain, else the reason, and nothing far away takes part."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.records.timeline import FloatArray
from unaji.signals.breathing import breathing_rate
from unaji.signals.indices import hrv, hrv_table
from unaji.signals.reasons import Reason
from unaji.signals.tachogram import Tachogram


def breathing_ms(rate_hz: FloatArray | float, n: int = 800, noise_ms: float = 5.0) -> Tachogram:
    """Invent intervals with a wave of breathing of 40 ms."""
    rng = np.random.default_rng(3)
    phase = np.cumsum(np.broadcast_to(rate_hz, n)) * 0.85
    return Tachogram.of_intervals(850 + 40 * np.sin(2 * np.pi * phase) + noise_ms * rng.standard_normal(n))


@pytest.mark.parametrize("rate_hz", [0.12, 0.17, 0.25, 0.33])
def test_a_plain_wave_is_found(rate_hz: float):
    found = breathing_rate(breathing_ms(rate_hz), np.array([5.0, 200.0]), 300.0)
    np.testing.assert_allclose(found.rate_hz, rate_hz, rtol=0.03)
    assert np.all(found.standard_error_hz < 0.02)


def test_what_is_no_rate_has_its_reason():
    rng = np.random.default_rng(1)
    noise = Tachogram.of_intervals(850 + 30 * rng.standard_normal(800))
    assert breathing_rate(noise, np.array([5.0]), 300.0).reason[0] == Reason.NO_BREATHING_PEAK
    two = breathing_ms(np.where(np.arange(800) < 180, 0.18, 0.33))
    assert breathing_rate(two, np.array([5.0]), 300.0).reason[0] == Reason.BREATHING_CHANGES
    for flat_ms in (800.0, 811.3):  # the second is no exact number of the processor's
        flat = Tachogram.of_intervals(np.full(600, flat_ms))
        assert breathing_rate(flat, np.array([5.0]), 300.0).reason[0] == Reason.NO_BREATHING_PEAK
    assert breathing_rate(noise, np.array([5.0]), 50.0).reason[0] == Reason.SHORT
    assert breathing_rate(noise, np.array([5000.0]), 300.0).reason[0] == Reason.GAPS
    assert breathing_rate(Tachogram.of_intervals(np.zeros(0)), np.array([0.0]), 300.0).reason[0] == Reason.GAPS


def test_a_minute_at_the_edge_of_a_hole_is_left_out():
    """What comes after an hour without beats does not change the last minute before it."""
    one = breathing_ms(0.25, 400)
    far = Tachogram.of_times(
        np.append(one.end_s, one.end_s[-1] + 4000.0 + one.end_s), np.append(one.rri_ms, 3 * one.rri_ms / 2),
        gap=np.arange(800) == 400,
    )  # fmt: skip
    start_s = np.array([40.0])
    assert breathing_rate(one, start_s, 300.0).rate_hz == breathing_rate(far, start_s, 300.0).rate_hz


def test_the_band_follows_slow_breathing_and_says_so():
    """A wave of 40 ms at 0.12 Hz has 800 ms², which the fixed HF band does not see."""
    values = hrv(breathing_ms(0.12, 400), derive_respiration=True)
    assert values["respiration_hz"].value == pytest.approx(0.12, rel=0.03)
    assert values["hf_resp_ms2"].value == pytest.approx(800, rel=0.1)
    assert values["hf_ms2"].value < 40
    for name in ("respiration_hz", "hf_resp_ms2", "hf_ms2", "lf_ms2"):
        assert values[name].reason == Reason.SLOW_BREATHING.en
    at_rest = hrv(breathing_ms(0.25, 400), derive_respiration=True)
    assert at_rest["hf_ms2"].reason == ""
    assert at_rest["hf_resp_ms2"].value == pytest.approx(at_rest["hf_ms2"].value, rel=0.1)


def test_a_rate_that_was_given_counts_before_one_derived():
    tachogram = breathing_ms(0.25)
    start_s = np.array([5.0, 200.0])
    table = hrv_table(
        tachogram, start_s, 300.0, resp_rate_hz=np.array([0.2, np.nan]), derive_respiration=True, nonlinear=False
    )
    np.testing.assert_allclose(table.columns["respiration_hz"].value, [0.2, 0.25], rtol=0.03)
