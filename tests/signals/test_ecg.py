"""R-peaks: against annotated recordings, invented ones with known beats, and with everything that goes wrong."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.records.ishne import read_signal as read_holter
from unaji.records.wfdb import read_annotations, read_signal
from unaji.signals import _kernels_beats, _kernels_ecg
from unaji.signals.detected import DetectedBeats, joined
from unaji.signals.ecg import EcgDetector, ecg_beats

TOLERANCE_S = 0.15  # ANSI/AAMI EC57: a detection within 150 ms of the annotation is that beat

P_Q_R_S_T = ((-0.18, 0.12, 0.025), (-0.028, -0.12, 0.009), (0.0, 1.0, 0.011), (0.03, -0.22, 0.010), (0.27, 0.25, 0.05))
"""Place [s], height and width [s] of the waves of an invented beat."""


def invented_ecg(seconds, rate_hz, *, noise=0.02, wander=0.2, seed=1):
    """An electrocardiogram of known beats that fall between the samples."""
    rng = np.random.default_rng(seed)
    n = int(seconds / 0.7)
    clock = 0.84 * np.arange(n)
    rri = 0.84 + 0.03 * np.sin(2 * np.pi * 0.1 * clock) + 0.02 * np.sin(2 * np.pi * 0.25 * clock)
    beat_s = 1.0 + np.cumsum(rri + 0.01 * rng.standard_normal(n))
    beat_s = beat_s[beat_s < seconds - 1.0]
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    ecg = wander * np.sin(2 * np.pi * 0.25 * t) + noise * rng.standard_normal(t.size)
    for beat in beat_s:
        near = slice(int((beat - 0.4) * rate_hz), int((beat + 0.6) * rate_hz))
        for place, height, width in P_Q_R_S_T:
            ecg[near] += height * np.exp(-0.5 * ((t[near] - beat - place) / width) ** 2)
    return ecg, beat_s


def matched(true_s, found_s):
    """Sensitivity, positive predictive value, and errors of the matches [s]; each beat is matched once, in order."""
    errors, i, j = [], 0, 0
    while i < len(true_s) and j < len(found_s):
        error = found_s[j] - true_s[i]
        if abs(error) <= TOLERANCE_S:
            errors.append(error)
        i, j = i + (error >= -TOLERANCE_S), j + (error <= TOLERANCE_S)
    return len(errors) / len(true_s), len(errors) / max(len(found_s), 1), np.array(errors)


def rmssd_ms(beat_s):
    return 1000.0 * np.sqrt(np.mean(np.diff(np.diff(beat_s)) ** 2))


def same(a: DetectedBeats, b: DetectedBeats) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in a.__slots__)


@pytest.mark.parametrize("rate_hz", [125.0, 250.0, 360.0, 1000.0])
def test_beats_of_an_invented_ecg_are_timed_to_a_fraction_of_a_sample(rate_hz):
    ecg, beat_s = invented_ecg(600, rate_hz)
    found = ecg_beats(ecg, rate_hz)
    sensitivity, ppv, error = matched(beat_s, found.time_s)
    assert sensitivity == ppv == 1.0
    assert 1000 * error.std() < (0.3 if rate_hz >= 250 else 0.6)
    assert abs(1000 * error.mean()) < 0.5
    assert rmssd_ms(found.time_s) == pytest.approx(rmssd_ms(beat_s), rel=2e-3 if rate_hz >= 250 else 5e-3)


def test_neither_unit_nor_polarity_nor_level_matters_to_the_beats():
    ecg, _ = invented_ecg(60, 250.0)
    time_s = ecg_beats(ecg, 250.0).time_s
    for other in (-ecg, 1e-6 * ecg, 1000.0 * ecg + 5e4):
        np.testing.assert_allclose(ecg_beats(other, 250.0).time_s, time_s, atol=1e-6)
    in_counts = ecg_beats(np.round(200 * ecg).astype(np.int16), 250.0)
    np.testing.assert_allclose(in_counts.time_s, time_s, atol=2e-3)


def test_any_chunks_give_the_beats_of_the_whole():
    ecg, _ = invented_ecg(90, 500.0, seed=4)
    ecg[20_000:21_200] = np.nan
    ecg[30_000:30_010] = np.nan
    whole = ecg_beats(ecg, 500.0)
    for seed in range(3):
        rng, detector, parts, at = np.random.default_rng(seed), EcgDetector(500.0), [], 0
        while at < ecg.size:
            size = int(rng.choice([0, 1, 7, 200, 5001, 40_000]))
            parts.append(detector.feed(ecg[at : at + size]))
            at += size
        assert same(joined([*parts, detector.finish()]), whole)


def test_beats_come_while_the_recording_runs_and_memory_stays_the_same():
    ecg, beat_s = invented_ecg(120, 250.0)
    detector, given = EcgDetector(250.0), 0
    for second in range(120):
        given += len(detector.feed(ecg[second * 250 : (second + 1) * 250]))
        if second > 10:
            assert given >= np.sum(beat_s < second - 1)
            assert detector._kept.size <= 13 * 250


def test_a_gap_in_the_recording_has_no_interval_across_it():
    ecg, beat_s = invented_ecg(60, 250.0)
    ecg[5000:5500] = np.nan
    found = ecg_beats(ecg, 250.0)
    assert np.flatnonzero(found.gap).tolist() == [0, int(np.sum(found.time_s < 20.0))]
    assert np.isnan(found.rri_ms[found.gap]).all()
    assert not ((found.time_s > 20.0) & (found.time_s < 22.0)).any()
    outside = beat_s[(beat_s < 19.9) | (beat_s > 22.1)]
    assert matched(outside, found.time_s)[0] == 1.0


def test_a_few_missing_samples_are_bridged():
    ecg, _ = invented_ecg(60, 250.0)
    ecg[5000:5005] = np.nan
    assert ecg_beats(ecg, 250.0).gap.sum() == 1


def test_a_spike_of_the_electrode_does_not_hide_what_follows():
    ecg, beat_s = invented_ecg(120, 250.0)
    for at in (50, 15_000):
        spiked = ecg.copy()
        spiked[at] = 1e9
        assert matched(beat_s[5:], ecg_beats(spiked, 250.0).time_s)[0] > 0.97


def test_beats_that_become_small_are_found_again():
    ecg, beat_s = invented_ecg(240, 250.0, noise=0.002, wander=0.0)
    ecg[30_000:] *= 0.1
    assert matched(beat_s, ecg_beats(ecg, 250.0).time_s)[0] > 0.99


def test_quality_tells_beats_from_what_only_looks_like_one():
    rng = np.random.default_rng(0)
    ecg, _ = invented_ecg(120, 250.0)
    t = np.arange(30_000) / 250.0
    assert np.nanpercentile(ecg_beats(ecg, 250.0).quality, 5) > 0.9
    for nothing in (rng.standard_normal(30_000), np.sin(2 * np.pi * 50 * t), np.cumsum(rng.standard_normal(30_000))):
        assert np.nanmedian(ecg_beats(nothing, 250.0).quality) < 0.3


@pytest.mark.parametrize(
    "ecg",
    [
        np.zeros(20_000), np.full(20_000, 5e3), np.full(1000, np.nan), np.zeros(0), np.ones(1), np.full(900, np.inf),
        np.full(20_000, 1e300),
    ],
)  # fmt: skip
def test_nothing_is_found_where_nothing_is(ecg):
    assert len(ecg_beats(ecg, 250.0)) == 0


def test_saturation_and_three_beats_raise_nothing():
    ecg, _ = invented_ecg(60, 250.0)
    assert len(ecg_beats(np.clip(ecg, -0.05, 0.05), 250.0)) > 0
    assert 1 <= len(ecg_beats(ecg[:750], 250.0)) <= 3


@pytest.mark.parametrize("rate_hz", [0.0, -250.0, 10.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(rate_hz):
    with pytest.raises(ValueError, match="sampling_rate_hz"):
        ecg_beats(np.zeros(100), rate_hz)


def test_two_leads_at_once_are_refused():
    with pytest.raises(ValueError, match="one lead"):
        ecg_beats(np.zeros((100, 2)), 250.0)


def test_the_compiled_filter_does_what_the_plain_one_does():
    from unaji.signals.ecg import _Finder

    ecg, _ = invented_ecg(8, 250.0)
    finder = _Finder(250.0)
    results = []
    for kernel in (_kernels_ecg.energy_peaks, _kernels_ecg.energy_peaks.py_func):
        state = np.zeros(1, dtype=_kernels_ecg.ENERGY)
        if kernel is not _kernels_ecg.energy_peaks:
            state = state.view(np.recarray)
        at, peak = np.zeros(64, dtype=np.int64), np.zeros(64)
        n = kernel(ecg, finder._high, finder._low, finder._smooth, 50, state, at, peak)
        results.append((at[:n], peak[:n]))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-9)


def test_the_filters_are_those_of_a_signal_library():
    from scipy.signal import butter

    from unaji.signals.ecg import _high_pass, _low_pass

    for ours, kind in ((_low_pass, "lowpass"), (_high_pass, "highpass")):
        b, a = butter(2, 2 * 0.07, kind)
        np.testing.assert_allclose(ours(0.07), [*b, *a[1:]], rtol=1e-9)


def test_missing_samples_are_held_and_jumps_after_them_removed():
    x = np.array([3.0, 4.0, np.nan, 5.0, np.nan, np.nan, np.nan, 90.0, 91.0])
    breaks, length = np.zeros((2, 9), dtype=np.int64)
    n = _kernels_beats.hold_missing(x, np.zeros(1, dtype=_kernels_beats.HOLD), 2, 1e12, breaks, length)
    assert (breaks[:n].tolist(), length[:n].tolist()) == ([7], [3])
    assert x.tolist() == [0.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0]


@pytest.mark.shared
@pytest.mark.parametrize(("lead", "least"), [("MLII", 1.0), ("V5", 0.999)])
def test_record_100_of_the_arrhythmia_database(shared_data, lead, least):
    record = shared_data / "ecg-mitdb-100"
    ecg, rate_hz = read_signal(record / "100.hea", lead)
    marks = read_annotations(record / "100.atr")
    found = ecg_beats(ecg, rate_hz)
    sensitivity, ppv, error = matched(marks.sample[marks.is_beat] / rate_hz, found.time_s)
    assert sensitivity >= least
    assert ppv >= least
    assert 1000 * error.std() < 2.5  # the annotations themselves lie on samples, 2.8 ms apart
    assert np.nanpercentile(found.quality, 5) > 0.9


@pytest.mark.shared
@pytest.mark.parametrize(
    ("cut", "least_sensitivity", "least_ppv", "least_ppv_of_good"),
    [("118e12", 0.99, 0.92, 0.99), ("118e00", 0.80, 0.65, 0.70)],
)
def test_noise_stress(shared_data, cut, least_sensitivity, least_ppv, least_ppv_of_good):
    """At 12 dB every beat is found and quality sorts out the false ones; at 0 dB no detector of one lead can."""
    ecg = np.loadtxt(shared_data / "ecg-noise-stress" / f"{cut}.csv")
    true_s = np.loadtxt(shared_data / "ecg-noise-stress" / f"{cut}_ann.csv") / 360.0
    found = ecg_beats(ecg, 360.0)
    sensitivity, ppv, _ = matched(true_s, found.time_s)
    assert sensitivity >= least_sensitivity
    assert ppv >= least_ppv
    assert matched(true_s, found.time_s[found.quality >= 0.6])[1] >= least_ppv_of_good


@pytest.mark.shared
def test_an_ecg_of_a_hobby_board_gives_plausible_intervals(shared_data):
    ecg = np.loadtxt(shared_data / "rr-pyhrv-samples" / "opensignals_ecg.txt", usecols=5)
    found = ecg_beats(ecg, 1000.0)
    assert len(found) >= 10
    assert np.nanmin(found.rri_ms) > 500
    assert np.nanmax(found.rri_ms) < 1200
    assert np.nanmedian(found.quality) > 0.8


@pytest.mark.shared
@pytest.mark.parametrize("lead", [0, 1, 2])
def test_a_holter_recording_has_the_beats_its_own_list_has(shared_data, lead):
    ecg, header = read_holter(shared_data / "ecg-holter-ishne" / "holter.ecg", lead)
    found = ecg_beats(ecg, header.sampling_rate_hz)
    rows = [line.split() for line in (shared_data / "ecg-holter-ishne" / "holter.txt").read_text().splitlines()[1:]]
    normal_s = np.array([float(time_s) for time_s, label in rows if label == "N"])
    after = np.searchsorted(found.time_s, normal_s).clip(1, len(found) - 1)
    error_s = np.minimum(np.abs(found.time_s[after] - normal_s), np.abs(found.time_s[after - 1] - normal_s))
    assert np.mean(error_s <= TOLERANCE_S) >= 0.999
    in_list = (found.time_s > normal_s[0] - TOLERANCE_S) & (found.time_s < normal_s[-1] + TOLERANCE_S)
    assert in_list.sum() <= 1.05 * normal_s.size  # the list leaves out what its maker could not use
