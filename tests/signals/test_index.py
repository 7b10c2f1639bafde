"""One number from several signals: a standard deviation near 1 whichever of them are there."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.signals.index import combine


def signals(rng: np.random.Generator, shared: tuple[float, ...], n: int = 20_000) -> list[np.ndarray]:
    """Standard normal signals, each with a given share of variance in common with the others."""
    common = rng.standard_normal(n)
    return [np.sqrt(s) * common + np.sqrt(1 - s) * rng.standard_normal(n) for s in shared]


@pytest.mark.parametrize("shared", [(0.0,), (0.0, 0.0), (0.3, 0.3, 0.3, 0.3), (0.8, 0.8, 0.0, 0.0), (0.95,) * 4])
def test_the_standard_deviation_is_near_one_whatever_the_signals(shared: tuple[float, ...]):
    index = combine(signals(np.random.default_rng(1), shared), 20_000)
    assert index.std() == pytest.approx(1.0, abs=0.05)


def test_it_stays_near_one_where_signals_are_missing():
    rng = np.random.default_rng(2)
    z = signals(rng, (0.4, 0.4, 0.4, 0.4))
    measured = rng.random((4, 20_000)) < 0.6
    index = combine([np.where(m, x, np.nan) for m, x in zip(measured, z, strict=True)], 20_000)
    for count in range(1, 5):
        assert index[measured.sum(axis=0) == count].std() == pytest.approx(1.0, abs=0.06)
    np.testing.assert_array_equal(np.isnan(index), measured.sum(axis=0) == 0)


def test_one_signal_is_its_own_index_and_equal_ones_are_one():
    z = np.random.default_rng(3).standard_normal(5000)
    np.testing.assert_allclose(combine([z], 5000), z)
    np.testing.assert_allclose(combine([z, z, z], 5000), z, rtol=0.01)


def test_more_signals_of_one_cause_show_it_more_clearly():
    rng = np.random.default_rng(4)
    stress = (rng.random(20_000) < 0.1).astype(float)
    z = [stress + rng.standard_normal(20_000) for _ in range(4)]
    gain = [combine(z[:k], 20_000)[stress == 1].mean() for k in (1, 2, 4)]
    assert gain[0] < gain[1] < gain[2]


def test_signals_that_contradict_each_other_are_not_blown_up():
    z = np.random.default_rng(5).standard_normal(5000)
    noise = 0.01 * np.random.default_rng(6).standard_normal(5000)
    assert combine([z, -z + noise], 5000).std() < 0.05


def test_no_signal_is_no_index():
    assert np.isnan(combine([], 3)).all()
    assert np.isnan(combine([np.full(3, np.nan)], 3)).all()
