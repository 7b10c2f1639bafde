"""Which of a person's records speak of heart, air and sleep on a grid, and where does the record begin and end?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from unaji.records.timeline import Beats, FloatArray, Series, TimeArray, Timeline, utc_ms
from unaji.signals.grid import Gridded, mean_on_grid, step_starts
from unaji.signals.hrv import hrv_windows
from unaji.signals.rr import reject_artefacts

BEATS_FIRST = 0.5
"""Share of a step that valid beats must fill for its heart rate to be theirs rather than a heart-rate series's."""

PULSE_COVERAGE = 0.5
"""Share of a step that valid beats must fill for their RMSSD where they come from a pulse wave.

The wrist's pulse is lost in movement, and the beats found around such a loss are badly timed: RMSSD from it is for
sleep and rest, which is where most of its beats are found.
"""

AIR_SITES = ("near_body", "indoor", "outdoor")

Averaging = Callable[[Series, TimeArray, float], Gridded]


class Heart(NamedTuple):
    """Heart rate and its variability on a grid."""

    hr: Gridded
    rmssd: Gridded
    sdnn: Gridded


def heart_on_grid(
    timeline: Timeline,
    grid: TimeArray,
    step_s: float,
    *,
    valid_ms: FloatArray | None = None,
    how: Averaging = mean_on_grid,
) -> Heart:
    """Take rate and variability from valid beats; the rate from a series where beats fill too little of a step.

    Parameters
    ----------
    timeline : Timeline
        Read are beats, ``hr_bpm``, and, only without beats, ``rmssd_ms`` and ``sdnn_ms``.
    grid : ndarray, shape (n,)
        Starts of the steps.
    step_s : float
        Length of a step [s].
    valid_ms : ndarray, shape (n_beats,), optional
        `valid_intervals_ms` of the beats, where it is at hand.
    how : callable
        How a series is averaged.
    """
    rate, rmssd, sdnn = (gridded(timeline.of(name), grid, step_s, how) for name in ("hr_bpm", "rmssd_ms", "sdnn_ms"))
    beats = timeline.beats
    if not beats:
        return Heart(rate, rmssd, sdnn)
    nn_ms = valid_intervals_ms(beats) if valid_ms is None else valid_ms
    hrv = hrv_windows(beats.time, nn_ms, beats.gap, grid, step_s)
    from_beats = np.isfinite(hrv.hr_bpm) & ((hrv.coverage >= BEATS_FIRST) | np.isnan(rate.value))
    enough = hrv.coverage >= (PULSE_COVERAGE if beats.origin == "ppg" else 0.0)
    return Heart(
        Gridded(np.where(from_beats, hrv.hr_bpm, rate.value), np.where(from_beats, hrv.coverage, rate.coverage)),
        Gridded(np.where(enough, hrv.rmssd_ms, np.nan), hrv.coverage),
        Gridded(hrv.sdnn_ms, hrv.coverage),
    )


def valid_intervals_ms(beats: Beats) -> FloatArray:
    """Return the RR intervals with NaN in place of artefacts [ms]."""
    return np.where(reject_artefacts(beats.rri_ms, beats.gap).keep, beats.rri_ms, np.nan)


def air_series(timeline: Timeline) -> Series | None:
    """Return the air temperature to use: nearest to the body first."""
    return timeline.of("air_temp_c", *AIR_SITES) or timeline.of("air_temp_c")


def asleep_on_grid(timeline: Timeline, grid: TimeArray) -> FloatArray:
    """Tell 1 for steps that start in a logged sleep, else 0."""
    asleep = np.zeros(grid.size)
    for sleep in timeline.exposures_of("sleep"):
        if sleep.end is not None:
            asleep[np.searchsorted(grid, utc_ms(sleep.start)) : np.searchsorted(grid, utc_ms(sleep.end))] = 1.0
    return asleep


def local_hours(timeline: Timeline, grid: TimeArray) -> FloatArray:
    """Return the hours since 1970 by the person's clock."""
    hours: FloatArray = grid.astype(np.int64) / 3.6e6 + timeline.zones.offset_min(grid) / 60.0
    return hours


def steps_recorded(timeline: Timeline, step_s: float, *series: Series | None) -> TimeArray | None:
    """Return the steps that hold the beats and all of these series; None when none of them was recorded."""
    moment = np.timedelta64(1, "ms")  # the end of an interval is not in it
    spans = [(s.time[0], s.time[-1] if s.end is None else max(s.time[-1], s.end.max() - moment)) for s in series if s]
    if timeline.beats:
        spans.append((timeline.beats.time[0], timeline.beats.time[-1]))
    if not spans:
        return None
    return step_starts(min(first for first, _ in spans), max(last for _, last in spans), step_s)


def gridded(series: Series | None, grid: TimeArray, step_s: float, how: Averaging = mean_on_grid) -> Gridded:
    """Average a series on a grid; nothing everywhere when there is none."""
    return how(series, grid, step_s) if series else nothing(grid)


def nothing(grid: TimeArray) -> Gridded:
    """Say of every step that nothing was measured."""
    return Gridded(np.full(grid.size, np.nan), np.zeros(grid.size))
