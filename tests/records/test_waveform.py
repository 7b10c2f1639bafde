"""A stored signal on its even grid again, whatever pieces it comes in: beside the slow way that takes it whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records import timeline
from unaji.records.timeline import Series
from unaji.records.waveform import LEAST_RECORDED, MOST_HZ, PAUSE_MS, recordings_of

START_MS = 1_715_729_401_000


def signal(time_ms):
    return Series("ecg_mv", np.array(time_ms, dtype="datetime64[ms]"), np.arange(len(time_ms), dtype=float))


def laid(series):
    return [(recording, np.concatenate(list(samples))) for recording, samples in recordings_of(series)]


def all_at_once(series):
    """Lay a signal out with all of it in memory."""
    time_ms = series.time.astype(np.int64)
    for part in np.split(np.arange(time_ms.size), np.flatnonzero(np.diff(time_ms) > PAUSE_MS) + 1):
        own_ms = time_ms[part]
        apart = np.diff(own_ms)
        broken = np.flatnonzero(apart > 1.5 * np.median(apart) + 1.0) if apart.size else apart
        edges = np.concatenate([[-1], broken, [apart.size]])
        longest = int(np.argmax(np.diff(edges)))
        first, last = edges[longest] + 1, edges[longest + 1]
        step_ms = (own_ms[last] - own_ms[first]) / max(last - first, 1)
        if step_ms < 1000.0 / MOST_HZ:
            continue
        place = np.round((own_ms - own_ms[0]) / step_ms).astype(np.int64)
        if part.size >= LEAST_RECORDED * (place[-1] + 1):
            samples = np.full(place[-1] + 1, np.nan)
            samples[place] = series.value[part]
            yield own_ms[0], 1000.0 / step_ms, samples


@pytest.mark.parametrize("rate_hz", [64.0, 250.0, 360.0, 1000.0])
def test_an_even_signal_comes_back_as_it_was(rate_hz, monkeypatch):
    monkeypatch.setattr(timeline, "PIECE_ROWS", 777)
    n = int(30 * rate_hz)
    ((recording, samples),) = laid(signal(START_MS + np.round(np.arange(n) * 1000 / rate_hz)))
    assert recording.rate_hz == pytest.approx(rate_hz, rel=1e-4)
    assert recording.n_samples == n
    np.testing.assert_array_equal(samples, np.arange(n))


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from([0.4, 1.0, 2.77, 15.625]), st.sampled_from([0, 3, 40, 9_000])),
        min_size=1, max_size=8,
    ),
    st.sets(st.integers(0, 7)),
    st.integers(1, 50),
)  # fmt: skip
def test_any_pieces_are_laid_as_the_whole_is(stretches, long_pauses, piece_rows):
    at_ms, parts = 0.0, []
    for number, (n, step_ms, pause_ms) in enumerate(stretches):
        parts.append(at_ms + np.arange(n) * step_ms)
        at_ms = parts[-1][-1] + step_ms + pause_ms + (20_000 if number in long_pauses else 0)
    series = signal(START_MS + np.round(np.concatenate(parts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline, "PIECE_ROWS", piece_rows)
        found = laid(series)
    expected = list(all_at_once(series))
    assert [one.start.astype(np.int64) for one, _ in found] == [start for start, _, _ in expected]
    assert [one.rate_hz for one, _ in found] == [rate_hz for _, rate_hz, _ in expected]
    assert [one.n_samples for one, _ in found] == [samples.size for _, _, samples in expected]
    for (_, ours), (_, _, theirs) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
