"""Artefacts put in on purpose are found, ordinary beats are left alone, and a gap is never looked across."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals import _kernels_rr as kernels
from unaji.signals.hrv import rmssd
from unaji.signals.rr import BeatKind, reject_artefacts

NORMAL_BEAT, FIRST_NO_BEAT = 1, 14  # codes of PhysioNet annotations


def healthy_rri_ms(rng: np.random.Generator, n_beats: int) -> FloatArray:
    """Invent a day's intervals: 1/f noise, the slow swing of the day, breathing, and a little jitter."""
    frequency = np.fft.rfftfreq(n_beats)
    spectrum = np.zeros(frequency.size, dtype=complex)
    phase = rng.uniform(0, 2 * np.pi, frequency.size - 1)
    spectrum[1:] = np.exp(1j * phase) / np.sqrt(frequency[1:])
    slow = np.fft.irfft(spectrum, n_beats)
    beat = np.arange(n_beats)
    breathing_phase = 2 * np.pi * 0.21 * beat + np.cumsum(0.1 * rng.standard_normal(n_beats))
    day = 60 * np.sin(2 * np.pi * beat / n_beats)
    return 850 + 45 * slow / slow.std() + day + 25 * np.sin(breathing_phase) + 8 * rng.standard_normal(n_beats)


def corrupted(rng: np.random.Generator, rri_ms: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    """Put in missed, double-counted and early beats; return the intervals and the kind of each (0 = left as it was)."""
    out, kind, k = [], [], 0
    while k < rri_ms.size - 1:
        what = rng.choice([0, 1, 2, 3], p=[1 - share, share / 3, share / 3, share / 3])
        this, following = rri_ms[k], rri_ms[k + 1]
        early = rng.uniform(0.2, 0.4) * this
        split = rng.uniform(0.25, 0.75)
        new = {
            0: [this],
            1: [this + following],
            2: [split * this, (1 - split) * this],
            3: [this - early, following + early],
        }
        out += new[int(what)]
        kind += [what] * len(new[int(what)])
        k += 2 if what in (1, 3) else 1
    return np.array(out), np.array(kind)


@pytest.mark.parametrize(("share", "rmssd_error"), [(0.0093, 0.002), (0.05, 0.004)])
def test_artefacts_put_in_on_purpose_are_found(share: float, rmssd_error: float):
    rng = np.random.default_rng(20240301)
    clean_ms = healthy_rri_ms(rng, 60_000)
    rri_ms, kind = corrupted(rng, clean_ms, share)
    found = reject_artefacts(rri_ms)
    sensitivity = {name: np.mean(~found.keep[kind == k]) for k, name in ((1, "missed"), (2, "extra"), (3, "early"))}
    specificity = np.mean(found.keep[kind == 0])
    kept_rmssd = rmssd(np.where(found.keep, rri_ms, np.nan))
    message = (
        f"sensitivity {sensitivity}, specificity {specificity:.5f}, "
        f"RMSSD {kept_rmssd:.2f} ms for {rmssd(clean_ms):.2f} (raw {rmssd(rri_ms):.2f})"
    )
    assert sensitivity["missed"] > 0.999, message
    assert sensitivity["extra"] > 0.995, message
    assert sensitivity["early"] > 0.995, message
    assert specificity > 0.995 + 0.0045 * (share < 0.01), message
    assert kept_rmssd == pytest.approx(rmssd(clean_ms), rel=rmssd_error), message


def test_the_kind_of_an_artefact_is_named():
    """One of each of the paper's kinds in a calm stretch, far enough apart not to meet."""
    rri_ms = np.full(160, 800.0) + np.tile([0.0, 5.0, -4.0, 9.0], 40)
    rri_ms[20:22] = 520.0, 1080.0  # an early beat and its pause
    rri_ms[40] = 1606.0  # a beat missed
    rri_ms[60:62] = 310.0, 492.0  # something between two beats taken for one
    rri_ms[80], rri_ms[100] = 1210.0, 550.0
    rri_ms[120], rri_ms[140] = 2500.0, np.nan
    found = reject_artefacts(rri_ms)
    named = {int(k): BeatKind(found.kind[k]) for k in np.flatnonzero(~found.keep)}
    assert named == {
        20: BeatKind.ECTOPIC,
        21: BeatKind.ECTOPIC,
        40: BeatKind.MISSED,
        60: BeatKind.EXTRA,
        61: BeatKind.EXTRA,
        80: BeatKind.LONG,
        100: BeatKind.SHORT,
        120: BeatKind.OUT_OF_RANGE,
        140: BeatKind.MISSING,
    }
    assert sum(found.counts.values()) == 160
    assert found.rejected_share == pytest.approx(8 / 159)


def test_most_artefacts_put_in_get_their_own_name():
    rng = np.random.default_rng(7)
    rri_ms, kind = corrupted(rng, healthy_rri_ms(rng, 60_000), 0.0093)
    found = reject_artefacts(rri_ms).kind
    for put_in, name in ((1, BeatKind.MISSED), (2, BeatKind.EXTRA), (3, BeatKind.ECTOPIC)):
        assert np.mean(found[kind == put_in] == name) > 0.95, name.name


def test_neighbours_are_not_looked_for_across_a_gap():
    """After a gap the heart may have slowed for good: 1200 ms after 700 ms is an artefact only without the gap."""
    rri_ms = np.concatenate((np.full(50, 700.0), np.full(2, 1200.0), np.full(50, 700.0)))
    gap = np.zeros(102, dtype=bool)
    assert not reject_artefacts(rri_ms, gap).keep[50:52].any()
    gap[[50, 52]] = True
    assert reject_artefacts(rri_ms, gap).keep.all()


def test_an_interval_too_long_for_a_heart_is_a_gap_in_all_but_name():
    rri_ms = np.concatenate((np.full(50, 700.0), [9000.0], np.full(2, 1200.0), [9000.0], np.full(50, 700.0)))
    found = reject_artefacts(rri_ms)
    assert found.counts[BeatKind.OUT_OF_RANGE] == 2
    assert found.keep[[51, 52]].all()


def test_a_heart_that_slows_over_several_beats_keeps_them():
    """A vagal turn from a day-long record: far from the median, but shared by its neighbours."""
    turn_ms = np.array([836.0, 836, 859, 945, 1150, 1234, 1133, 1109, 1062, 1047, 961, 900, 850])
    rri_ms = np.concatenate((np.full(60, 830.0), turn_ms, np.full(60, 830.0)))
    assert reject_artefacts(rri_ms).keep.all()


def test_nothing_recorded_gives_nothing_rejected():
    found = reject_artefacts(np.zeros(0))
    assert found.keep.size == 0
    assert np.isnan(found.rejected_share)


@given(arrays(float, st.integers(1, 120), elements=st.floats(500, 1200)), st.integers(1, 60))
def test_what_is_rejected_on_one_side_of_a_gap_does_not_depend_on_the_other(rri_ms: FloatArray, cut: int):
    cut = min(cut, rri_ms.size)
    gap = np.zeros(rri_ms.size, dtype=bool)
    gap[cut:][:1] = True
    together = reject_artefacts(rri_ms, gap).kind
    apart = np.concatenate((reject_artefacts(rri_ms[:cut]).kind, reject_artefacts(rri_ms[cut:]).kind))
    np.testing.assert_array_equal(together, apart)


@pytest.mark.parametrize(
    "kernel", [kernels.rolling_quantile, kernels.rolling_quantile.py_func], ids=["compiled", "python"]
)
def test_the_rolling_quantile_agrees_with_sorting_every_window(kernel):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 30, 300).astype(float)  # many ties
    run = np.sort(rng.integers(0, 6, 300))
    first, last = np.searchsorted(run, run, "left"), np.searchsorted(run, run, "right")
    for half, q in ((5, 0.5), (45, 0.25), (45, 0.75)):
        slow = [np.quantile(x[max(first[i], i - half) : min(last[i], i + half + 1)], q) for i in range(x.size)]
        np.testing.assert_allclose(kernel(x, first, last, half, q), slow)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])
def test_the_quartile_deviation_agrees_with_sorting_every_window(compiled: bool):
    rng = np.random.default_rng(4)
    x = rng.standard_normal(200).round(1)
    run = np.sort(rng.integers(0, 3, 200))
    first, last = np.searchsorted(run, run, "left"), np.searchsorted(run, run, "right")
    kernel = kernels.rolling_quartile_deviation if compiled else kernels.rolling_quartile_deviation.py_func
    windows = [x[max(first[i], i - 10) : min(last[i], i + 11)] for i in range(x.size)]
    slow = [(np.quantile(w, 0.75) - np.quantile(w, 0.25)) / 2 for w in windows]
    np.testing.assert_allclose(kernel(x, first, last, 10), slow, atol=1e-12)


def labelled_rri_ms(annotations: tuple[np.ndarray, np.ndarray]) -> tuple[FloatArray, BoolArray]:
    """Give the intervals, and whether both beats of each are normal."""
    at, code = annotations
    is_beat = code < FIRST_NO_BEAT
    at, normal = at[is_beat], code[is_beat] == NORMAL_BEAT
    return np.diff(at) / 128 * 1000.0, normal[1:] & normal[:-1]


@pytest.mark.shared
@pytest.mark.parametrize("record", ["nsr001", "nsr004", "nsr009"])
def test_on_days_labelled_by_cardiologists_most_ectopic_beats_go_and_few_others(annotations, record: str):
    """Measured: sensitivity 0.81, 0.90, 0.88; specificity 0.9990, 0.9997, 0.9954 (the labels miss some artefacts)."""
    rri_ms, normal = labelled_rri_ms(annotations(record))
    keep = reject_artefacts(rri_ms).keep
    sensitivity, specificity = np.mean(~keep[~normal]), np.mean(keep[normal])
    message = f"sensitivity {sensitivity:.3f}, specificity {specificity:.5f} of {rri_ms.size} intervals"
    assert sensitivity > 0.8, message
    assert specificity > 0.995, message
