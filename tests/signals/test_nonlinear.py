"""Entropy, scaling, histogram and Poincaré indices against brute force and against other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.records.timeline import FloatArray
from unaji.signals import _kernels_rr as kernels
from unaji.signals import nonlinear
from unaji.signals.hrv import sdnn, sdsd
from unaji.signals.nonlinear import (
    baevsky_si,
    csi_cvi,
    dfa_alpha1,
    poincare,
    sample_entropy,
    triangular_index,
)
from unaji.signals.tachogram import Tachogram


def whole(rri_ms: FloatArray) -> tuple[FloatArray, np.ndarray, np.ndarray, np.ndarray]:
    tachogram = Tachogram.of_intervals(rri_ms, correct=False)
    return tachogram.nn_ms, tachogram.joined, np.array([0]), np.array([rri_ms.size])


def entropy_of(rri_ms: FloatArray) -> float:
    return float(sample_entropy(*whole(rri_ms), np.array([sdnn(rri_ms)]))[0][0])


def slow_entropy(rri_ms: FloatArray) -> float:
    """Richman and Moorman, word by word; a template with a missing interval does not count."""
    r, a, b = 0.2 * np.nanstd(rri_ms, ddof=1), 0, 0
    templates = [rri_ms[i : i + 3] for i in range(rri_ms.size - 2) if np.isfinite(rri_ms[i : i + 3]).all()]
    for i, one in enumerate(templates):
        for other in templates[i + 1 :]:
            distance = np.abs(one - other)
            b += distance[:2].max() <= r
            a += distance.max() <= r
    return -np.log(a / b) if a else float("nan")


def slow_alpha(rri_ms: FloatArray) -> float:
    profile = np.cumsum(rri_ms - rri_ms.mean())
    scales = np.arange(4, 17)
    fluctuation = []
    for n in scales:
        boxes = profile[: profile.size // n * n].reshape(-1, n)
        left = [box - np.polyval(np.polyfit(np.arange(n), box, 1), np.arange(n)) for box in boxes]
        fluctuation.append(np.sqrt(np.mean(np.square(left))))
    return float(np.polyfit(np.log(scales), np.log(fluctuation), 1)[0])


def some_rri_ms(seed: int, n: int, grid_ms: float = 0.0) -> FloatArray:
    rng = np.random.default_rng(seed)
    rri_ms = 850 + np.cumsum(rng.standard_normal(n)) * 3 + 25 * rng.standard_normal(n)
    return np.round(rri_ms / grid_ms) * grid_ms if grid_ms else rri_ms


@pytest.mark.parametrize("grid_ms", [0.0, 1.0, 7.8125], ids=["exact", "1 ms", "128 Hz"])
@pytest.mark.parametrize("brute", [True, False], ids=["pairs", "strips"])
def test_sample_entropy_agrees_with_its_definition(monkeypatch, grid_ms: float, brute: bool):
    """Both ways of counting, also where intervals lie on a grid and distances are often exactly r."""
    monkeypatch.setattr(nonlinear, "BRUTE_FORCE_TO", 10**6 if brute else 100)
    rri_ms = some_rri_ms(1, 300, grid_ms)
    rri_ms[[40, 41, 150]] = np.nan
    assert entropy_of(rri_ms) == pytest.approx(slow_entropy(rri_ms), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(10, 200), st.sampled_from([0.0, 1.0, 8.0, 40.0]))
def test_strips_count_the_pairs_that_brute_force_counts(seed: int, n: int, grid_ms: float):
    nn_ms, joined, low, high = whole(some_rri_ms(seed, n, grid_ms))
    r = 0.2 * float(np.std(nn_ms, ddof=1))
    brute = kernels.sampen_windows(nn_ms, joined, low, high, np.array([r]), 8)[:3]
    assert nonlinear._pairs_in_strips(nn_ms, joined, r) == tuple(int(x[0].sum()) for x in brute)


def test_the_kernels_count_the_same_uncompiled():
    nn_ms, joined, low, high = whole(some_rri_ms(3, 60))
    r = np.array([15.0])
    holds = nonlinear.HALVES
    for kernel, arguments in (
        (kernels.sampen_windows, (nn_ms, joined, low, high, r, 8)),
        (kernels.dfa_windows, (nn_ms, joined, low, high, 4, 6, 8)),
        (kernels.fullest_bin_of_parts, (nn_ms, low, high, 10.0, 0.0, holds)),
        (kernels.window_moments, (nn_ms, joined, low, high, 50.0)),
        (kernels.smallest_step, (nn_ms, joined, low, high, 1e-6)),
    ):
        for compiled, plain in zip(kernel(*arguments), kernel.py_func(*arguments), strict=True):
            np.testing.assert_allclose(compiled, plain, rtol=1e-12)


def test_each_half_of_a_window_and_its_rest_hold_half_of_every_pair_of_parts():
    halves = nonlinear.HALVES.astype(int)
    assert halves.shape == (14, 8)
    np.testing.assert_array_equal(halves[::2] + halves[1::2], 1)
    signs = halves[::2] - halves[1::2]
    np.testing.assert_array_equal(signs @ signs.T, 8 * np.eye(7))


def test_pairs_by_parts_are_those_counted_one_by_one():
    nn_ms, joined, low, high = whole(some_rri_ms(8, 90, 5.0))
    r = np.array([20.0])
    n, b, _, squares = kernels.sampen_windows(nn_ms, joined, low, high, r, 4)
    templates = np.stack((nn_ms[:-2], nn_ms[1:-1]), axis=1)
    part = (np.arange(88)[:, None] >= np.arange(1, 4) * 22).sum(axis=1)
    expected = np.zeros((4, 4))
    for i in range(88):
        for j in range(i + 1, 88):
            expected[part[i], part[j]] += np.abs(templates[i] - templates[j]).max() <= 20.0
    assert n[0] == 88
    np.testing.assert_array_equal(b[0], expected)
    assert squares[0].sum() == pytest.approx(88 * np.var(nn_ms[:88]))


def test_jackknife_of_a_mean_is_the_standard_error_of_the_mean():
    parts = np.random.default_rng(9).standard_normal((3, 8))
    without = (parts.sum(axis=1, keepdims=True) - parts) / 7
    expected = parts.std(axis=1, ddof=1) / np.sqrt(8)
    np.testing.assert_allclose(nonlinear.jackknife_error(without), expected)
    of_halves = parts @ nonlinear.HALVES.T / 4
    np.testing.assert_allclose(nonlinear.halves_error(of_halves), expected)


@pytest.mark.parametrize("n", [64, 245, 1000])
def test_dfa_agrees_with_its_definition(n: int):
    rri_ms = some_rri_ms(2, n)
    assert dfa_alpha1(*whole(rri_ms))[0][0] == pytest.approx(slow_alpha(rri_ms), rel=1e-9)


def test_the_exponent_of_white_noise_is_a_half_and_of_its_sum_one_and_a_half():
    """But for the bias of boxes as small as four beats."""
    noise = np.random.default_rng(4).standard_normal(100_000)
    assert dfa_alpha1(*whole(900 + 20 * noise))[0][0] == pytest.approx(0.5, abs=0.1)
    walk = np.cumsum(noise)
    assert dfa_alpha1(*whole(900 + 100 * walk / np.abs(walk).max()))[0][0] == pytest.approx(1.5, abs=0.1)


def test_no_box_of_dfa_reaches_over_a_break():
    """A step at a gap is no fluctuation: with the gap the exponent is that of noise, without it is not."""
    rng = np.random.default_rng(5)
    rri_ms = 700 + 10 * rng.standard_normal(400)
    nn_ms, joined, low, high = whole(rri_ms)
    joined = joined.copy()
    joined[200] = False
    squares, boxes = (x[0].sum(axis=0) for x in kernels.dfa_windows(nn_ms, joined, low, high, 4, 16, 8))
    two = [np.sqrt(squares / boxes / np.arange(4, 17))]
    parts = []
    profile = np.cumsum(nn_ms - nn_ms.mean())
    for n in range(4, 17):
        left = []
        for half in (profile[:200], profile[200:]):
            for begin in range(0, half.size - n + 1, n):
                box = half[begin : begin + n]
                left.append(box - np.polyval(np.polyfit(np.arange(n), box, 1), np.arange(n)))
        parts.append(np.sqrt(np.mean(np.square(left))))
    np.testing.assert_allclose(two[0], parts, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(-200, 200), st.floats(0.2, 5))
def test_entropy_and_exponent_see_neither_shift_nor_scale(seed: int, shift_ms: float, factor: float):
    rri_ms = some_rri_ms(seed, 120)
    moved = 900 + factor * (rri_ms - 900) + shift_ms
    moved -= min(0.0, moved.min() - 100)
    assert entropy_of(moved) == pytest.approx(entropy_of(rri_ms), rel=0.02, nan_ok=True)
    assert dfa_alpha1(*whole(moved))[0][0] == pytest.approx(dfa_alpha1(*whole(rri_ms))[0][0], rel=1e-6)


def test_histogram_indices_worked_by_hand():
    """Ten intervals, four of them in the bin of 800 to 850 ms (its middle 825), from 720 to 980 ms."""
    rri_ms = np.array([720.0, 760, 801, 805, 840, 849, 870, 910, 955, 980])
    nn_ms, _, low, high = whole(rri_ms)
    n = np.array([10])
    assert baevsky_si(nn_ms, low, high, n)[0][0] == pytest.approx(40.0 / (2 * 0.825 * 0.260))
    # 801 and 805 ms are both nearest to 103 bins of 7.8125 ms, and no other two share a bin.
    assert triangular_index(nn_ms, low, high, n)[0][0] == pytest.approx(10 / 2)
    count, centre = kernels.fullest_bin(nn_ms, low, high, 50.0, 25.0)
    assert (count[0], centre[0]) == (4, 825.0)
    assert kernels.fullest_bin.py_func(nn_ms, low, high, 50.0, 25.0)[0][0] == 4


def test_intervals_of_a_128_hz_recorder_rounded_to_a_millisecond_stay_in_their_bin():
    exact = np.repeat(np.arange(90, 120) * 7.8125, np.arange(1, 31))
    for rri_ms in (exact, np.round(exact)):
        nn_ms, _, low, high = whole(rri_ms)
        assert triangular_index(nn_ms, low, high, np.array([rri_ms.size]))[0][0] == pytest.approx(rri_ms.size / 30)


@pytest.mark.shared
def test_values_of_other_programs_for_245_intervals(shared_data: Path):
    """Kubios 2.2: SD1 32.273, SD2 115.38 (the spread of the points; Brennan's identity gives 115.34).

    Sample entropy 1.463 and α1 1.484 are what three and two open programs give.
    """
    rri_ms = np.loadtxt(shared_data / "rr-kubios-245" / "rr.txt", delimiter=",", skiprows=1)[:, 1]
    sd1, sd2 = poincare(np.array([sdnn(rri_ms)]), np.array([sdsd(rri_ms)]))
    assert sd1[0] == pytest.approx(32.273, rel=5e-5)
    assert sd2[0] == pytest.approx(115.38, rel=5e-4)
    assert np.std((rri_ms[1:] + rri_ms[:-1]) / np.sqrt(2), ddof=1) == pytest.approx(115.38, rel=5e-5)
    assert entropy_of(rri_ms) == pytest.approx(1.4631, abs=5e-5)
    assert dfa_alpha1(*whole(rri_ms))[0][0] == pytest.approx(1.484, abs=5e-4)


@pytest.mark.shared
def test_values_of_the_hrv_analysis_package(shared_data: Path):
    folder = shared_data / "rr-hrvanalysis-test"
    expected = json.loads((folder / "expected.json").read_text())
    rri_ms = np.loadtxt(folder / "test_nn_intervals.txt")
    sd1, sd2 = poincare(np.array([sdnn(rri_ms)]), np.array([sdsd(rri_ms)]))
    csi, cvi = csi_cvi(sd1, sd2)
    assert sd1[0] == pytest.approx(expected["sd1"], rel=1e-9)
    assert sd2[0] == pytest.approx(expected["sd2"], rel=1e-9)
    assert csi[0] == pytest.approx(expected["csi"], rel=1e-9)
    assert cvi[0] == pytest.approx(expected["cvi"], rel=1e-9)
    assert entropy_of(rri_ms) == pytest.approx(expected["sampen"], rel=1e-9)
    # That package bins by 8 ms from 300 ms.
    nn_ms, _, low, high = whole(rri_ms)
    count, _ = kernels.fullest_bin(nn_ms, low, high, 8.0, 304.0)
    assert 1000 / count[0] == pytest.approx(expected["triangular_index"], rel=1e-9)
    assert triangular_index(nn_ms, low, high, high)[0][0] == pytest.approx(expected["triangular_index"], rel=0.05)
