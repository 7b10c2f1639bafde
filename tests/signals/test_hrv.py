"""Heart rate variability against hand-worked, published and brute-force values."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unaji.records.timeline import FloatArray
from unaji.signals.hrv import (
    MAX_REJECTED_SHARE,
    MIN_BEATS,
    MIN_DIFFERENCES,
    MIN_SDNN_COVERAGE,
    hrv_windows,
    mean_hr,
    pnn50,
    rmssd,
    sdnn,
    sdsd,
    valid_differences,
)

TEN_BEATS_MS = np.array([812, 800, 871, 865, 790, 843, 905, 848, 796, 858.0])
rri_series = arrays(float, st.integers(3, 60), elements=st.floats(300, 2000))


def test_ten_beats_worked_by_hand():
    """The differences are −12, 71, −6, −75, 53, 62, −57, −52, 62: squares 27 296 in all, seven of nine above 50 ms."""
    assert rmssd(TEN_BEATS_MS) == pytest.approx(55.0717, abs=1e-4)
    assert pnn50(TEN_BEATS_MS) == pytest.approx(7 / 9)
    assert mean_hr(TEN_BEATS_MS) == pytest.approx(60_000 / 838.8)
    # Squared distances from the mean of 838.8 ms add up to 13 013.6; over nine that is 1445.9556.
    assert sdnn(TEN_BEATS_MS) == pytest.approx(np.sqrt(13_013.6 / 9))


def test_no_difference_is_taken_across_a_rejected_beat_or_a_gap():
    rejected = np.array([800.0, 810.0, np.nan, 900.0, 905.0])
    np.testing.assert_allclose(valid_differences(rejected), [10.0, 5.0])
    gap = np.array([False, False, False, True, False])
    np.testing.assert_allclose(valid_differences(np.array([800.0, 810.0, 815.0, 900.0, 905.0]), gap), [10.0, 5.0, 5.0])


def test_too_few_beats_give_nan_and_not_an_error():
    nothing = np.array([np.nan, np.nan])
    assert all(np.isnan(index(nothing)) for index in (mean_hr, sdnn, rmssd, sdsd, pnn50))
    one = np.array([800.0])
    assert mean_hr(one) == pytest.approx(75.0)
    assert all(np.isnan(index(one)) for index in (sdnn, rmssd, sdsd, pnn50))


@given(rri_series, st.floats(-200, 200))
def test_variability_does_not_see_a_constant_shift(rri_ms: FloatArray, shift_ms: float):
    for index in (rmssd, sdnn, sdsd):
        assert index(rri_ms + shift_ms) == pytest.approx(index(rri_ms), abs=1e-6)


@given(rri_series, st.floats(0.1, 10))
def test_variability_scales_with_the_intervals_and_the_rate_against_them(rri_ms: FloatArray, factor: float):
    for index in (rmssd, sdnn, sdsd):
        assert index(factor * rri_ms) == pytest.approx(factor * index(rri_ms), rel=1e-9, abs=1e-6)
    assert mean_hr(factor * rri_ms) == pytest.approx(mean_hr(rri_ms) / factor)


@given(rri_series, rri_series)
def test_two_stretches_with_a_gap_between_have_the_differences_of_both(first: FloatArray, second: FloatArray):
    gap = np.zeros(first.size + second.size, dtype=bool)
    gap[first.size] = True
    together = valid_differences(np.concatenate((first, second)), gap)
    np.testing.assert_allclose(together, np.concatenate((np.diff(first), np.diff(second))))


@pytest.mark.shared
def test_kubios_values_of_245_intervals(shared_data: Path):
    """Kubios 2.2 prints SDNN 84.691, pNN50 26.230 and RMSSD 45.545; five open tools say 45.547 for the last."""
    rri_ms = np.loadtxt(shared_data / "rr-kubios-245" / "rr.txt", delimiter=",", skiprows=1)[:, 1]
    assert rri_ms.size == 245
    assert sdnn(rri_ms) == pytest.approx(84.691, abs=5e-4)
    assert 100 * pnn50(rri_ms) == pytest.approx(26.230, abs=5e-4)
    assert rmssd(rri_ms) == pytest.approx(45.547, abs=5e-4)
    assert rmssd(rri_ms) == pytest.approx(45.545, abs=2.5e-3)


@pytest.mark.shared
def test_values_of_the_hrv_analysis_package_for_1000_intervals(shared_data: Path):
    folder = shared_data / "rr-hrvanalysis-test"
    expected = json.loads((folder / "expected.json").read_text())
    rri_ms = np.fromstring((folder / "test_nn_intervals.txt").read_text().replace("\n", ","), sep=",")
    assert rri_ms.size == 1000
    assert sdnn(rri_ms) == pytest.approx(expected["sdnn"], rel=1e-9)
    assert rmssd(rri_ms) == pytest.approx(expected["rmssd"], rel=1e-9)
    assert 100 * pnn50(rri_ms) == pytest.approx(expected["pnni_50"], rel=1e-9)
    assert 60_000 / mean_hr(rri_ms) == pytest.approx(expected["mean_nni"], rel=1e-9)
    # That package takes the mean of the rates, which is larger than the rate of the mean.
    assert mean_hr(rri_ms) < expected["mean_hr"]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("record", "n_same", "n_unbroken"), [("nsr001", 165, 52), ("nsr004", 201, 147), ("nsr009", 154, 154)]
)
def test_windows_of_the_physionet_toolbox(shared_data: Path, annotations, record: str, n_same: int, n_unbroken: int):
    """Mean and SDNN agree to the printed digits in every window in which both use the same beats, RMSSD if unbroken.

    The reference was made with 125 Hz although the files say 128, from intervals between normal beats above 375 ms, in
    windows counted from the first annotation. In the other windows the toolbox took out more beats; where a beat is
    missing it takes the difference across it, and we do not.
    """
    at, code = annotations(record)
    end_s = (at[1:] - at[0]) / 125.0
    rri_ms = np.diff(at) / 125.0 * 1000.0
    rri_ms[(code[1:] != 1) | (code[:-1] != 1) | (rri_ms <= 375.0)] = np.nan
    with (shared_data / "rr-physionet-toolbox-reference" / "reference_windows.csv").open() as lines:
        expected = [row for row in csv.DictReader(lines) if row["patID"] == record]
    assert len(expected) == 231
    start = np.array([round(1000 * float(row["t_start"])) for row in expected]).astype("datetime64[ms]")
    # Times are rounded up to the millisecond so that a beat on the edge of a window stays on its side.
    time = np.ceil(np.round(1000 * end_s, 6)).astype(np.int64).astype("datetime64[ms]")
    ours = hrv_windows(time, rri_ms, None, start, 300.0)

    same_beats = ours.n_beats == np.array([int(row["btsdet"]) for row in expected])
    unbroken = same_beats & (ours.rejected_share == 0)
    for k in np.flatnonzero(same_beats):
        assert 60_000 / ours.hr_bpm[k] == pytest.approx(float(expected[k]["NNmean"]), rel=1e-6)
        assert ours.sdnn_ms[k] == pytest.approx(float(expected[k]["SDNN"]), rel=1e-5)
    for k in np.flatnonzero(unbroken):
        assert ours.rmssd_ms[k] == pytest.approx(float(expected[k]["RMSSD"]), rel=1e-5)
    assert (same_beats.sum(), unbroken.sum()) == (n_same, n_unbroken)


@pytest.mark.parametrize("window_s", [60.0, 300.0])
def test_windows_agree_with_one_stretch_at_a_time(window_s: float):
    """The running sums of overlapping windows give what the plain functions give, gaps and rejected beats included."""
    rng = np.random.default_rng(5)
    rri_ms = 900 + 60 * np.sin(np.arange(4000) / 30) + 30 * rng.standard_normal(4000)
    elapsed_ms = np.cumsum(rri_ms)
    elapsed_ms[2000:] += 400_000  # the strap was off
    rri_ms[rng.random(4000) < 0.05] = np.nan
    rri_ms[600:700] = np.nan
    gap = rng.random(4000) < 0.02
    time = np.datetime64("2024-03-01T00:00", "ms") + np.round(elapsed_ms).astype("timedelta64[ms]")
    start = np.datetime64("2024-03-01T00:00", "ms") + 17_000 * np.arange(240).astype("timedelta64[ms]")
    found = hrv_windows(time, rri_ms, gap, start, window_s)

    for k, begin in enumerate(start):
        inside = (time >= begin) & (time < begin + np.timedelta64(round(1000 * window_s), "ms"))
        x, g = rri_ms[inside], gap[inside]
        n, n_differences, share = (
            np.isfinite(x).sum(),
            valid_differences(x, g).size,
            np.isnan(x).mean() if x.size else 0,
        )
        coverage = min(1.0, np.nansum(x) / (1000 * window_s))
        assert (found.n_beats[k], found.n_differences[k]) == (n, n_differences)
        assert found.coverage[k] == pytest.approx(coverage)
        assert found.rejected_share[k] == pytest.approx(share)
        clean = share <= MAX_REJECTED_SHARE
        enough = clean and n_differences >= MIN_DIFFERENCES
        whole = clean and n > 1 and coverage >= MIN_SDNN_COVERAGE
        nan = float("nan")
        assert found.hr_bpm[k] == pytest.approx(mean_hr(x) if n >= MIN_BEATS else nan, nan_ok=True)
        assert found.rmssd_ms[k] == pytest.approx(rmssd(x, g) if enough else nan, nan_ok=True)
        assert found.pnn50[k] == pytest.approx(pnn50(x, g) if enough else nan, nan_ok=True)
        assert found.sdnn_ms[k] == pytest.approx(sdnn(x) if whole else nan, nan_ok=True)
    assert np.isnan(found.hr_bpm).any()
    assert np.isfinite(found.sdnn_ms).sum() > 100


def test_a_day_of_nearly_constant_beats_does_not_lose_its_variance_in_the_running_sums():
    rng = np.random.default_rng(6)
    rri_ms = 1000 + 0.01 * rng.standard_normal(90_000)
    time = np.datetime64("2024-03-01", "ms") + np.arange(1, 90_001).astype("timedelta64[s]")
    last = np.array([np.datetime64("2024-03-02T00:50", "ms")])
    found = hrv_windows(time, rri_ms, None, last, 300.0)
    inside = (time >= last) & (time < last + np.timedelta64(300, "s"))
    assert found.sdnn_ms[0] == pytest.approx(sdnn(rri_ms[inside]), rel=1e-6)


def test_windows_of_no_beats_are_empty():
    found = hrv_windows(
        np.zeros(0, "datetime64[ms]"), np.zeros(0), None, np.array(["2024-03-01"], "datetime64[ms]"), 300.0
    )
    assert found.n_beats[0] == 0
    assert found.coverage[0] == 0
    assert np.isnan(found.hr_bpm[0])
