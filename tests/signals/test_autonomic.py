"""Indices over time against the definition written out, and norms that are the person's own."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.signals.autonomic import personal_indices, resolved_csi_cpi
from unaji.signals.indices import hrv_table, window_starts
from unaji.signals.tachogram import Tachogram


def some_rri_ms(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 850 + 40 * np.sin(np.arange(n) / 30) + 20 * np.sin(1.6 * np.arange(n)) + 8 * rng.standard_normal(n)


def spreads(rri_ms: np.ndarray) -> tuple[float, float, float]:
    half = 0.5 * np.var(np.diff(rri_ms), ddof=1)
    return np.sqrt(half), np.sqrt(2 * np.var(rri_ms, ddof=1) - half), np.sqrt(2) * rri_ms.mean()


def test_the_indices_follow_their_definition():
    rri_ms = some_rri_ms(400)
    tachogram = Tachogram.of_intervals(rri_ms, correct=False)
    end_s = tachogram.end_s
    beats = [k for k in range(400) if end_s[k] - end_s[0] >= 15.0]
    parts = np.array([spreads(rri_ms[(end_s >= end_s[k] - 15.0) & (end_s <= end_s[k])]) for k in beats])
    parts += np.array(spreads(rri_ms)) - parts.mean(axis=0)
    sd1, sd2, distance = parts.T / 1000
    cpi, csi = distance + 10 * sd1, 2 * distance.mean() - distance + sd2
    found = resolved_csi_cpi(tachogram)
    middle_s = end_s[beats] - 7.5
    np.testing.assert_allclose(found.cpi, np.interp(found.time_s, middle_s, cpi), atol=1e-9)
    np.testing.assert_allclose(found.csi, np.interp(found.time_s, middle_s, csi), atol=1e-9)
    assert np.diff(found.time_s) == pytest.approx(0.25)


def test_a_faster_and_stiller_heart_is_more_sympathetic_and_less_vagal():
    rest = 1000 + 30 * np.sin(1.6 * np.arange(300))
    strain = 650 + 6 * np.sin(1.6 * np.arange(400))
    tachogram = Tachogram.of_intervals(np.concatenate((rest, strain)), correct=False)
    found = resolved_csi_cpi(tachogram)
    early, late = found.time_s < 250, found.time_s > 350
    assert np.nanmean(found.csi[late]) > np.nanmean(found.csi[early]) + 0.2
    assert np.nanmean(found.cpi[late]) < np.nanmean(found.cpi[early]) - 0.2


def test_nothing_is_drawn_over_a_hole_and_a_few_beats_give_nothing():
    rri_ms = some_rri_ms(400)
    gap = np.arange(400) == 200
    end_s = np.cumsum(rri_ms) / 1000 + 100.0 * (np.arange(400) >= 200)
    tachogram = Tachogram(end_s, rri_ms, gap, np.zeros(400, np.int8), np.ones(400))
    found = resolved_csi_cpi(tachogram)
    assert np.isnan(found.csi).sum() == pytest.approx(400, abs=40)
    assert resolved_csi_cpi(Tachogram.of_intervals(np.full(5, 800.0))).csi.size == 0
    assert resolved_csi_cpi(Tachogram.of_intervals(np.zeros(0))).csi.size == 0


def test_the_persons_own_norms_are_the_zero_and_strain_stands_out():
    rest = some_rri_ms(12_000)
    strain = 650 + 10 * np.sin(1.6 * np.arange(1000)) + 3 * np.random.default_rng(2).standard_normal(1000)
    tachogram = Tachogram.of_intervals(np.concatenate((rest, strain)), correct=False)
    starts_s = window_starts(tachogram, 300.0)[:-1]
    table = hrv_table(tachogram, starts_s, 300.0)
    normal = starts_s < tachogram.end_s[11_500] - 300
    found = personal_indices(table, normal)
    assert abs(np.median(found.vagal[normal])) < 0.5
    assert abs(np.median(found.sympathetic[normal])) < 0.5
    assert found.sympathetic[-1] > 3
    assert found.vagal[-1] < -3
    few = personal_indices(table, normal & (starts_s < 1000))
    assert np.isnan(few.vagal).all()
    assert "30 are needed" in few.reason
