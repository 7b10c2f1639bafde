"""R-peaks: against annotated recordings, invented ones with known beats, and with everything that goes wrong."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.records.ishne import read_signal as read_holter
from unaji.records.wfdb import read_annotations, read_signal
from unaji.signals import _kernels_beats, _kernels_ecg
from unaji.signals.detected import DetectedBeats, joined
from unaji.signals.ecg import EcgDetector, agreement, ecg_beats

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


def test_only_the_first_beat_has_nothing_to_be_compared_with():
    ecg, _ = invented_ecg(60, 250.0)
    assert np.flatnonzero(np.isnan(ecg_beats(ecg, 250.0).quality)).tolist() == [0]


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


def test_a_burst_of_like_jumps_does_not_become_the_usual_beat():
    """Six jumps of one shape in a row, larger than the beats: their quality stays low, and that of the beats high."""
    ecg, _ = invented_ecg(120, 250.0)
    jump_s = 60.4 + 0.9 * np.arange(6)
    since = np.arange(125) / 250.0
    for at in (jump_s * 250).astype(int):
        ecg[at : at + 125] += 12.0 * (1.0 - np.exp(-since / 0.03)) * np.exp(-since / 0.2)
    found = ecg_beats(ecg, 250.0)
    among_jumps = (found.time_s > 60.0) & (found.time_s < 65.4)
    assert among_jumps.sum() >= 6
    assert (found.quality[among_jumps] < 0.3).all()
    assert np.nanmedian(found.quality[found.time_s > 67.0]) > 0.9


def test_a_change_of_posture_is_followed():
    """From one minute on all beats look otherwise: after some twenty of them their quality is high again."""
    ecg, _ = invented_ecg(120, 250.0)
    turned = np.where(np.arange(ecg.size) < 15_000, ecg, -np.gradient(ecg) * 8.0)
    found = ecg_beats(turned, 250.0)
    assert np.nanmedian(found.quality[found.time_s < 60.0]) > 0.9
    assert np.nanmedian(found.quality[(found.time_s > 61.0) & (found.time_s < 70.0)]) < 0.8
    assert np.nanmedian(found.quality[found.time_s > 85.0]) > 0.9


def brute_force_agreement(first_s, second_s):
    shares = []
    for now in first_s:
        first = [t for t in first_s if now - 10.0 < t <= now]
        second = [t for t in second_s if now - 10.0 < t <= now]
        shared = [t for t in first if any(abs(t - other) <= 0.15 for other in second_s)]
        alone = [t for t in second if not any(abs(t - other) <= 0.15 for other in first_s)]
        shares.append(len(shared) / (len(first) + len(alone)))
    return np.array(shares)


def test_agreement_is_the_share_of_beats_that_both_found():
    rng = np.random.default_rng(2)
    first_s = np.cumsum(0.21 + rng.exponential(0.6, 200))
    second_s = np.sort(
        np.concatenate((first_s[rng.random(200) < 0.8] + 0.1 * rng.standard_normal(), rng.random(40) * 150))
    )
    np.testing.assert_array_equal(agreement(first_s, second_s), brute_force_agreement(first_s, second_s))
    assert (agreement(first_s, first_s) == 1.0).all()
    assert (agreement(first_s, np.zeros(0)) == 0.0).all()


def test_the_second_detector_finds_the_beats_by_itself():
    from unaji.signals.ecg import _Lengths

    ecg, beat_s = invented_ecg(120, 250.0)
    second = _Lengths(250.0)
    found_s = np.concatenate((second.feed(ecg), second.finish()))
    sensitivity, ppv, error = matched(beat_s, found_s)
    assert min(sensitivity, ppv) > 0.99
    assert abs(error.mean()) < 0.03


def test_the_length_of_the_curve_is_the_sum_of_its_ups_and_downs():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3000)
    total = x.reshape(-1, 3).sum(axis=1)
    step = np.abs(total - np.concatenate(([0.0, 0.0], total[:-2])))
    length = np.convolve(step, np.ones(7))[: step.size]
    for kernel in (_kernels_ecg.length_peaks, _kernels_ecg.length_peaks.py_func):
        state = np.zeros(1, dtype=_kernels_ecg.LENGTH)
        if kernel is not _kernels_ecg.length_peaks:
            state = state.view(np.recarray)
        at, peak = np.zeros(200, dtype=np.int64), np.zeros(200)
        n = kernel(x, 3, 7, 20, state, at, peak)
        assert n > 20
        np.testing.assert_allclose(peak[:n], length[at[:n]])
        highest = [length[max(k - 19, 0) : k + 20].max() for k in at[1:n]]
        assert np.mean(length[at[1:n]] == highest) > 0.5


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


def share_kept(found, seconds, least=0.5):
    """Share of the recording between two good beats that follow each other."""
    good = found.quality >= least
    both = good[1:] & good[:-1] & ~found.gap[1:]
    return np.diff(found.time_s)[both].sum() / seconds


@pytest.mark.shared
@pytest.mark.parametrize(
    ("cut", "of_all", "of_good", "least_kept"),
    [("118e12", (1.0, 0.94), (0.93, 1.0), 0.80), ("118e00", (0.82, 0.69), (0.46, 0.98), 0.35)],
)
def test_noise_stress(shared_data, cut, of_all, of_good, least_kept):
    """Sensitivity and positive predictive value of all beats, and of those of quality 0.5 and more.

    At 12 dB every beat is found and quality sorts out the false ones. At 0 dB one lead cannot tell all beats from the
    electrode's jumps, which are larger and as steep: quality keeps a third of the recording and what is in it is right.
    """
    ecg = np.loadtxt(shared_data / "ecg-noise-stress" / f"{cut}.csv")
    true_s = np.loadtxt(shared_data / "ecg-noise-stress" / f"{cut}_ann.csv") / 360.0
    found = ecg_beats(ecg, 360.0)
    good = found.where(found.quality >= 0.5)
    for beats, least in ((found, of_all), (good, of_good)):
        assert all(np.array(matched(true_s, beats.time_s)[:2]) >= least)
    assert share_kept(found, ecg.size / 360.0) >= least_kept


@pytest.mark.shared
@pytest.mark.parametrize("lead", ["MLII", "V5"])
def test_quality_keeps_a_clean_record_whole(shared_data, lead):
    ecg, rate_hz = read_signal(shared_data / "ecg-mitdb-100" / "100.hea", lead)
    assert share_kept(ecg_beats(ecg, rate_hz), ecg.size / rate_hz) >= 0.995


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
