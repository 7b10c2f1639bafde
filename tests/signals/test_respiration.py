"""Breathing: invented rates are found, other waves are not taken for it, and where it cannot be told it is not."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.records.wfdb import read_signal
from unaji.signals.detected import DetectedBeats
from unaji.signals.ecg import ecg_beats
from unaji.signals.respiration import respiration_from_beats, respiration_from_intervals

STARTS_S = np.arange(0.0, 1200.0, 60.0)


def breathing(breaths_per_min, depth_ms, *, seed=0, noise_ms=10.0, mayer_ms=15.0, n=1600):
    """Intervals with breathing, the 0.1 Hz wave of blood pressure, and noise."""
    rng = np.random.default_rng(seed)
    t = 0.85 * np.arange(n)
    rri_ms = 850.0 + depth_ms * np.sin(2 * np.pi * breaths_per_min / 60.0 * t)
    rri_ms += mayer_ms * np.sin(2 * np.pi * 0.095 * t) + noise_ms * rng.standard_normal(n)
    return np.cumsum(rri_ms) / 1000.0, rri_ms


@pytest.mark.parametrize("breaths_per_min", [9.5, 12.0, 15.0, 20.0, 26.0])
def test_a_known_rate_is_found_in_the_intervals(breaths_per_min):
    found = respiration_from_intervals(*breathing(breaths_per_min, 40.0), STARTS_S)
    assert np.isfinite(found.breaths_per_min).mean() > 0.9
    assert np.nanmax(np.abs(found.breaths_per_min - breaths_per_min)) < 0.5
    assert found.confidence[np.isfinite(found.breaths_per_min)].min() >= 0.57


def test_slow_breathing_is_believed_only_where_little_else_is_there():
    alone = respiration_from_intervals(*breathing(6.5, 60.0, mayer_ms=0.0), STARTS_S)
    assert np.nanmedian(alone.breaths_per_min) == pytest.approx(6.5, abs=0.3)
    mayer = respiration_from_intervals(*breathing(15.0, 8.0, mayer_ms=30.0), STARTS_S)
    assert np.isnan(mayer.breaths_per_min).mean() > 0.8
    assert any("blood pressure" in reason for reason in mayer.reason)


def test_noise_is_hardly_ever_taken_for_breathing():
    rng = np.random.default_rng(0)
    rri_ms = 800.0 + 50.0 * rng.standard_normal(60_000)
    found = respiration_from_intervals(np.cumsum(rri_ms) / 1000.0, rri_ms, np.arange(0.0, 47_000.0, 60.0))
    assert np.isfinite(found.breaths_per_min).mean() < 0.02


def test_noise_in_heights_and_levels_is_hardly_ever_taken_for_breathing():
    rng = np.random.default_rng(1)
    time_s = np.cumsum(0.8 + 0.03 * rng.standard_normal(60_000))
    noise = rng.standard_normal((2, time_s.size))
    beats = DetectedBeats(time_s, np.ones(time_s.size), *noise, time_s == time_s[0])
    found = respiration_from_beats(beats, np.arange(0.0, 47_000.0, 60.0))
    assert np.isfinite(found.breaths_per_min).mean() < 0.02


def test_every_missing_rate_has_a_reason_and_no_other_has():
    time_s, rri_ms = breathing(15.0, 20.0)
    rri_ms[200:300] = np.nan
    found = respiration_from_intervals(time_s, rri_ms, np.arange(-120.0, 1600.0, 30.0))
    assert [not reason for reason in found.reason] == np.isfinite(found.breaths_per_min).tolist()
    assert "80%" in found.reason[0]
    assert len(found) == len(found.reason) == found.confidence.size


def test_a_wave_faster_than_half_the_heart_rate_is_not_looked_for():
    rng = np.random.default_rng(0)
    rri_ms = 1500.0 + 40.0 * np.cos(np.pi * np.arange(800)) + rng.standard_normal(800)  # 20 a minute: the limit itself
    found = respiration_from_intervals(np.cumsum(rri_ms) / 1000.0, rri_ms, STARTS_S)
    assert not (found.breaths_per_min > 20.0).any()


def test_heights_and_levels_tell_what_the_intervals_do_not():
    time_s, rri_ms = breathing(16.0, 0.0, mayer_ms=20.0)
    rng = np.random.default_rng(3)
    wave = np.sin(2 * np.pi * 16.0 / 60.0 * time_s)
    beats = DetectedBeats(
        time_s, np.full(time_s.size, 0.95), 1.0 + 0.05 * wave + 0.01 * rng.standard_normal(time_s.size),
        0.1 * wave + 0.02 * rng.standard_normal(time_s.size), np.append(True, np.zeros(time_s.size - 1, dtype=bool)),
    )  # fmt: skip
    alone = respiration_from_intervals(time_s, rri_ms, STARTS_S)
    fused = respiration_from_beats(beats, STARTS_S)
    assert np.isnan(alone.breaths_per_min).mean() > 0.5
    assert np.isfinite(fused.breaths_per_min).mean() > 0.9
    assert np.nanmax(np.abs(fused.breaths_per_min - 16.0)) < 0.5


def test_beats_of_low_quality_take_no_part():
    time_s, _ = breathing(16.0, 40.0)
    nothing = np.zeros(time_s.size)
    beats = DetectedBeats(time_s, nothing + 0.1, nothing, nothing, nothing > 0)
    assert not np.isfinite(respiration_from_beats(beats, STARTS_S).breaths_per_min).any()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_hardly_any_beats_give_reasons(n):
    found = respiration_from_intervals(np.arange(float(n)), np.full(n, 1000.0), STARTS_S)
    assert all(found.reason)


def test_what_a_caller_gets_wrong_is_refused():
    with pytest.raises(ValueError, match="shape"):
        respiration_from_intervals(np.arange(3.0), np.zeros(4), STARTS_S)
    with pytest.raises(ValueError, match="window_s"):
        respiration_from_intervals(np.arange(3.0), np.zeros(3), STARTS_S, window_s=5.0)


@pytest.mark.shared
def test_two_leads_of_one_record_agree_about_the_breathing(shared_data):
    """There is no belt in this record; heights in two leads are two witnesses."""
    starts_s = np.arange(0.0, 1740.0, 60.0)
    first, second = (
        respiration_from_beats(ecg_beats(*read_signal(shared_data / "ecg-mitdb-100" / "100.hea", lead)), starts_s)
        for lead in ("MLII", "V5")
    )
    both = np.isfinite(first.breaths_per_min) & np.isfinite(second.breaths_per_min)
    assert both.sum() >= 8
    assert np.median(np.abs(first.breaths_per_min - second.breaths_per_min)[both]) < 0.5
