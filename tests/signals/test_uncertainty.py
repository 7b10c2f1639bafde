"""The scatter of second moments is what the autocovariance says, written out lag by lag."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.signals.uncertainty import moment_errors


def squared_autocovariance(x: np.ndarray, y: np.ndarray, n: int) -> float:
    """Sum of γ² over all lags, both ways, over n: half of Bartlett's variance, as a periodogram's square is twice."""
    return float(np.sum((np.correlate(x, x, "full") / n) * (np.correlate(y, y, "full") / n)) / n)


def test_it_is_the_sum_over_lags():
    rng = np.random.default_rng(2)
    nn_ms = 850 + 40 * rng.standard_normal(300)
    nn_ms[[50, 51, 120]] = np.nan
    low, high = np.array([0, 40, 10]), np.array([300, 200, 10])
    n = np.array([np.isfinite(nn_ms[a:b]).sum() for a, b in zip(low, high, strict=True)])
    mean_ms = np.array([np.nanmean(nn_ms[a:b]) if b > a else np.nan for a, b in zip(low, high, strict=True)])
    found = moment_errors(nn_ms, low, high, mean_ms, n)
    for w in (0, 1):
        x = np.append(np.nan_to_num(nn_ms[low[w] : high[w]] - mean_ms[w]), 0.0)
        step = np.diff(x, prepend=0.0)
        assert found.sdnn2[w] == pytest.approx(squared_autocovariance(x, x, n[w]), rel=1e-9)
        assert found.rmssd2[w] == pytest.approx(squared_autocovariance(step, step, n[w]), rel=1e-9)
        assert found.both[w] == pytest.approx(squared_autocovariance(x, step, n[w]), rel=1e-9)
        assert found.of(2.0, -0.5)[w] ** 2 == pytest.approx(
            4 * found.sdnn2[w] - 2 * found.both[w] + 0.25 * found.rmssd2[w]
        )
    assert found.sdnn2[2] == 0.0


def test_independent_intervals_scatter_as_the_textbook_says():
    """SDNN of n independent normal intervals has the standard error SDNN/√(2n)."""
    nn_ms = 850 + 40 * np.random.default_rng(4).standard_normal(300_000)
    low = np.arange(0, 300_000, 1000)
    mean_ms = nn_ms.reshape(300, 1000).mean(axis=1)
    found = moment_errors(nn_ms, low, low + 1000, mean_ms, np.full(300, 1000))
    assert np.sqrt(found.sdnn2.mean()) / (2 * 40) == pytest.approx(40 / np.sqrt(2000), rel=0.01)
