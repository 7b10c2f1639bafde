"""Times, breaks and weights of beats, and what is put in the place of artefacts."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.records.timeline import Beats
from unaji.signals.correction import interpolate_artefacts
from unaji.signals.rr import BeatKind
from unaji.signals.tachogram import Tachogram

START = np.datetime64("2024-03-01T00:00", "ms")


def calm(n: int) -> np.ndarray:
    return 800.0 + np.tile([0.0, 6.0, -5.0, 9.0], n // 4 + 1)[:n]


def beats(end_ms: np.ndarray, rri_ms: np.ndarray, gap: np.ndarray | None = None) -> Beats:
    time = START + np.round(end_ms).astype("timedelta64[ms]")
    return Beats(time, rri_ms, np.zeros(rri_ms.size, bool) if gap is None else gap)


def test_the_first_interval_starts_at_zero():
    made = Tachogram.of_intervals(np.array([800.0, 900.0, 850.0]), correct=False)
    np.testing.assert_allclose(made.start_s, [0.0, 0.8, 1.7])
    np.testing.assert_allclose(made.end_s, [0.8, 1.7, 2.55])
    from_beats = Tachogram.of_beats(beats(np.array([800.0, 1700, 2550]), np.array([800.0, 900, 850])), correct=False)
    np.testing.assert_allclose(from_beats.end_s, made.end_s)
    assert from_beats.origin == START


def test_what_is_no_interval_is_not_measured_and_joins_nothing():
    made = Tachogram.of_intervals(np.array([800.0, np.nan, -3.0, np.inf, 1e9, 810.0, 820.0]), correct=False)
    assert made.kind.tolist() == [0, *[BeatKind.MISSING] * 4, 0, 0]
    assert made.joined.tolist() == [False] * 6 + [True]
    assert made.corrected_fraction == 0.0


def test_without_correction_every_measured_interval_is_kept():
    odd = np.array([800.0, 3300.0, 200.0, 800.0])
    assert not np.isnan(Tachogram.of_intervals(odd, correct=False).nn_ms).any()
    assert np.isnan(Tachogram.of_intervals(odd).nn_ms[[1, 2]]).all()


def test_a_weight_of_zero_rejects_and_others_are_carried():
    made = Tachogram.of_intervals(np.full(4, 800.0), weight=np.array([1.0, 0.0, 0.4, 1.0]), correct=False)
    assert np.isnan(made.nn_ms).tolist() == [False, True, False, False]
    assert made.joined.tolist() == [False, False, False, True]
    assert made.corrected_fraction == 0.25


def test_times_of_packets_are_rebuilt_from_the_intervals():
    """A strap sends four intervals with one stamp; between two gaps the intervals say when the beats were."""
    rri_ms = calm(200)
    end_ms = np.cumsum(rri_ms)
    end_ms[100:] += 60_000
    stamped = np.repeat(end_ms[3::4], 4)
    gap = np.zeros(200, bool)
    gap[100] = True
    rebuilt = Tachogram.of_beats(beats(stamped, rri_ms, gap), correct=False)
    true_s = end_ms / 1000 - stamped[0] / 1000 + rri_ms[0] / 1000
    assert np.ptp(rebuilt.end_s[:100] - true_s[:100]) < 1e-6
    assert np.ptp(rebuilt.end_s[100:] - true_s[100:]) < 1e-6
    assert np.abs(rebuilt.end_s - true_s).max() < 1.7


def test_arrays_that_do_not_fit_are_a_mistake():
    with pytest.raises(ValueError, match="one length"):
        Tachogram(np.zeros(2), np.zeros(3), np.zeros(3, bool), np.zeros(3, np.int8), np.ones(3))
    with pytest.raises(ValueError, match="ascend"):
        Tachogram(np.array([2.0, 1.0]), np.ones(2), np.zeros(2, bool), np.zeros(2, np.int8), np.ones(2))
    with pytest.raises(ValueError, match="differ in shape"):
        Tachogram.of_intervals(np.ones(3), gap=np.zeros(2, bool))


def test_missed_extra_and_early_beats_are_replaced_by_as_many_as_fit():
    rri_ms = calm(120)
    rri_ms[20:22] = 520.0, 1085.0
    rri_ms[50] = 1606.0
    rri_ms[80:82] = 310.0, 492.0
    filled = interpolate_artefacts(Tachogram.of_intervals(rri_ms))
    assert len(filled) == 120 + 1 - 1
    assert filled.end_s[-1] == pytest.approx(rri_ms.sum() / 1000)
    assert np.abs(filled.rri_ms - 802.5).max() < 20
    assert (filled.kind != BeatKind.NORMAL).sum() == 2 + 2 + 1
    assert not filled.gap[1:].any()


def test_nothing_is_put_in_without_a_good_beat_on_either_side_or_into_a_long_hole():
    rri_ms = calm(60)
    rri_ms[:3] = 200.0
    rri_ms[30:40] = np.nan
    gap = np.zeros(60, bool)
    gap[50] = True
    rri_ms[49] = 1600.0
    filled = interpolate_artefacts(Tachogram.of_intervals(rri_ms, gap=gap))
    assert not (filled.kind != BeatKind.NORMAL).any()
    assert filled.gap.sum() == 3  # the start, the stretch not measured, the missed beat at the gap
    long = calm(60)
    long[30] = 9000.0
    assert interpolate_artefacts(Tachogram.of_intervals(long)).gap.sum() == 2


def test_nothing_recorded_stays_nothing():
    assert len(interpolate_artefacts(Tachogram.of_intervals(np.zeros(0)))) == 0
    empty = Beats(np.zeros(0, "datetime64[ms]"), np.zeros(0), np.zeros(0, bool))
    assert len(Tachogram.of_beats(empty)) == 0
