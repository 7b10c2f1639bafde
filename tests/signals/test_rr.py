"""Artefacts put in on purpose are found, ordinary beats are left alone, and a gap is never looked across."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals import rr
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


@pytest.mark.parametrize(("share", "rmssd_error"), [(0.014, 0.03), (0.05, 0.06)])
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
    assert sensitivity["extra"] > 0.99, message
    assert sensitivity["early"] > 0.97, message
    assert specificity > 0.9995, message
    assert kept_rmssd == pytest.approx(rmssd(clean_ms), rel=rmssd_error), message


def test_the_direction_of_an_artefact_is_named():
    rri_ms = np.full(40, 800.0) + np.tile([0.0, 5.0], 20)
    rri_ms[10], rri_ms[20], rri_ms[30], rri_ms[35] = 400.0, 1600.0, 2500.0, np.nan
    found = reject_artefacts(rri_ms)
    assert [BeatKind(found.kind[k]) for k in (10, 20, 30, 35)] == [
        BeatKind.SHORT,
        BeatKind.LONG,
        BeatKind.OUT_OF_RANGE,
        BeatKind.MISSING,
    ]
    assert found.counts == {
        BeatKind.NORMAL: 36,
        BeatKind.MISSING: 1,
        BeatKind.OUT_OF_RANGE: 1,
        BeatKind.SHORT: 1,
        BeatKind.LONG: 1,
    }
    assert found.rejected_share == pytest.approx(3 / 39)


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


@pytest.mark.parametrize("kernel", [rr._rolling_quantile, rr._rolling_quantile.py_func], ids=["compiled", "python"])
def test_the_rolling_quantile_agrees_with_sorting_every_window(kernel):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 30, 300).astype(float)  # many ties
    run = np.sort(rng.integers(0, 6, 300))
    first, last = np.searchsorted(run, run, "left"), np.searchsorted(run, run, "right")
    for half, q in ((5, 0.5), (45, 0.25), (45, 0.75)):
        slow = [np.quantile(x[max(first[i], i - half) : min(last[i], i + half + 1)], q) for i in range(x.size)]
        np.testing.assert_allclose(kernel(x, first, last, half, q), slow)


def labelled_rri_ms(annotations: tuple[np.ndarray, np.ndarray]) -> tuple[FloatArray, BoolArray]:
    """Give the intervals, and whether both beats of each are normal."""
    at, code = annotations
    is_beat = code < FIRST_NO_BEAT
    at, normal = at[is_beat], code[is_beat] == NORMAL_BEAT
    return np.diff(at) / 128 * 1000.0, normal[1:] & normal[:-1]


@pytest.mark.shared
@pytest.mark.parametrize("record", ["nsr001", "nsr004", "nsr009"])
def test_on_days_labelled_by_cardiologists_most_ectopic_beats_go_and_few_others(annotations, record: str):
    """Measured: sensitivity 0.75, 0.86, 0.81; specificity 0.9992, 0.9998, 0.9965 (the labels miss some artefacts)."""
    rri_ms, normal = labelled_rri_ms(annotations(record))
    keep = reject_artefacts(rri_ms).keep
    sensitivity, specificity = np.mean(~keep[~normal]), np.mean(keep[normal])
    message = f"sensitivity {sensitivity:.3f}, specificity {specificity:.5f} of {rri_ms.size} intervals"
    assert sensitivity > 0.7, message
    assert specificity > 0.995, message
