"""Non-negative deconvolution of skin conductance: known drivers found again, in pieces as in one; bad signals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx  # noqa: PT013

from unaji.records.folder import read_folder
from unaji.records.timeline import FloatArray, TimeArray
from unaji.signals import eda_driver
from unaji.signals.eda_driver import EdaParts, EdaStream, deconvolve_eda, responses

START = np.datetime64("2024-03-01T12:00", "ms")


def times(n: int, rate_hz: float = 4.0) -> TimeArray:
    return START + np.round(np.arange(n) / rate_hz * 1000).astype("timedelta64[ms]")


def bateman(since_s: FloatArray, decay_s: float = 2.0, rise_s: float = 0.7) -> FloatArray:
    """A response of height 1 (its top lies where both terms fall equally fast)."""
    top_s = np.log(decay_s / rise_s) * decay_s * rise_s / (decay_s - rise_s)
    peak = np.exp(-top_s / decay_s) - np.exp(-top_s / rise_s)
    since_s = np.maximum(since_s, 0.0)
    return (np.exp(-since_s / decay_s) - np.exp(-since_s / rise_s)) / peak


def simulate(
    seed: int, *, hours: float = 1.0, per_min: float = 4.0, amplitude: float = 0.3, noise: float = 0.01,
    drift: float = 0.1, decay_s: float = 2.0, rise_s: float = 0.7,
) -> tuple[FloatArray, FloatArray, FloatArray]:  # fmt: skip
    """Conductance at 4 Hz, the responses in it, and the level: responses on a wandering level [µS]."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(3600 * hours * 4)) / 4.0
    minutes = np.arange(0.0, t[-1] + 120.0, 60.0)
    slow = np.convolve(np.cumsum(rng.standard_normal(minutes.size + 4)) * drift, np.hanning(5) / 2.0, "valid")
    level = np.interp(t, minutes, slow - slow.min() + 2.0)
    level = np.convolve(np.pad(level, 120, "edge"), np.hanning(241) / np.hanning(241).sum(), "valid")
    phasic = np.zeros(t.size)
    for begin in rng.uniform(0.0, t[-1], rng.poisson(per_min * hours * 60.0)):
        rows = slice(int(begin * 4), int(begin * 4) + 120)
        phasic[rows] += amplitude * rng.lognormal(-0.245, 0.7) * bateman(t[rows] - begin, decay_s, rise_s)
    return level + phasic + noise * rng.standard_normal(t.size), phasic, level


CONDITIONS = {
    "as the model says": {},
    "many": {"per_min": 15.0},
    "few": {"per_min": 1.0},
    "small": {"amplitude": 0.05},
    "large": {"amplitude": 1.5},
    "noisy": {"noise": 0.03},
    "wandering level": {"drift": 0.4},
    "slower responses": {"decay_s": 3.5, "rise_s": 1.0},
    "quicker responses": {"decay_s": 1.5, "rise_s": 0.4},
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_responses_and_level_are_found_again(condition: str):
    """The goal is a correlation of 0.92 with the truth, and the model's own shape of response must do far better.

    Measured: 0.993 to 1.000, slower responses 0.998, quicker ones 0.95. cvxEDA on the same: 0.89 to 0.999 with and
    without dividing by the standard deviation, slower 0.99, quicker 0.75 and 0.79.
    """
    value, phasic, level = simulate(11, **CONDITIONS[condition])
    parts = deconvolve_eda(times(value.size), value)
    there = parts.valid & np.isfinite(parts.phasic_microsiemens)
    assert there.mean() > 0.97  # large responses can be quicker than the quality rules allow
    least = {"quicker responses": 0.92, "slower responses": 0.99, "small": 0.98}.get(condition, 0.994)
    assert np.corrcoef(parts.phasic_microsiemens[there], phasic[there])[0, 1] > least
    assert np.corrcoef(parts.tonic_microsiemens[there], level[there])[0, 1] > 0.97
    assert (parts.driver_microsiemens_s[there] >= 0).all()


@pytest.mark.parametrize("amplitude", [0.1, 1.0])
def test_one_response_has_its_height_and_its_moment(amplitude: float):
    value = 3.0 + amplitude * bateman(np.arange(960) / 4.0 - 100.1)
    found = responses(deconvolve_eda(times(960), value))
    assert found.amplitude_microsiemens == approx([amplitude], abs=0.01 + 0.02 * amplitude)
    assert abs(found.time[0] - (START + np.timedelta64(100_100, "ms"))) < np.timedelta64(300, "ms")


@pytest.mark.parametrize("noise", [0.005, 0.02])
def test_the_error_of_an_amplitude_is_what_noise_does_to_it(noise: float):
    """A hundred times the same response under fresh noise: right within a factor of two."""
    rng = np.random.default_rng(3)
    clean = 3.0 + 0.5 * bateman(np.arange(480) / 4.0 - 60.0)
    found = [responses(deconvolve_eda(times(480), clean + noise * rng.standard_normal(480))) for _ in range(100)]
    largest = [one.amplitude_microsiemens.max() for one in found]
    said = float(np.mean([one.error_microsiemens[one.amplitude_microsiemens.argmax()] for one in found]))
    assert 0.5 < np.std(largest) / said < 2.0
    assert np.mean(largest) == approx(0.5, abs=0.03)


def test_two_responses_three_seconds_apart_are_two():
    t = np.arange(960) / 4.0
    found = responses(deconvolve_eda(times(960), 3.0 + 0.4 * bateman(t - 100.0) + 0.4 * bateman(t - 103.0)))
    assert found.amplitude_microsiemens == approx([0.4, 0.4], abs=0.03)


def test_the_drive_of_an_hour_is_the_sum_of_its_responses():
    rng = np.random.default_rng(4)
    t = np.arange(14400) / 4.0
    height = rng.uniform(0.1, 0.8, 180)
    value = 3.0 + sum(h * bateman(t - b) for h, b in zip(height, np.sort(rng.uniform(5, 3560, 180)), strict=True))
    parts = deconvolve_eda(times(t.size), value)
    assert parts.driver_microsiemens_s.sum() / 4.0 == approx(height.sum(), rel=0.05)
    assert responses(parts).amplitude_microsiemens.sum() == approx(height.sum(), rel=0.06)


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.03])
def test_noise_alone_is_hardly_ever_counted_as_a_response(noise: float):
    value = 3.0 + noise * np.random.default_rng(5).standard_normal(14400)
    parts = deconvolve_eda(times(value.size), value)
    assert parts.noise_microsiemens.mean() == approx(noise, rel=0.1)
    assert responses(parts).time.size <= 10  # in an hour


def test_a_stormy_hour_does_not_change_the_quiet_one_before_it():
    """Nothing is scaled by the recording's own spread."""
    quiet = simulate(6, amplitude=0.05)[0]
    storm = simulate(7, amplitude=3.0)[0]
    storm += quiet[-1] - storm[0]
    alone = deconvolve_eda(times(quiet.size), quiet).driver_microsiemens_s[:-1000]
    together = deconvolve_eda(times(2 * quiet.size), np.concatenate((quiet, storm))).driver_microsiemens_s
    np.testing.assert_allclose(together[: alone.size], alone, atol=2e-3)


def test_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch):
    value = simulate(8, hours=2.0)[0]
    blocks = deconvolve_eda(times(value.size), value)
    monkeypatch.setattr(eda_driver, "BLOCK_S", 1e6)
    whole = deconvolve_eda(times(value.size), value)
    np.testing.assert_allclose(blocks.phasic_microsiemens, whole.phasic_microsiemens, atol=1e-3)
    np.testing.assert_allclose(blocks.tonic_microsiemens, whole.tonic_microsiemens, atol=1e-3)


def disturbed(seed: int) -> tuple[TimeArray, FloatArray]:
    """Fifty minutes with a gap, a touch of the electrode, a sensor off the skin, and a NaN."""
    value = simulate(seed, hours=5 / 6)[0]
    value[3000:3010] += 20.0
    value[7000:7200] = 0.0
    value[9000] = np.nan
    time = times(value.size)
    time[5000:] += np.timedelta64(90, "s")
    return time, value


COLUMNS = ("time", "valid", "tonic_microsiemens", "phasic_microsiemens", "driver_microsiemens_s", "noise_microsiemens")


def assert_same(a: EdaParts, b: EdaParts) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 12_000), max_size=30))
def test_pieces_as_they_come_give_what_the_whole_gives(cuts: list[int]):
    time, value = disturbed(9)
    stream, found = EdaStream(0.25), []
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), time.size], strict=True):
        found.append(stream.push(time[begin:end], value[begin:end]))
    assert_same(eda_driver._joined([*found, stream.finish()]), deconvolve_eda(time, value))


def test_a_stream_remembers_no_more_than_a_block_and_its_margins():
    value = simulate(10, hours=3.0)[0]
    stream, most, given_back = EdaStream(0.25), 0, 0
    for begin in range(0, value.size, 240):
        part = stream.push(times(value.size)[begin : begin + 240], value[begin : begin + 240])
        given_back += part.time.size
        most = max(most, stream._value.size)
    assert most <= 4 * (eda_driver.BLOCK_S + 3 * eda_driver.BLOCK_MARGIN_S + 60)
    assert given_back >= value.size - 4 * (eda_driver.BLOCK_S + 2 * eda_driver.BLOCK_MARGIN_S)


def test_a_gap_and_invalid_samples_are_nothing_and_end_a_piece():
    time, value = disturbed(12)
    parts = deconvolve_eda(time, value)
    assert parts.time.size == time.size
    assert not parts.valid[[3005, 7100, 9000]].any()
    np.testing.assert_array_equal(np.isnan(parts.tonic_microsiemens), ~parts.valid)
    after = deconvolve_eda(time[5000:7300], value[5000:7300])
    np.testing.assert_array_equal(parts.phasic_microsiemens[5000:7200], after.phasic_microsiemens[:2200])


@pytest.mark.parametrize("factor", [2, 8, 16])
def test_faster_recordings_give_the_same_as_one_at_4_hz(factor: int):
    value, phasic, _ = simulate(13, hours=0.3, noise=0.0)
    fine = np.interp(np.arange(value.size * factor) / factor, np.arange(value.size), value)
    parts = deconvolve_eda(times(fine.size, 4.0 * factor), fine)
    assert np.corrcoef(parts.phasic_microsiemens[::factor], phasic)[0, 1] > 0.98
    slow = deconvolve_eda(times(value.size), value)
    total = np.nansum(parts.driver_microsiemens_s) / factor
    assert total == approx(np.nansum(slow.driver_microsiemens_s), rel=0.05)


def test_a_sample_a_second_is_enough_and_a_slower_one_is_level_only():
    value, phasic, _ = simulate(14)
    parts = deconvolve_eda(times(value.size // 4, 1.0), value[::4])
    assert np.corrcoef(parts.phasic_microsiemens, phasic[::4])[0, 1] > 0.92
    slow = deconvolve_eda(times(value.size // 8, 0.5), value[::8])
    np.testing.assert_array_equal(slow.tonic_microsiemens, value[::8])
    assert np.isnan(slow.phasic_microsiemens).all()
    assert "slower" in slow.reason
    assert responses(slow).time.size == 0


RNG = np.random.default_rng(15)
BAD = {
    "nothing": np.zeros(0),
    "one sample": np.full(1, 2.0),
    "three samples": np.full(3, 2.0),
    "flat": np.full(4000, 2.0),
    "noise": 30.0 + RNG.standard_normal(4000),
    "not a number": np.full(400, np.nan),
    "saturated": np.full(4000, 100.0),
    "in nS": 2000.0 + RNG.standard_normal(4000),
    "infinite": np.where(np.arange(4000) == 2000, np.inf, 2.0),
    "a step": np.where(np.arange(4000) < 2000, 2.0, 4.0),
    "a ramp": np.linspace(0.1, 59.0, 4000),
    "square waves": 2.0 + (np.arange(4000) // 2 % 2),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_signals_give_a_value_or_nothing_and_no_exception(what: str):
    value = BAD[what]
    parts = deconvolve_eda(times(value.size), value)
    assert parts.time.size == parts.driver_microsiemens_s.size == value.size
    found = np.isfinite(parts.phasic_microsiemens)
    assert found.any() or not parts.valid.any() or parts.reason
    assert np.isfinite(parts.driver_microsiemens_s[found]).all()
    responses(parts)


@pytest.mark.parametrize("spacing_s", [2.0, 60.0, 3600.0])
def test_slow_recordings_have_no_responses_to_list(spacing_s: float):
    parts = deconvolve_eda(times(30, 1.0 / spacing_s), np.linspace(2.0, 3.0, 30))
    assert responses(parts).amplitude_microsiemens.size == 0


def test_samples_of_one_moment_are_refused_with_a_reason():
    parts = deconvolve_eda(np.full(50, START), np.full(50, 2.0))
    assert not parts.valid.any()
    assert "same time" in parts.reason


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="differ in shape"):
        deconvolve_eda(times(4), np.zeros(5))


@pytest.mark.shared
def test_the_drive_is_higher_under_stress_than_at_rest_in_most_people(shared_data: Path):
    """Measured: 11 of 12 (the filter's responses: 11 of 12), and what the model leaves over is below 0.04 µS."""
    folder = shared_data / "e4-stress-predict"
    rests = ("relax_1", "relax_2", "relax_3", "baseline_after")
    marked: dict[str, list[tuple[bool, np.datetime64, np.datetime64]]] = {}
    with (folder / "time_logs.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["phase"] in ("stroop", "interview", "hyperventilation", *rests):
                begin, end = (np.datetime64(row[key].removesuffix("Z"), "ms") for key in ("start_utc", "end_utc"))
                marked.setdefault(row["subject"], []).append((row["phase"] not in rests, begin, end))
    higher = []
    for subject, phases in marked.items():
        series = read_folder(folder / subject, timezone="Europe/Dublin").of("scl_microsiemens")
        assert series is not None
        parts = deconvolve_eda(series.time, series.value)
        assert "converge" not in parts.reason
        left = series.value - parts.tonic_microsiemens - parts.phasic_microsiemens
        assert np.nanstd(left) < 0.04
        drive = [[], []]
        for is_stress, begin, end in phases:
            drive[is_stress].append(parts.driver_microsiemens_s[(series.time >= begin) & (series.time < end)])
        rest, stress = (np.nanmean(np.concatenate(part)) for part in drive)
        higher.append(stress > rest)
    assert len(higher) == 12
    assert sum(higher) >= 9, higher
