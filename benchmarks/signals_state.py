"""How long does it take from a day of sensors to the autonomic state? CPU seconds of one process, after compiling.

python benchmarks/signals_state.py [--hours 24]

An invented day: ECG at 250 Hz or the pulse wave at 64 Hz, skin conductance and temperature at 4 Hz, acceleration at
32 Hz. Three ways to the state: beats to variability to state; all raw signals to state; and the same as it comes in,
in chunks of a minute. The limit is for the raw signals.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import signals_eda
from signals_ecg import ECG_HZ, PPG_HZ, WAVES_ECG, WAVES_PPG, invented_beats, waveform

from unaji.records.timeline import Beats, FloatArray, Person, Series, TimeArray, Timeline
from unaji.signals.ecg import ecg_beats
from unaji.signals.indices import hrv_table, window_starts
from unaji.signals.latent import latent_of_minutes, minutes_of
from unaji.signals.movement import movement
from unaji.signals.ppg import ppg_beats
from unaji.signals.state import autonomic_state
from unaji.signals.state_stream import FilteredState, StateStream
from unaji.signals.tachogram import Tachogram

LIMIT_S = 1.5
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
START = np.datetime64("2024-03-01", "ms")
ACC_HZ, SLOW_HZ = 32.0, 4.0


class Day:
    """A day of raw signals."""

    def __init__(self, hours: float) -> None:
        rng = np.random.default_rng(3)
        beat_s = invented_beats(hours)
        self.ecg = waveform(beat_s, hours, ECG_HZ, WAVES_ECG, 0.02)
        self.ppg = waveform(beat_s, hours, PPG_HZ, WAVES_PPG, 0.01)
        self.conductance = signals_eda.simulate(1, hours)[0]
        n = int(hours * 3600 * ACC_HZ)
        self.acceleration_g = 0.05 * rng.standard_normal((n, 3))
        self.acceleration_g[:, 2] += 1.0
        busy = np.arange(n) / ACC_HZ % 3600 < 900
        self.acceleration_g[busy, 2] += 0.3 * np.sin(2 * np.pi * 1.8 * np.arange(n)[busy] / ACC_HZ)
        slow = np.arange(int(hours * 3600 * SLOW_HZ)) / SLOW_HZ
        self.skin_c = 33.0 + np.cos(2 * np.pi * slow / 86_400) + 0.05 * rng.standard_normal(slow.size)


def beats_of(find: Callable[[FloatArray, float], object], wave: FloatArray, rate_hz: float, origin: str) -> Beats:
    """Find the beats of a waveform."""
    return find(wave, rate_hz).to_beats(BEGIN, origin)  # type: ignore[attr-defined]


def times(n: int, rate_hz: float) -> TimeArray:
    """Make the times of n samples."""
    return START + np.round(np.arange(n) / rate_hz * 1000.0).astype("timedelta64[ms]")


def timeline_of(day: Day, beats: Beats) -> Timeline:
    """Put a day's signals together as a timeline, movement by the minute."""
    moved = movement(START, day.acceleration_g, ACC_HZ)
    known = np.isfinite(moved.activity_mg)
    end = moved.time + np.timedelta64(60, "s")
    return Timeline(
        Person("p"),
        series=(
            Series("scl_microsiemens", times(day.conductance.size, SLOW_HZ), day.conductance, site="wrist"),
            Series("skin_temp_c", times(day.skin_c.size, SLOW_HZ), day.skin_c, site="wrist"),
            Series("activity_mg", moved.time[known], moved.activity_mg[known], end[known], site="wrist"),
        ),
        beats=beats,
    )


def timed(what: str, work: Callable[[], object]) -> tuple[object, float]:
    """Run something once and print the processor seconds it took."""
    begun = time.process_time()
    result = work()
    spent = time.process_time() - begun
    print(f"  {what:58}{spent:7.3f} s")
    return result, spent


def from_beats(beats: Beats) -> None:
    """Beats to variability to state."""
    print("beats to variability to state")
    timeline = Timeline(Person("p"), beats=beats)
    taken = Tachogram.of_beats(beats)
    starts = window_starts(taken, 300.0, 60.0)
    _, hrv = timed("all indices of five minutes, each minute", lambda: hrv_table(taken, starts, 300.0))
    _, state = timed("state by the minute, smoothed", lambda: latent_of_minutes(minutes_of(timeline)))  # type: ignore[arg-type]
    print(f"  {'in all':58}{hrv + state:7.3f} s")


def from_raw(day: Day, name: str, find: Callable[[], Beats]) -> Timeline:
    """All raw signals to the state."""
    print(f"{name}, conductance, acceleration and temperature to state (limit {LIMIT_S} s)")
    beats, finding = timed(f"beats from the {name}", find)
    timeline, moving = timed("acceleration to movement", lambda: timeline_of(day, beats))  # type: ignore[arg-type]
    minutes, binning = timed("to minutes, with the drive of the sweat glands", lambda: minutes_of(timeline))  # type: ignore[arg-type]
    _, latent = timed("state by the minute, smoothed", lambda: latent_of_minutes(minutes))  # type: ignore[arg-type]
    print(f"  {'in all':58}{finding + moving + binning + latent:7.3f} s")
    _, whole = timed("beats, movement, and the grid that `explain` uses", lambda: autonomic_state(timeline))  # type: ignore[arg-type]
    print(f"  {'in all':58}{finding + moving + whole:7.3f} s")
    return timeline  # type: ignore[return-value]


def as_it_comes(timeline: Timeline, hours: float) -> FilteredState:
    """Push a timeline through in chunks of a minute."""
    stream, parts = StateStream(), []
    assert timeline.beats is not None
    b = timeline.beats
    for k in range(round(60 * hours)):
        begin, until = (START + np.timedelta64(60 * m, "s") for m in (k, k + 1))
        rows = slice(*np.searchsorted(b.time, [begin, until]))
        series = []
        for s in timeline.series:
            at = slice(*np.searchsorted(s.time, [begin, until]))
            end = None if s.end is None else s.end[at]
            series.append(Series(s.quantity, s.time[at], s.value[at], end, s.site))
        beats = Beats(b.time[rows], b.rri_ms[rows], b.gap[rows], b.origin)
        parts.append(stream.push(until, beats=beats, series=series))
    return FilteredState.joined([*parts, stream.finish()])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    hours = parser.parse_known_args()[0].hours
    day, warm_up = Day(hours), Day(0.5)
    ways = {
        "ECG": lambda d: beats_of(ecg_beats, d.ecg, ECG_HZ, "ecg"),
        "pulse wave": lambda d: beats_of(ppg_beats, d.ppg, PPG_HZ, "ppg"),
    }
    for find in ways.values():
        ready = timeline_of(warm_up, find(warm_up))
        autonomic_state(ready)
        as_it_comes(ready, 0.5)
        assert ready.beats is not None
        taken = Tachogram.of_beats(ready.beats)
        hrv_table(taken, window_starts(taken, 300.0), 300.0)
    from_beats(ways["ECG"](day))
    for name, find in ways.items():
        timeline = from_raw(day, name, lambda find=find: find(day))  # type: ignore[misc]
    print("as it comes in, a chunk a minute, after beats and movement")
    timed(f"{60 * hours:.0f} minutes, filtered", lambda: as_it_comes(timeline, hours))
    tracemalloc.start()
    part = as_it_comes(timeline, min(2.0, hours))
    highest = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"  highest memory in two hours of it: {highest:.1f} MiB ({len(part)} minutes)")
    weeks = eight_weeks()
    print("8 weeks of a wearable, by the minute")
    timed("the grid that `explain` uses", lambda: autonomic_state(weeks))


def eight_weeks() -> Timeline:
    """Heart rate, conductance, movement and skin temperature of 56 days, one value a minute."""
    rng, minute = np.random.default_rng(3), np.arange(56 * 1440)
    time = START + minute * np.timedelta64(60_000, "ms")
    day = np.sin(2 * np.pi * minute / 1440)
    values = {
        "hr_bpm": 68 + 6 * day + 3 * rng.standard_normal(minute.size),
        "scl_microsiemens": np.exp(0.5 + 0.2 * day + 0.1 * rng.standard_normal(minute.size)),
        "activity_mg": np.abs(30 * rng.standard_normal(minute.size)),
        "skin_temp_c": 33.5 - 0.5 * day + 0.2 * rng.standard_normal(minute.size),
    }
    return Timeline(Person("weeks"), series=tuple(Series(name, time, value) for name, value in values.items()))


if __name__ == "__main__":
    main()
