"""Windows of a recording that is still going on are those of the whole recording, however it is cut."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.hrv_stream import HrvStream
from unaji.signals.indices import HrvTable, hrv_table, window_starts
from unaji.signals.rr import ArtefactStream, reject_artefacts
from unaji.signals.tachogram import Tachogram


def some_day(rng: np.random.Generator, n: int, noise: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Invent ends [s], intervals [ms] and gaps: breathing, slow waves, artefacts in clumps, holes of all lengths."""
    beat = np.arange(n)
    rri_ms = 850 + 60 * np.sin(beat / 300) + 30 * np.sin(1.4 * beat) + 15 * rng.standard_normal(n)
    wild = rng.random(n) < noise
    rri_ms[wild] *= rng.choice([0.3, 0.5, 0.7, 1.5, 2.0, 2.6], wild.sum())
    rri_ms[rng.random(n) < noise / 3] = np.nan
    calm = rng.integers(0, n + 1)
    rri_ms[calm : calm + rng.integers(0, 400)] = 900.0
    gap = rng.random(n) < rng.choice([0.0, 0.002, 0.05])
    pause_s = np.where(gap, rng.choice([2.0, 30.0, 400.0, 5000.0], n), 0.0)
    return np.cumsum(np.nan_to_num(rri_ms, nan=850.0) / 1000 + pause_s), rri_ms, gap


def cut(rng: np.random.Generator, n: int, n_cuts: int) -> list[slice]:
    edge = np.sort(rng.integers(0, n + 1, n_cuts))
    return [slice(int(low), int(high)) for low, high in zip([0, *edge], [*edge, n], strict=True)]


def joined(tables: list[HrvTable], name: str, part: str) -> np.ndarray:
    return np.concatenate([getattr(table.columns[name], part) for table in tables])


def assert_same(tables: list[HrvTable], whole: HrvTable) -> None:
    np.testing.assert_array_equal(np.concatenate([table.start_s for table in tables]), whole.start_s)
    for name, column in whole.columns.items():
        for part in ("value", "n", "quality", "standard_error", "reason"):
            np.testing.assert_allclose(
                joined(tables, name, part), getattr(column, part), rtol=1e-9, atol=1e-9, err_msg=f"{name} {part}"
            )
    for name in ("rmssd_interpolated_ms", "sdnn_interpolated_ms"):
        streamed = np.concatenate([getattr(table, name) for table in tables])
        np.testing.assert_allclose(streamed, getattr(whole, name), rtol=1e-9, atol=1e-9)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 3000),
    noise=st.sampled_from([0.0, 0.02, 0.3]),
    window_s=st.sampled_from([60.0, 300.0, 700.0]),
    step=st.sampled_from([0.2, 1.0, 1.7]),
    method=st.sampled_from(["welch", "lomb"]),
    correct=st.booleans(),
)
def test_any_cutting_gives_the_windows_of_the_whole(
    seed: int, n: int, noise: float, window_s: float, step: float, method: str, correct: bool
):
    rng = np.random.default_rng(seed)
    end_s, rri_ms, gap = some_day(rng, n, noise)
    weight = (rng.random(n) > 0.02).astype(float)
    options = {"method": method, "derive_respiration": True}
    stream = HrvStream(window_s, step_s=step * window_s, correct=correct, **options)
    tables = [
        stream.push(end_s[rows], rri_ms[rows], gap[rows], weight[rows])
        for rows in cut(rng, n, int(rng.choice([0, 3, 40])))
    ]
    tables.append(stream.finish())
    tachogram = Tachogram.of_times(end_s, rri_ms, gap=gap, weight=weight, correct=correct)
    starts_s = window_starts(tachogram, window_s, step * window_s) if n else np.zeros(0)
    assert_same(tables, hrv_table(tachogram, starts_s, window_s, **options))


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 1500), noise=st.sampled_from([0.01, 0.3, 0.8]))
def test_verdicts_do_not_depend_on_the_cutting(seed: int, n: int, noise: float):
    rng = np.random.default_rng(seed)
    _, rri_ms, gap = some_day(rng, n, noise)
    stream = ArtefactStream()
    kinds = [stream.push(rri_ms[rows], gap[rows]) for rows in cut(rng, n, int(rng.choice([1, 10, 100])))]
    np.testing.assert_array_equal(np.concatenate([*kinds, stream.finish()]), reject_artefacts(rri_ms, gap).kind)


def test_beat_by_beat_intervals_are_those_of_the_whole_and_come_soon():
    rng = np.random.default_rng(4)
    rri_ms = 850 + 40 * np.sin(np.arange(1500) / 2.2) + 20 * rng.standard_normal(1500)
    rri_ms[[200, 700]] = np.nan
    rri_ms[900] *= 2
    stream = HrvStream(300.0)
    tables, came_s = [], []
    end_s = np.cumsum(np.nan_to_num(rri_ms)) / 1000
    for k in range(1500):
        tables.append(stream.push_intervals(rri_ms[k : k + 1]))
        came_s += [end_s[k]] * len(tables[-1])
    assert len(came_s) >= 3
    assert np.all(np.array(came_s) - 300.0 * np.arange(1, len(came_s) + 1) < 100.0)
    tachogram = Tachogram.of_intervals(rri_ms)
    assert_same([*tables, stream.finish()], hrv_table(tachogram, window_starts(tachogram, 300.0), 300.0))


def test_memory_does_not_grow_over_a_day():
    """What is held after each four hours of a simulated day, in chunks of some ten minutes, stays what it was."""
    rng = np.random.default_rng(7)
    stream = HrvStream(300.0, nonlinear=False)
    end_s, held, windows = 0.0, [], 0

    def four_hours() -> int:
        nonlocal end_s
        found = 0
        for _ in range(24):
            rri_ms = 830 + 30 * np.sin(np.arange(700) * 1.5) + 20 * rng.standard_normal(700)
            rri_ms[rng.random(700) < 0.01] *= 1.9
            ends_s = end_s + np.cumsum(rri_ms) / 1000
            end_s = float(ends_s[-1]) + 3.0
            found += len(stream.push(ends_s, rri_ms, np.arange(700) == 0))
        return found

    four_hours()  # compiles
    tracemalloc.start()
    for _ in range(6):
        windows += four_hours()
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert windows > 6 * 45
    assert held[-1] < held[0] + 50_000, held  # four hours of beats kept would be 0.5 MB
    assert peak < 3_000_000


def test_hours_without_a_beat_hold_no_memory_and_do_not_hinder():
    stream = HrvStream(300.0, nonlinear=False)
    ends_s = np.cumsum(np.full(400, 0.9))
    stream.push(ends_s, np.full(400, 900.0))
    for hour in range(1, 200):
        stream.push(np.array([3600.0 * hour]), np.array([np.nan]), np.array([True]))
    assert len(stream._judged) + len(stream._waiting) + sum(map(len, stream._new)) < 500


def test_what_goes_back_in_time_or_does_not_fit_is_a_mistake():
    stream = HrvStream(60.0)
    stream.push(np.array([5.0]), np.array([900.0]))
    with pytest.raises(ValueError, match="ascend"):
        stream.push(np.array([4.0]), np.array([900.0]))
    with pytest.raises(ValueError, match="one length"):
        stream.push(np.array([6.0, 7.0]), np.array([900.0]))
    with pytest.raises(ValueError, match="above 0"):
        HrvStream(0.0)


@pytest.mark.shared
def test_a_real_day_is_the_same_from_the_stream(shared_data: Path):
    rri_ms = 1000 * np.loadtxt(shared_data / "rr-24h-physionet" / "chf201_rr_secs.txt")[:40_000]
    stream = HrvStream(300.0, nonlinear=False)
    rng = np.random.default_rng(2)
    tables = [stream.push_intervals(rri_ms[rows]) for rows in cut(rng, rri_ms.size, 300)]
    tachogram = Tachogram.of_intervals(rri_ms)
    whole = hrv_table(tachogram, window_starts(tachogram, 300.0), 300.0, nonlinear=False)
    assert_same([*tables, stream.finish()], whole)
