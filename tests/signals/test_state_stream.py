"""Does a recording give the same states however it is cut, in constant memory, and are they honest?"""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from numpy.testing import assert_allclose
from pytest import approx  # noqa: PT013

from unaji.records.folder import read_folder
from unaji.records.timeline import Beats, Exposure, FloatArray, Person, Series, TimeArray, Timeline, Zones
from unaji.signals import latent_fit, state_stream
from unaji.signals.adjust import day_waves
from unaji.signals.latent import CHANNELS, Calibration, latent_of_minutes, minutes_of, usual_person
from unaji.signals.latent_fit import DRIFT_MIN, FAST_MIN, FAST_SHARE, SLOW_MIN
from unaji.signals.minutes import Minutes
from unaji.signals.reasons import StateReason
from unaji.signals.state_stream import FilteredState, StateFilter, StateStream, filtered_state, known_at

START = np.datetime64("2026-03-02T09:00:20", "ms")
MINUTE = np.timedelta64(60_000, "ms")
NAMES = tuple(FilteredState.__dataclass_fields__)


def every(step_ms: int, seconds: float) -> TimeArray:
    return START + np.arange(0, round(1000 * seconds), step_ms).astype("timedelta64[ms]")


@cache
def recording() -> Timeline:
    """Fifty-five minutes of everything, with a gap in each signal and one in all of them."""
    rng = default_rng(1)
    seconds = 3300.0
    rri_ms = 800.0 + 60.0 * np.sin(np.arange(4000) / 90.0) + 25.0 * rng.standard_normal(4000)
    when = START + np.round(np.cumsum(rri_ms)).astype("timedelta64[ms]")
    rri_ms[rng.random(4000) < 0.01] *= 0.5
    on = (when < START + np.timedelta64(2400, "s")) & ~inside(when, 900, 1200)
    beats = Beats(when[on], rri_ms[on], np.diff(when[on], prepend=when[0]) > np.timedelta64(2500, "ms"), "strap")
    at = every(250, seconds)
    level = 3.0 + 0.3 * np.sin(np.arange(at.size) / 900.0) + np.maximum(0.0, np.sin(np.arange(at.size) / 40.0)) ** 8
    worn = ~inside(at, 1000, 1150) & ~inside(at, 1600, 1604)
    skin = every(1000, seconds)
    five = every(300_000, seconds)
    series = (
        Series("scl_microsiemens", at[worn], (level + 0.005 * rng.standard_normal(at.size))[worn], site="wrist"),
        Series("skin_temp_c", skin, 33.0 + 0.1 * rng.standard_normal(skin.size), site="wrist"),
        Series("steps", five, rng.integers(0, 300, five.size).astype(float), five + 5 * MINUTE),
        Series("hr_bpm", five, rng.uniform(65.0, 80.0, five.size), five + 5 * MINUTE),
        Series("air_temp_c", every(600_000, seconds), np.full(6, 21.0) + np.arange(6), site="indoor"),
    )
    asleep = Exposure(
        kind="sleep", start=datetime(2026, 3, 2, 9, 20, tzinfo=UTC), end=datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    )
    return Timeline(Person("p"), zones=Zones(("Asia/Tokyo",)), series=series, beats=beats, exposures=(asleep,))


def inside(time: TimeArray, begin_s: int, end_s: int) -> np.ndarray:
    return (time >= START + np.timedelta64(begin_s, "s")) & (time < START + np.timedelta64(end_s, "s"))


def ends_at(timeline: Timeline) -> np.datetime64:
    return max(known_at(s).max() for s in timeline.series) + np.timedelta64(1, "ms")


def push_between(stream: StateStream, timeline: Timeline, begin: np.datetime64, end: np.datetime64) -> FilteredState:
    """Give a stream what became known from one instant to before another (the obvious way)."""
    assert timeline.beats is not None

    def rows(known: TimeArray) -> np.ndarray:
        return (known >= begin) & (known < end)

    series = []
    for s in timeline.series:
        at = rows(known_at(s))
        series.append(replace(s, time=s.time[at], value=s.value[at], end=None if s.end is None else s.end[at]))
    b, at = timeline.beats, rows(timeline.beats.time)
    starts = [np.datetime64(e.start.replace(tzinfo=None), "ms") for e in timeline.exposures]
    sleep = [e for e, start in zip(timeline.exposures, starts, strict=True) if begin <= start < end]
    return stream.push(end, beats=Beats(b.time[at], b.rri_ms[at], b.gap[at], b.origin), series=series, sleep=sleep)


def streamed(timeline: Timeline, cuts: list[np.datetime64]) -> FilteredState:
    stream = StateStream(zones=timeline.zones)
    begin = START - np.timedelta64(1, "h")
    parts = [push_between(stream, timeline, a, b) for a, b in pairwise([begin, *sorted(cuts), ends_at(timeline)])]
    return FilteredState.joined([*parts, stream.finish()])


@cache
def at_once() -> FilteredState:
    return filtered_state(recording())


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(-60_000, 3_300_000), max_size=12))
def test_a_recording_gives_the_same_states_however_it_is_cut(cuts_ms: list[int]):
    """Empty chunks (two cuts at once), cuts within gaps, and cuts before anything was measured among them."""
    cuts = [START + np.timedelta64(cut, "ms") for cut in [*cuts_ms, *cuts_ms[:1]]]
    found = streamed(recording(), cuts)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(found, name), getattr(at_once(), name), err_msg=name)


def test_chunks_of_ten_seconds_give_the_same_states_too_and_each_minute_once():
    cuts = [START + np.timedelta64(k, "s") for k in range(0, 3300, 10)]
    found = streamed(recording(), cuts)
    assert (np.diff(found.time) == MINUTE).all()
    for name in NAMES:
        np.testing.assert_array_equal(getattr(found, name), getattr(at_once(), name), err_msg=name)


def test_the_minutes_are_those_of_the_whole_record(monkeypatch: pytest.MonkeyPatch):
    """All of them here, where the sensor was worn throughout and the sleep is known from its start."""
    taken: list[Minutes] = []
    push = StateFilter.push
    monkeypatch.setattr(StateFilter, "push", lambda self, minutes: (taken.append(minutes), push(self, minutes))[1])
    filtered_state(recording())
    whole = minutes_of(recording())
    assert whole is not None
    assert len(taken) >= whole.time.size
    for name in Minutes.__dataclass_fields__:
        column = getattr(whole, name)
        if column is None:
            continue
        mine = [getattr(m, name) for m in taken[: whole.time.size]]
        values = np.concatenate([np.full(1, 0.0 if "quality" in name else np.nan) if x is None else x for x in mine])
        if name == "asleep":
            values = np.nan_to_num(values)
        if name == "time":
            assert (values == column).all()
        else:
            assert_allclose(values, column, rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_filtered_state_is_the_exact_posterior_of_the_last_minute(monkeypatch: pytest.MonkeyPatch):
    """With normal noise: what the smoother says of the last minute of a record that ends there."""
    for module in (latent_fit, state_stream):
        monkeypatch.setattr(module, "TAIL_FREEDOM", 1e12)
    monkeypatch.setattr(latent_fit.Fit, "learn", lambda self: None)
    minutes = simulated(3, 200).minutes
    smoothed = latent_of_minutes(minutes)
    learnt = smoothed.calibration
    assert learnt is not None
    usual = usual_person()
    unlearnt = Calibration(learnt.signals, learnt.inputs, usual.effect, prior_of(learnt, usual))
    filtered = StateFilter(unlearnt).push(minutes)
    for name in ("sympathetic", "sympathetic_sd", "vagal", "vagal_sd", "balance", "balance_sd", "additional_hr_bpm"):
        assert getattr(filtered, name)[-1] == approx(getattr(smoothed, name)[-1], rel=1e-4, abs=1e-4), name


def prior_of(learnt: Calibration, usual: Calibration) -> FloatArray:
    """The prior, but where an input was never known and is taken for part of the level."""
    variance = np.diag(usual.effect_cov).copy()
    never = np.diag(learnt.effect_cov) < 2e-6
    variance[never] = np.diag(learnt.effect_cov)[never]
    return np.diag(variance)


class Simulated:
    """A person whose curves are known, drawn from the model."""

    def __init__(self, minutes: Minutes, sympathetic: FloatArray, vagal: FloatArray) -> None:
        self.minutes, self.sympathetic, self.vagal = minutes, sympathetic, vagal


def simulated(seed: int, n: int) -> Simulated:
    rng = default_rng(seed)

    def wander(minutes: float) -> FloatArray:
        keep = np.exp(-1.0 / minutes)
        x = np.empty(n)
        x[0] = rng.normal()
        for t in range(1, n):
            x[t] = keep * x[t - 1] + np.sqrt(1.0 - keep**2) * rng.normal()
        return x

    s, v = (np.sqrt(FAST_SHARE) * wander(FAST_MIN) + np.sqrt(1 - FAST_SHARE) * wander(SLOW_MIN) for _ in range(2))
    hour, moved = np.arange(n) / 60.0 % 24.0, 400.0 * rng.random(n) ** 2 * (rng.random(n) < 0.3)
    waves = np.column_stack(day_waves(hour))
    signals = []
    for c in CHANNELS[:4]:
        inputs = rng.normal(0.0, 0.3) * np.sqrt(moved) / 10.0 + waves @ rng.normal(0.0, 0.3, 4) + rng.normal(0.0, 1.0)
        noise = np.sqrt(c.noise_variance) * rng.normal(size=n)
        drift = c.drift * wander(DRIFT_MIN)
        signals.append(np.exp(c.usual + c.spread * (c.sympathetic * s + c.vagal * v + drift + inputs + noise)))
    time = START.astype("datetime64[m]").astype("datetime64[ms]") + MINUTE * np.arange(n)
    return Simulated(Minutes(time, hour, *signals, movement=moved), s, v)


def shares(person: Simulated, found: FilteredState, rows: slice) -> list[float]:
    errors = [(getattr(found, n) - getattr(person, n)) / getattr(found, f"{n}_sd") for n in ("sympathetic", "vagal")]
    return [float(np.mean(np.abs(error[rows]) < 1.6449)) for error in errors]


def test_ninety_percent_intervals_hold_ninety_percent_from_the_first_hour_on_and_after_calibration():
    unknown, known, narrower = [], [], []
    for seed in range(12):
        person = simulated(400 + seed, 2880)
        first = latent_of_minutes(person.minutes.part(0, 1440))
        later = person.minutes.part(1440, 2160)
        truth = Simulated(later, person.sympathetic[1440:2160], person.vagal[1440:2160])
        cold, warm = StateFilter().push(later), StateFilter(first.calibration).push(later)
        unknown.append(shares(truth, cold, slice(0, 720)))
        known.append(shares(truth, warm, slice(0, 720)))
        narrower.append(cold.sympathetic_sd[:120].mean() - warm.sympathetic_sd[:120].mean())
    assert np.mean(unknown) == approx(0.9, abs=0.05)
    assert np.mean(known) == approx(0.9, abs=0.05)
    assert np.mean(narrower) > 0.01


def test_minutes_in_pieces_are_filtered_as_in_one():
    minutes = simulated(5, 300).minutes
    whole, stream = StateFilter().push(minutes), StateFilter()
    parts = FilteredState.joined([stream.push(minutes.part(a, b)) for a, b in pairwise([0, 1, 1, 7, 200, 300])])
    for name in NAMES:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_a_wild_minute_weighs_less_than_a_normal_one_would():
    minutes = simulated(6, 300).minutes
    assert minutes.hr_bpm is not None
    wild = minutes.hr_bpm.copy()
    wild[299] *= np.exp(0.12 * 12.0)
    calm, hit = (StateFilter().push(m).balance for m in (minutes, replace(minutes, hr_bpm=wild)))
    slope = [StateFilter().push(replace(minutes, hr_bpm=minutes.hr_bpm * bump)).balance[-1] for bump in _bumps()]
    assert 0.0 < hit[-1] - calm[-1] < 0.7 * 12.0 * (slope[1] - slope[0])


def _bumps() -> list[FloatArray]:
    up = np.ones(300)
    up[299] = np.exp(0.12)
    return [np.ones(300), up]


def test_silence_has_a_reason_and_doubt_grows_in_it():
    minutes = simulated(7, 200).minutes
    lost = {n: np.where(np.arange(200) < 100, getattr(minutes, n), np.nan) for n in ("hr_bpm", "rmssd_ms")}
    found = StateFilter().push(Minutes(minutes.time, minutes.local_hour, **lost))
    assert (np.diff(found.sympathetic_sd[100:130]) > 0.0).all()
    assert (found.reason[100:130] == StateReason.CARRIED).all()
    assert (found.reason[130:] == StateReason.GAP).all()
    assert np.isnan(found.vagal[130:]).all()
    nothing = StateFilter().push(Minutes(minutes.time, minutes.local_hour))
    assert (nothing.reason == StateReason.NO_SIGNAL).all()
    assert np.isnan(nothing.sympathetic).all()


def test_without_skin_conductance_a_minute_is_known_six_minutes_after_it_began():
    stream = StateStream()
    hr = Series("hr_bpm", every(1000, 900.0), 70.0 + np.sin(np.arange(900) / 50.0))
    begin = START.astype("datetime64[m]").astype("datetime64[ms]")
    assert stream.push(START).time.size == 0
    found = stream.push(START + np.timedelta64(900, "s"), series=[hr])
    assert found.time[0] == begin
    assert found.time[-1] + 6 * MINUTE <= START + np.timedelta64(900, "s") < found.time[-1] + 7 * MINUTE


def test_what_comes_out_of_order_is_refused():
    def hr(second: int) -> Series:
        return Series("hr_bpm", START + np.array([second]).astype("timedelta64[s]"), np.array([70.0]))

    stream = StateStream()
    stream.push(START + np.timedelta64(100, "s"), series=[hr(50)])
    with pytest.raises(ValueError, match="comes too late"):
        stream.push(START + np.timedelta64(200, "s"), series=[hr(99)])
    with pytest.raises(ValueError, match="not before the end of this chunk"):
        stream.push(START + np.timedelta64(200, "s"), series=[hr(200)])
    with pytest.raises(ValueError, match="goes back"):
        stream.push(START)
    beat = Beats(START + np.array([30]).astype("timedelta64[s]"), np.array([800.0]), np.array([True]))
    with pytest.raises(ValueError, match="a beat"):
        stream.push(START + np.timedelta64(200, "s"), beats=beat)
    stream.push(START + np.timedelta64(200, "s"), series=[hr(100)])  # a refused chunk leaves no trace
    stream.finish()
    with pytest.raises(ValueError, match="finished"):
        stream.push(START + np.timedelta64(300, "s"))
    with pytest.raises(ValueError, match="wait_min"):
        StateStream(wait_min=1)
    following = StateFilter()
    following.push(simulated(1, 3).minutes)
    with pytest.raises(ValueError, match="does not follow"):
        following.push(simulated(1, 3).minutes)


def hours_of_sensors(hours: int) -> Iterator[tuple[np.datetime64, Beats, list[Series]]]:
    """Invent chunks of ten minutes; nobody wears anything in every fourth, but movement goes on."""
    rng = default_rng(9)
    for k in range(6 * hours):
        begin = START + np.timedelta64(600 * k, "s")
        at = begin + np.arange(0, 600_000, 250).astype("timedelta64[ms]")
        beat = begin + np.arange(0, 600_000, 800).astype("timedelta64[ms]")
        level = 3.0 + 0.5 * np.sin(np.arange(at.size) / 50.0) ** 8 + 0.01 * rng.standard_normal(at.size)
        off = k % 24 >= 18
        moved = Series("activity_mg", begin + MINUTE * np.arange(10), rng.uniform(0.0, 100.0, 10))
        beats = Beats(
            beat[: 0 if off else None],
            rng.normal(800.0, 20.0, 0 if off else beat.size),
            np.zeros(0 if off else beat.size, bool),
        )
        series = [moved, Series("skin_temp_c", at[::4], 33.0 + 0.1 * rng.random(at[::4].size))]
        series += [] if off else [Series("scl_microsiemens", at, level)]
        yield begin + np.timedelta64(600, "s"), beats, series


def held_bytes(thing: object) -> int:
    """Add up all arrays that an object holds on to, views with what they are views of, and the lengths of lists."""
    if isinstance(thing, np.ndarray):
        whole = thing.base if isinstance(thing.base, np.ndarray) else thing
        return int(max(whole.nbytes, thing.nbytes))
    if isinstance(thing, dict):
        return sum(held_bytes(value) for value in thing.values())
    if isinstance(thing, list | tuple):
        return 8 * len(thing) + sum(held_bytes(value) for value in thing)
    slots = [getattr(thing, name) for name in getattr(type(thing), "__slots__", ()) if hasattr(thing, name)]
    return held_bytes(slots) + held_bytes(getattr(thing, "__dict__", {}))


def test_memory_does_not_grow_with_the_recording():
    stream, held = StateStream(), []
    for until, beats, series in hours_of_sensors(24):
        stream.push(until, beats=beats, series=series)
        held.append(held_bytes(stream))
    assert max(held[48:]) <= 1.02 * max(held[:48]), held
    assert max(held) < 1_500_000, max(held)


def test_the_highest_memory_of_six_hours_is_that_of_two():
    """Measured by the interpreter: what comes and goes on the way is counted too."""
    at_once()  # the compiler is loaded before anything is counted
    highest = []
    for hours in (2, 6):
        stream = StateStream()
        tracemalloc.start()
        try:
            for until, beats, series in hours_of_sensors(hours):
                stream.push(until, beats=beats, series=series)
            highest.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert highest[1] < 1.25 * highest[0], highest


@pytest.mark.shared
def test_a_session_with_a_wrist_sensor_is_told_as_it_happens(shared_data: Path):
    timeline = read_folder(shared_data / "e4-stress-predict" / "S02", timezone="Europe/Dublin")
    found = filtered_state(timeline)
    assert np.isfinite(found.sympathetic).mean() > 0.9
    assert (np.diff(found.time) == MINUTE).all()
    assert found.sympathetic_sd[-1] < found.sympathetic_sd[0]


def test_nothing_gives_nothing():
    assert len(filtered_state(Timeline(Person("p")))) == 0
    assert len(StateStream().finish()) == 0


def test_the_import_does_not_load_the_compiler():
    code = "import sys, unaji.signals.state_stream; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
