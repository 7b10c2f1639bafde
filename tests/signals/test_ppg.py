"""Pulses: invented ones with known beats, a phone's camera against a chest strap, and everything that goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unaji.signals import _kernels_ppg
from unaji.signals.detected import joined
from unaji.signals.ecg import ecg_beats
from unaji.signals.hrv import rmssd
from unaji.signals.ppg import PpgDetector, ppg_beats, ppg_beats_uneven
from unaji.signals.respiration import respiration_from_beats
from unaji.signals.rr import reject_artefacts


def invented_ppg(seconds, rate_hz, *, noise=0.01, seed=2):
    """A pulse wave of known beats: a systolic and a diastolic wave each, breathing in the level, noise."""
    rng = np.random.default_rng(seed)
    n = int(seconds / 0.7)
    clock = 0.84 * np.arange(n)
    rri = 0.84 + 0.03 * np.sin(2 * np.pi * 0.1 * clock) + 0.02 * np.sin(2 * np.pi * 0.25 * clock)
    beat_s = 1.0 + np.cumsum(rri + 0.01 * rng.standard_normal(n))
    beat_s = beat_s[beat_s < seconds - 1.5]
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    ppg = 0.3 * np.sin(2 * np.pi * 0.25 * t) + noise * rng.standard_normal(t.size)
    for beat in beat_s:
        near = slice(int((beat - 0.3) * rate_hz), int((beat + 1.2) * rate_hz))
        ppg[near] += np.exp(-0.5 * ((t[near] - beat - 0.2) / 0.1) ** 2)
        ppg[near] += 0.4 * np.exp(-0.5 * ((t[near] - beat - 0.5) / 0.12) ** 2)
    return ppg, beat_s


def paired(true_s, found_s, tolerance_s=0.15):
    """For each true beat the index of the found one within the tolerance, −1 where there is none; one to one."""
    pair = np.full(len(true_s), -1)
    i = j = 0
    while i < len(true_s) and j < len(found_s):
        error = found_s[j] - true_s[i]
        if abs(error) <= tolerance_s:
            pair[i] = j
        i, j = i + (error >= -tolerance_s), j + (error <= tolerance_s)
    return pair


def f1(true_s, found_s):
    return 2.0 * np.sum(paired(true_s, found_s) >= 0) / (len(true_s) + len(found_s))


@pytest.mark.parametrize(("rate_hz", "jitter_ms"), [(20.0, 5.0), (32.0, 3.0), (64.0, 3.0), (100.0, 3.0)])
def test_invented_pulses_are_found_and_timed_between_the_samples(rate_hz, jitter_ms):
    ppg, beat_s = invented_ppg(600, rate_hz)
    found = ppg_beats(ppg, rate_hz)
    assert f1(beat_s + 0.1, found.time_s) > 0.998
    pair = paired(beat_s + 0.1, found.time_s)
    error_ms = 1000 * (found.time_s[pair] - beat_s - 0.1)[pair >= 0]
    assert error_ms.std() < jitter_ms
    assert np.nanmedian(found.quality) > 0.8


def test_uneven_samples_give_the_beats_of_even_ones():
    ppg, _ = invented_ppg(120, 100.0)
    keep = np.sort(np.random.default_rng(0).choice(ppg.size, ppg.size // 3, replace=False))
    uneven = ppg_beats_uneven(keep / 100.0 + 50.0, ppg[keep])
    even = ppg_beats(ppg, 100.0)
    assert f1(even.time_s, uneven.time_s - 50.0) > 0.97
    assert np.nanmedian(np.abs(uneven.time_s[5:9] - 50.0 - even.time_s[5:9])) < 0.02


def test_a_camera_sees_pulses_upside_down():
    ppg, _ = invented_ppg(60, 64.0)
    np.testing.assert_array_equal(ppg_beats(200.0 - ppg, 64.0, inverted=True).gap, ppg_beats(ppg, 64.0).gap)
    np.testing.assert_allclose(
        ppg_beats(200.0 - ppg, 64.0, inverted=True).time_s, ppg_beats(ppg, 64.0).time_s, atol=1e-6
    )


def test_a_gap_has_no_pulses_and_no_interval_across_it():
    ppg, _ = invented_ppg(60, 64.0)
    ppg[1280:1920] = np.nan
    found = ppg_beats(ppg, 64.0)
    assert not ((found.time_s > 20.1) & (found.time_s < 29.9)).any()
    assert found.gap.sum() == 2
    assert np.isnan(found.rri_ms).sum() == 2


def test_amplitude_and_level_follow_the_pulse():
    ppg, _ = invented_ppg(60, 64.0, noise=0.0)
    twice = ppg_beats(5.0 + 2.0 * ppg, 64.0)
    once = ppg_beats(ppg, 64.0)
    np.testing.assert_allclose(twice.amplitude, 2.0 * once.amplitude, rtol=1e-6)
    assert np.median(once.amplitude) == pytest.approx(1.0, abs=0.25)


def test_intervals_become_beats_of_a_timeline_and_bad_ones_nan():
    ppg, _ = invented_ppg(60, 64.0)
    ppg[1280:1920] = np.nan
    found = ppg_beats(ppg, 64.0)
    start = datetime(2024, 5, 1, 8, 30, tzinfo=UTC)
    beats = found.to_beats(start, "ppg")
    assert len(beats) == len(found) - 2
    assert beats.gap.sum() == 2
    np.testing.assert_array_equal(beats.rri_ms, found.rri_ms[~found.gap])
    assert beats.time[0] == np.datetime64("2024-05-01T08:30:00", "ms") + np.timedelta64(
        round(1000 * found.time_s[1]), "ms"
    )
    good = found.to_beats(start, "ppg", min_quality=float(np.nanmedian(found.quality)))
    assert 0 < np.isnan(good.rri_ms).sum() < len(good)


@pytest.mark.parametrize("rate_hz", [25.0, 64.0])
def test_any_chunks_give_the_pulses_of_the_whole(rate_hz):
    ppg, _ = invented_ppg(200, rate_hz)
    ppg[int(50 * rate_hz) : int(53 * rate_hz)] = np.nan
    whole = ppg_beats(ppg, rate_hz)
    assert len(whole) > 200
    for seed in range(3):
        rng, detector, parts, at = np.random.default_rng(seed), PpgDetector(rate_hz), [], 0
        while at < ppg.size:
            size = int(rng.choice([0, 1, 7, 200, 3001]))
            parts.append(detector.feed(ppg[at : at + size]))
            at += size
            assert detector._kept.size < 30 * 100
        found = joined([*parts, detector.finish()])
        for name in found.__slots__:
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


@pytest.mark.parametrize("rate_hz", [20.0, 64.0])
@pytest.mark.parametrize(
    "ppg", [np.zeros(9000), np.full(9000, 3.3), np.full(999, np.nan), np.zeros(0), np.ones(1), np.arange(5.0)]
)
def test_nothing_is_found_where_nothing_is(ppg, rate_hz):
    assert len(ppg_beats(ppg, rate_hz)) == 0
    assert len(ppg_beats_uneven(np.arange(ppg.size) / rate_hz, ppg)) == 0


@given(
    arrays(np.float64, st.integers(0, 700), elements=st.floats(allow_nan=True, allow_infinity=True, width=64)),
    st.sampled_from([20.0, 64.0, 300.0]),
)
def test_whatever_comes_in_beats_come_out_in_order_or_none(samples, rate_hz):
    for found in (ppg_beats(samples, rate_hz), ecg_beats(np.resize(samples, 3 * samples.size), max(rate_hz, 50.0))):
        assert (np.diff(found.time_s) > 0.15).all()
        assert ((found.quality >= 0.0) & (found.quality <= 1.0 + 1e-9) | np.isnan(found.quality)).all()
        assert len(found.to_beats(datetime(2024, 5, 1, tzinfo=UTC), "ppg")) == np.sum(~found.gap)
        assert all(respiration_from_beats(found, np.arange(0.0, 60.0, 30.0)).reason)


def test_noise_has_pulses_of_low_quality_only():
    rng = np.random.default_rng(0)
    for noise in (rng.standard_normal(20_000), np.cumsum(rng.standard_normal(20_000))):
        assert np.nanmedian(ppg_beats(noise, 64.0).quality) < 0.3


def test_what_a_caller_gets_wrong_is_refused():
    with pytest.raises(ValueError, match="sampling_rate_hz"):
        ppg_beats(np.zeros(10), 1.0)
    with pytest.raises(ValueError, match="one channel"):
        ppg_beats(np.zeros((10, 2)), 64.0)
    with pytest.raises(ValueError, match="ascend"):
        ppg_beats_uneven(np.array([0.0, 2.0, 1.0, 3.0]), np.zeros(4))
    with pytest.raises(ValueError, match="shape"):
        ppg_beats_uneven(np.arange(3.0), np.zeros(4))


def brute_force_peaks(x, longest):
    """The published matrix: rows are scales, columns samples, cut below the row with most maxima."""
    t = np.arange(x.size)
    flat = x - np.polyval(np.polyfit(t, x, 1), t)
    scales = min(longest, (x.size - 1) // 2)
    matrix = np.zeros((scales, x.size), dtype=bool)
    for k in range(1, scales + 1):
        for i in range(k, x.size - k):
            matrix[k - 1, i] = flat[i] > flat[i - k] and flat[i] > flat[i + k]
    cut = np.argmax(matrix.sum(axis=1)) + 1
    return matrix[:cut].all(axis=0)


def test_the_search_agrees_with_its_published_matrix():
    ppg, _ = invented_ppg(6, 20.0, noise=0.1)
    for kernel in (_kernels_ppg.multiscale_peaks, _kernels_ppg.multiscale_peaks.py_func):
        np.testing.assert_array_equal(kernel(ppg, 120, 96, 20, True), brute_force_peaks(ppg, 20))


# -- a phone's camera against a chest strap ----------------------------------------------------------------------------


def camera(record):
    table = np.genfromtxt(record / "PPG.csv", delimiter=",", skip_header=1)
    return table[:, 0] / 1000.0, table[:, 1]


def placed(strap_s, found_s, span_s):
    """Shift the strap's beats to where they fit the found ones best: the two did not start together."""
    best, shift = np.inf, 0.0
    for offset in np.unique(np.round((found_s[:, None] - strap_s[None, :]).ravel(), 2)):
        moved = strap_s + offset
        moved = moved[(moved > 0.0) & (moved < span_s)]
        if moved.size >= 0.7 * strap_s.size:
            after = np.searchsorted(found_s, moved).clip(1, found_s.size - 1)
            error = np.minimum(np.abs(found_s[after] - moved), np.abs(found_s[after - 1] - moved))
            cost = np.minimum(error, 0.15).mean()
            if cost < best:
                best, shift = cost, offset
    return strap_s + shift


def both(record):
    """Return the camera's beats and the strap's [s] where both recorded."""
    time_s, red = camera(record)
    found = ppg_beats_uneven(time_s, red, inverted=True)
    rri_ms = np.array((record / "RR.txt").read_text().split(), dtype=float)
    strap_s = placed(np.append(0.0, np.cumsum(rri_ms)) / 1000.0, found.time_s, time_s[-1])
    strap_s = strap_s[(strap_s > 0.3) & (strap_s < time_s[-1] - 0.3)]
    inside = (found.time_s > strap_s[0] - 0.2) & (found.time_s < strap_s[-1] + 0.2)
    return found.where(inside), strap_s


def usable(beats, least_quality):
    """Intervals of two good beats that `reject_artefacts` leaves [ms]; NaN for the others."""
    good = ~(beats.quality < least_quality)
    rri_ms = np.where(good & np.append(False, good)[: len(beats)], beats.rri_ms, np.nan)
    return np.where(reject_artefacts(rri_ms, beats.gap).keep, rri_ms, np.nan)


def rmssd_error(found, strap_s, least_quality):
    """Return by how much the camera's own RMSSD is off the strap's, and the share of the time that is behind it."""
    by_camera, by_strap = usable(found, least_quality), 1000.0 * np.diff(strap_s)
    by_strap = np.where(reject_artefacts(by_strap).keep, by_strap, np.nan)
    kept = np.nansum(by_camera) / 1000.0 / (strap_s[-1] - strap_s[0])
    few = np.isfinite(np.diff(by_camera)).sum() < 6
    return np.nan if few else rmssd(by_camera, found.gap) / rmssd(by_strap) - 1.0, kept


def compared(record):
    """Return F1 of the beats, and RMSSD of the intervals both have, by camera over by strap."""
    found, strap_s = both(record)
    pair = paired(strap_s, found.time_s)
    in_both = (pair[1:] >= 0) & (pair[:-1] >= 0) & (np.diff(pair) == 1)
    by_camera = np.where(in_both, np.diff(found.time_s[pair]), np.nan)
    by_strap = np.where(in_both, np.diff(strap_s), np.nan)
    ratio = np.sqrt(np.nanmean(np.diff(by_camera) ** 2) / np.nanmean(np.diff(by_strap) ** 2))
    return f1(strap_s, found.time_s), ratio


@pytest.mark.shared
def test_a_phones_camera_against_a_chest_strap(shared_data):
    records = sorted((shared_data / "ppg-rr-welltory").glob("subject_*"))
    score, ratio = np.array([compared(record) for record in records]).T
    assert len(records) == 14
    assert score.mean() > 0.92
    assert np.median(score) > 0.95
    assert score.min() > 0.6  # one recording is mostly noise
    assert np.median(np.abs(ratio - 1.0)) < 0.25  # pulses are not beats, and the camera's frames are 30 ms apart


@pytest.mark.shared
def test_quality_halves_the_error_of_rmssd_from_a_camera(shared_data):
    """The camera by itself, artefacts rejected, against the strap: with all beats, and with those of quality 0.5."""
    pairs = [both(record) for record in sorted((shared_data / "ppg-rr-welltory").glob("subject_*"))]
    all_error, all_kept = np.array([rmssd_error(*pair, 0.0) for pair in pairs]).T
    error, kept = np.array([rmssd_error(*pair, 0.5) for pair in pairs]).T
    assert np.isfinite(error).sum() == 13  # of one recording nothing is left
    assert np.nanmedian(np.abs(all_error)) > 0.2
    assert np.nanmedian(np.abs(error)) < 0.15
    assert np.nanpercentile(np.abs(error), 75) < 0.28
    assert all_kept.mean() > 0.85
    assert kept.mean() > 0.68


@pytest.mark.shared
def test_a_threshold_chosen_on_the_other_recordings_does_as_well(shared_data):
    pairs = [both(record) for record in sorted((shared_data / "ppg-rr-welltory").glob("subject_*"))]
    table = np.array([[rmssd_error(*pair, least)[0] for pair in pairs] for least in (0.0, 0.3, 0.5, 0.6, 0.7)])
    chosen = []
    for k in range(len(pairs)):
        others = np.nanmedian(np.abs(np.delete(table, k, axis=1)), axis=1)
        chosen.append(table[np.argmin(others), k])
    assert np.nanmedian(np.abs(chosen)) < 0.15


def test_a_long_pause_costs_neither_time_nor_memory():
    ppg, _ = invented_ppg(30, 64.0)
    t = np.arange(ppg.size) / 64.0
    found = ppg_beats_uneven(np.append(t, t + 1e8), np.append(ppg, ppg))
    once = ppg_beats_uneven(t, ppg)
    early = found.time_s < 1e6
    assert early.sum() == len(once)
    np.testing.assert_allclose(found.time_s[early], once.time_s, atol=0.01)
    np.testing.assert_allclose(found.time_s[~early][2:] - 1e8, once.time_s[2:], atol=0.03)
    assert np.flatnonzero(found.gap).tolist() == [0, len(once)]
