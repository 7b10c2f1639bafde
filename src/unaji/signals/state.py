"""The autonomic state on a regular grid, each number with its quality.

The sympathetic index asks one question of every signal that speaks of the sympathetic system: how far does it stand
above what movement, time of day and sleep explain in this person? Four signals can answer: heart rate (up), the
logarithm of RMSSD (down: the vagal brake is released), and level and responses of skin conductance (up). Their answers
are added and the sum is brought to a standard deviation near 1 whichever of them there are (`unaji.signals.index`).

It does not tell emotion from everything else that moves these signals (talking, a meal, heat, illness), and no share of
spectral power such as LF/HF takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray, Series, TimeArray, Timeline, utc_ms
from unaji.signals.activity import (
    activity_on_grid,
    activity_series,
    activity_unit,
    skin_temp_on_grid,
    skin_temp_series,
)
from unaji.signals.adjust import day_waves, lagged, unexplained
from unaji.signals.eda import eda_on_grid
from unaji.signals.grid import Gridded, mean_on_grid, step_starts
from unaji.signals.hrv import hrv_windows
from unaji.signals.index import combine
from unaji.signals.rr import reject_artefacts

STEP_S = 300.0
"""Length of a step [s]: the Task Force's short recording, and the working grid of `causes`."""

MOVEMENT_LAGS_S = (0.0, 300.0, 600.0)
"""Movement acts on the heart at once and for some ten minutes after [s]."""

MIN_DAYS = 3
"""Local days on which a signal must have been measured before time of day and warmth are taken out of it."""

BEATS_FIRST = 0.5
"""Share of a step that valid beats must fill for its heart rate to be theirs rather than a heart-rate series's."""

PULSE_COVERAGE = 0.5
"""Share of a step that valid beats must fill for their RMSSD where they come from a pulse wave.

The wrist's pulse is lost in movement, and the beats found around such a loss are badly timed: RMSSD from it is for
sleep and rest, which is where most of its beats are found.
"""

AIR_SITES = ("near_body", "indoor", "outdoor")


@dataclass(frozen=True, eq=False, slots=True)
class AutonomicState:
    """Signals on a regular grid; NaN where there is too little to say.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Start of each step, UTC.
    step_s : float
        Length of a step [s].
    hr_bpm, rmssd_ms, sdnn_ms : ndarray, shape (n,)
        Heart rate and heart rate variability from valid beats (heart rate also from a heart-rate series).
    scl_microsiemens, scr_microsiemens : ndarray, shape (n,)
        Tonic skin conductance, and mean size of the phasic part.
    skin_temp_c : ndarray, shape (n,)
        Skin temperature: nape where measured, else wrist.
    activity : ndarray, shape (n,)
        Movement: acceleration beyond gravity [mg], else steps a minute.
    sympathetic_index : ndarray, shape (n,)
        How far the sympathetic signals stand above what movement and time of day explain, in this person's standard
        deviations.
    quality : dict of str to ndarray, shape (n,)
        For each of the names above, the share of the step that was measured and valid, 0 to 1; for
        ``sympathetic_index`` the share of channels behind it.
    channels : tuple of str
        Signals that fed the index ("hr", "rmssd", "scl", "scr").
    """

    time: TimeArray
    step_s: float
    hr_bpm: FloatArray
    rmssd_ms: FloatArray
    sdnn_ms: FloatArray
    scl_microsiemens: FloatArray
    scr_microsiemens: FloatArray
    skin_temp_c: FloatArray
    activity: FloatArray
    sympathetic_index: FloatArray
    quality: dict[str, FloatArray]
    channels: tuple[str, ...]
    activity_unit: str = "mg"


def autonomic_state(timeline: Timeline, *, step_s: float = STEP_S) -> AutonomicState | None:
    """Put everything measured of heart, sweat glands, skin and movement on one grid, with a sympathetic index.

    Parameters
    ----------
    timeline : Timeline
        Read are: beats, ``hr_bpm``, ``rmssd_ms`` and ``sdnn_ms`` (these two only without beats), ``scl_microsiemens``,
        skin temperatures, ``activity_mg`` or ``steps``, ``air_temp_c``, and exposures of kind "sleep".
    step_s : float
        Length of a step [s].

    Returns
    -------
    AutonomicState or None
        None when neither heart nor skin conductance nor skin temperature was recorded.

    Notes
    -----
    Each channel is regressed, over the whole record, on movement now, 5 and 10 minutes ago (its square root, since
    heart rate rises ever more slowly with movement), on being asleep, and, from `MIN_DAYS` days on, on time of day;
    skin conductance then also on skin and air temperature, which it follows in the warm. See `unaji.signals.adjust`.
    """
    grid = _grid(timeline, step_s)
    if grid is None:
        return None
    heart = _heart(timeline, grid, step_s)
    scl, scr = _eda(timeline, grid, step_s)
    skin = _gridded(skin_temp_series(timeline), grid, step_s, skin_temp_on_grid)
    moved_series = activity_series(timeline)
    moved = _gridded(moved_series, grid, step_s, activity_on_grid)

    explained_by = _covariates(timeline, grid, step_s, moved, skin)
    z = {
        "hr": explained_by.leave(heart.hr.value),
        "rmssd": -explained_by.leave(_log(heart.rmssd.value)),
        "scl": explained_by.leave(_log(scl.value), warmth=True),
        "scr": explained_by.leave(np.sqrt(scr.value), warmth=True),
    }
    channels = tuple(name for name, values in z.items() if np.isfinite(values).any())
    n_speaking = np.zeros(grid.size) + sum(np.isfinite(z[name]) for name in channels)
    return AutonomicState(
        time=grid,
        step_s=step_s,
        hr_bpm=heart.hr.value,
        rmssd_ms=heart.rmssd.value,
        sdnn_ms=heart.sdnn.value,
        scl_microsiemens=scl.value,
        scr_microsiemens=scr.value,
        skin_temp_c=skin.value,
        activity=moved.value,
        sympathetic_index=combine([z[name] for name in channels], grid.size),
        quality={
            "hr_bpm": heart.hr.coverage,
            "rmssd_ms": heart.rmssd.coverage,
            "sdnn_ms": heart.sdnn.coverage,
            "scl_microsiemens": scl.coverage,
            "scr_microsiemens": scr.coverage,
            "skin_temp_c": skin.coverage,
            "activity": moved.coverage,
            "sympathetic_index": n_speaking / max(len(channels), 1),
        },
        channels=channels,
        activity_unit=activity_unit(moved_series),
    )


class _Heart(NamedTuple):
    hr: Gridded
    rmssd: Gridded
    sdnn: Gridded


@dataclass(frozen=True, eq=False, slots=True)
class _Covariates:
    """What a channel is adjusted for; the groups after the first need enough days."""

    movement_and_sleep: list[FloatArray]
    time_of_day: list[FloatArray]
    warmth: list[FloatArray]
    day: NDArray[np.int64]

    def leave(self, channel: FloatArray, *, warmth: bool = False) -> FloatArray:
        """Return what these leave unexplained of a channel, in the person's standard deviations."""
        covariates = list(self.movement_and_sleep)
        if np.unique(self.day[np.isfinite(channel)]).size >= MIN_DAYS:
            covariates += self.time_of_day + (self.warmth if warmth else [])
        return unexplained(channel, covariates)


def _covariates(timeline: Timeline, grid: TimeArray, step_s: float, moved: Gridded, skin: Gridded) -> _Covariates:
    local_h = grid.astype(np.int64) / 3.6e6 + timeline.zones.offset_min(grid) / 60.0
    moved_root = np.sqrt(np.maximum(moved.value, 0.0))  # sums of many steps leave −1e−17 behind
    lags = sorted({round(lag_s / step_s) for lag_s in MOVEMENT_LAGS_S})
    air = timeline.of("air_temp_c", *AIR_SITES) or timeline.of("air_temp_c")
    return _Covariates(
        movement_and_sleep=[*(lagged(moved_root, lag) for lag in lags), _asleep(timeline, grid)],
        time_of_day=day_waves(local_h % 24.0),
        warmth=[skin.value, _gridded(air, grid, step_s, mean_on_grid).value],
        day=np.floor(local_h / 24.0).astype(np.int64),
    )


def _grid(timeline: Timeline, step_s: float) -> TimeArray | None:
    """Return the steps that hold all that was recorded of heart, skin conductance and skin temperature."""
    recorded = [timeline.of(name) for name in ("hr_bpm", "rmssd_ms", "sdnn_ms", "scl_microsiemens")]
    recorded.append(skin_temp_series(timeline))
    moment = np.timedelta64(1, "ms")  # the end of an interval is not in it
    spans = [(s.time[0], s.time[-1] if s.end is None else max(s.time[-1], s.end.max() - moment)) for s in recorded if s]
    if timeline.beats:
        spans.append((timeline.beats.time[0], timeline.beats.time[-1]))
    if not spans:
        return None
    return step_starts(min(first for first, _ in spans), max(last for _, last in spans), step_s)


def _heart(timeline: Timeline, grid: TimeArray, step_s: float) -> _Heart:
    """Take rate and variability from valid beats; the rate from a series where beats fill too little of a step."""
    rate = _gridded(timeline.of("hr_bpm"), grid, step_s, mean_on_grid)
    beats = timeline.beats
    if not beats:
        rmssd, sdnn = (_gridded(timeline.of(name), grid, step_s, mean_on_grid) for name in ("rmssd_ms", "sdnn_ms"))
        return _Heart(rate, rmssd, sdnn)
    kept_ms = np.where(reject_artefacts(beats.rri_ms, beats.gap).keep, beats.rri_ms, np.nan)
    hrv = hrv_windows(beats.time, kept_ms, beats.gap, grid, step_s)
    from_beats = np.isfinite(hrv.hr_bpm) & ((hrv.coverage >= BEATS_FIRST) | np.isnan(rate.value))
    at_rest = hrv.coverage >= (PULSE_COVERAGE if beats.origin == "ppg" else 0.0)
    return _Heart(
        Gridded(np.where(from_beats, hrv.hr_bpm, rate.value), np.where(from_beats, hrv.coverage, rate.coverage)),
        Gridded(np.where(at_rest, hrv.rmssd_ms, np.nan), hrv.coverage),
        Gridded(hrv.sdnn_ms, hrv.coverage),
    )


def _eda(timeline: Timeline, grid: TimeArray, step_s: float) -> tuple[Gridded, Gridded]:
    series = timeline.of("scl_microsiemens")
    return eda_on_grid(series, grid, step_s) if series else (_nothing(grid), _nothing(grid))


def _asleep(timeline: Timeline, grid: TimeArray) -> FloatArray:
    """Tell 1 for steps that start in a logged sleep, else 0."""
    asleep = np.zeros(grid.size)
    for sleep in timeline.exposures_of("sleep"):
        if sleep.end is not None:
            asleep[np.searchsorted(grid, utc_ms(sleep.start)) : np.searchsorted(grid, utc_ms(sleep.end))] = 1.0
    return asleep


def _gridded(
    series: Series | None, grid: TimeArray, step_s: float, how: Callable[[Series, TimeArray, float], Gridded]
) -> Gridded:
    return how(series, grid, step_s) if series else _nothing(grid)


def _nothing(grid: TimeArray) -> Gridded:
    return Gridded(np.full(grid.size, np.nan), np.zeros(grid.size))


def _log(x: FloatArray) -> FloatArray:
    return np.log(x, out=np.full(x.shape, np.nan), where=x > 0.0)
